/**
 * Which bytes of a folder of Parquet tables a statement needs: the chunks of the columns that plain DuckDB's optimised
 * plan scans, and the footers of those tables. Columns of TPC-H have names that no other table has.
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { DISABLED_OPTIMIZERS } from '../../planner/planning-database.ts'
import { quoteName, quoteText } from '../../proto/sql-text.ts'
import { scansIn } from '../../planner/columns-read.ts'
import { DuckDBInstance, type DuckDBConnection } from '../../test/duckdb.ts'

/** Length and magic behind a footer. */
const TRAILER_BYTES = 8
const LENGTH_BYTES = 4

interface ColumnBytes {
  readonly table: string
  readonly chunkBytes: number
}

export class NeededBytes {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  readonly #columns: ReadonlyMap<string, ColumnBytes>
  readonly #footers: ReadonlyMap<string, number>

  private constructor(
    instance: DuckDBInstance, connection: DuckDBConnection, columns: ReadonlyMap<string, ColumnBytes>,
    footers: ReadonlyMap<string, number>,
  ) {
    this.#instance = instance
    this.#connection = connection
    this.#columns = columns
    this.#footers = footers
  }

  /** `globs`: of each table's files, relative to the folder. */
  static async open(folder: string, globs: Readonly<Record<string, string>>): Promise<NeededBytes> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
    const connection = await instance.connect()
    await connection.run(`SET disabled_optimizers = ${quoteText(DISABLED_OPTIMIZERS.join(','))}`)
    const columns = new Map<string, ColumnBytes>()
    const footers = new Map<string, number>()
    for (const [table, glob] of Object.entries(globs)) {
      const files = quoteText(join(folder, glob))
      await connection.run(`CREATE VIEW ${quoteName(table)} AS FROM read_parquet(${files})`)
      const chunks = await connection.runAndReadAll(`SELECT path_in_schema, sum(total_compressed_size)::DOUBLE
        FROM parquet_metadata(${files}) GROUP BY ALL`)
      for (const [name, bytes] of chunks.getRows()) columns.set(String(name), { table, chunkBytes: Number(bytes) })
      const paths = await connection.runAndReadAll(`SELECT file FROM glob(${files})`)
      footers.set(table, paths.getRows().reduce((sum, [path]) => sum + footerBytes(String(path)), 0))
    }
    return new NeededBytes(instance, connection, columns, footers)
  }

  async of(sql: string): Promise<number> {
    const serialize = 'SELECT json_serialize_plan($1::VARCHAR, optimize := true)'
    const answer = await this.#connection.runAndReadAll(serialize, [sql])
    const needed = [...scannedColumns(String(answer.getRows()[0]?.[0]))].flatMap(name => this.#columns.get(name) ?? [])
    const chunkBytes = needed.reduce((sum, column) => sum + column.chunkBytes, 0)
    const tables = new Set(needed.map(({ table }) => table))
    return chunkBytes + [...tables].reduce((sum, table) => sum + (this.#footers.get(table) ?? 0), 0)
  }

  close(): void {
    this.#connection.closeSync()
    this.#instance.closeSync()
  }
}

function scannedColumns(json: string): Set<string> {
  const plan = JSON.parse(json) as { readonly error: boolean; readonly error_message?: string }
  if (plan.error) throw new Error(`no plan: ${plan.error_message}`)
  const found = new Set<string>()
  for (const node of scansIn(plan)) {
    const { names, column_indexes: read } = node as {
      readonly names: readonly string[]; readonly column_indexes: readonly { readonly index: number }[]
    }
    for (const { index } of read) if (names[index] !== undefined) found.add(names[index])
  }
  return found
}

/** With the length and the magic behind it. */
export function footerBytes(path: string): number {
  const file = openSync(path, 'r')
  const length = Buffer.alloc(LENGTH_BYTES)
  readSync(file, length, 0, LENGTH_BYTES, fstatSync(file).size - TRAILER_BYTES)
  closeSync(file)
  return length.readUInt32LE(0) + TRAILER_BYTES
}
