/**
 * Writes TPC-H data as Parquet files, `<folder>/<table>/<n>.parquet`, each file by one COPY from `tables.ts`: rows
 * stream, so memory stays bounded. The same scale and file counts give the same values in the same order. A folder that
 * already holds just that is left as it is.
 */

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quoteText } from '../../proto/sql-text.ts'
import { DuckDBInstance, type DuckDBConnection } from '../../test/duckdb.ts'
import { preparation, selectOf, sizesAt, tableNames, unitsOf, type TableName } from './tables.ts'

export interface GenerateOptions {
  /** Scale factor, at least 0.01: below it the supplier formula gives a part the same supplier twice. */
  readonly scale: number
  readonly folder: string
  readonly filesPerTable?: Partial<Record<TableName, number>>
}

/** Several files for each big table, so that several executors have something to own. */
const defaultFiles: Readonly<Record<TableName, number>> = {
  region: 1, nation: 1, supplier: 1, customer: 2, part: 2, partsupp: 4, orders: 4, lineitem: 8,
}

/** Raise when the same options would give other values. */
const FORMAT = 1
/** DuckDB's default; splits are made of row groups. */
const ROW_GROUP_ROWS = 122_880
const MEMORY_LIMIT = '1GB'
/** Files written at once. */
const WRITERS = 2
const MIN_SCALE = 0.01
/** Written last: without it the folder is not complete. */
const MARKER = 'generated.json'

interface File {
  readonly table: TableName
  readonly path: string
  readonly sql: string
}

export async function generate({ scale, folder, filesPerTable }: GenerateOptions): Promise<void> {
  if (!(scale >= MIN_SCALE)) throw new RangeError(`scale ${scale} is below ${MIN_SCALE}`)
  const counts = { ...defaultFiles, ...filesPerTable }
  const wanted = JSON.stringify({ format: FORMAT, scale, files: counts })
  if (await readFile(join(folder, MARKER), 'utf8').catch(() => '') === wanted) return
  for (const table of tableNames) {
    await rm(join(folder, table), { recursive: true, force: true })
    await mkdir(join(folder, table), { recursive: true })
  }
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: MEMORY_LIMIT, threads: String(WRITERS) })
  try {
    const files = tableNames.flatMap(table => filesOf(table, scale, folder, counts[table]))
    await writeAll(instance, files.filter(file => file.table !== 'orders'))
    await writeAll(instance, files.filter(file => file.table === 'orders'))
  } finally {
    instance.closeSync()
  }
  await writeFile(join(folder, MARKER), wanted)
}

/** The glob of a table's files, relative to the folder. */
export function globOf(table: TableName): string {
  return `${table}/*.parquet`
}

function filesOf(table: TableName, scale: number, folder: string, count: number): File[] {
  const sizes = sizesAt(scale)
  const units = unitsOf(table, sizes)
  return Array.from({ length: count }, (_, i) => {
    const range = { from: Math.floor(units * i / count), to: Math.floor(units * (i + 1) / count) }
    const sql = selectOf(table, sizes, range, `read_parquet(${quoteText(join(folder, globOf('lineitem')))})`)
    return { table, path: join(folder, table, `${i}.parquet`), sql }
  })
}

/** The largest tables first, so that no writer is left alone with one at the end. */
async function writeAll(instance: DuckDBInstance, files: readonly File[]): Promise<void> {
  const left = [...files]
  const writer = async (): Promise<void> => {
    const connection = await instance.connect()
    for (const statement of preparation) await connection.run(statement)
    for (let file = left.pop(); file !== undefined; file = left.pop()) await write(connection, file)
    connection.closeSync()
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
}

async function write(connection: DuckDBConnection, { path, sql }: File): Promise<void> {
  await connection.run(`COPY (${sql}) TO ${quoteText(path)} (FORMAT parquet, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`)
}
