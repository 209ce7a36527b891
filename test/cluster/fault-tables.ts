/**
 * The tables of the tests of faults: enough rows that an answer flows before its last row is made, rows that DuckDB
 * fails on, and files that cannot be read.
 */

import { cp, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '../duckdb.ts'

/** Of the table `rows`: their Arrow form has more bytes than are held back before an answer flows. */
export const ROWS = 1_200_000
const ROW_FILES = 6
export const SMALL_ROWS = 300
const SMALL_FILES = 3
/** Of these, the end of the file: what stands there is the footer. */
const FOOTER_BYTES = 64
/** More than a page. */
const ROTTEN_BYTES = 100_000
/** Of one value; a page of a file is in memory whole while it is read. */
const HEAVY_BYTES = 200_000_000
/** Behind the magic bytes: the first pages of the first column chunk. */
const FIRST_PAGE = 4

/**
 * id      0 to ROWS - 1, rising
 * grp     id % 1000
 * word    some 30 characters
 * early   a number as text, not in the first row
 * late    a number as text, not in the last row
 */
const row = `i AS id, i % 1000 AS grp, 'a long word that takes some room ' || (i % 100) AS word,
  CASE WHEN i = 0 THEN 'not a number' ELSE (i % 1000)::VARCHAR END AS early,
  CASE WHEN i = ${ROWS - 1} THEN 'not a number' ELSE (i % 1000)::VARCHAR END AS late`

/** `rows` and `small`, several files each. */
export async function writeFaultTables(folder: string): Promise<void> {
  await writeTable(join(folder, 'rows'), ROW_FILES, ROWS, row)
  await writeTable(join(folder, 'small'), SMALL_FILES, SMALL_ROWS, 'i AS id, i % 10 AS k')
}

/** `good`, and copies of its second file: `torn` has a broken footer, `damaged` a good footer and broken pages. */
export async function writeBadFiles(folder: string): Promise<void> {
  for (const name of ['good', 'torn', 'damaged']) {
    await writeTable(join(folder, name), 2, 2000, "i AS id, 'word ' || hash(i) AS word")
  }
  const torn = join(folder, 'torn', '1.parquet')
  const { length } = await readFile(torn)
  await overwrite(torn, length - FOOTER_BYTES, FOOTER_BYTES)
  await overwrite(join(folder, 'damaged', '1.parquet'), FIRST_PAGE, length / 2)
  await mkdir(join(folder, 'empty'))
  await mkdir(join(folder, 'text'))
  await writeFile(join(folder, 'text', '0.parquet'), 'these are words, and no table at all\n')
}

/** `rotten`: the files of `rows`, the last of which has broken pages near its end. */
export async function writeRottenRows(folder: string): Promise<void> {
  await cp(join(folder, 'rows'), join(folder, 'rotten'), { recursive: true })
  const last = join(folder, 'rotten', `${ROW_FILES - 1}.parquet`)
  const { size } = await stat(last)
  await overwrite(last, Math.floor(size * 0.7), 2 * ROTTEN_BYTES)
}

/** `heavy`: the files of `rows`, and one more whose only row takes more memory than a test's executor has. */
export async function writeHeavyRows(folder: string): Promise<void> {
  await cp(join(folder, 'rows'), join(folder, 'heavy'), { recursive: true })
  await write(join(folder, 'heavy', `${ROW_FILES}.parquet`), `SELECT * REPLACE (repeat('x', ${HEAVY_BYTES}) AS word)
    FROM (SELECT ${row} FROM range(${ROWS}, ${ROWS + 1}) numbers(i))`, 'COMPRESSION zstd')
}

/** A catalog of these tables over one local bucket, as parts of a configuration. */
export function faultConfig(folder: string, tables: readonly string[] = ['rows', 'small']): Record<string, unknown> {
  return {
    buckets: { lake: { provider: 'local', path: folder } },
    catalogs: { shop: {
      type: 'bucket_tables', bucket: 'lake', file_format: 'parquet',
      tables: Object.fromEntries(tables.map(name => [name, `${name}/*.parquet`])),
    } },
    default_catalog: 'shop',
  }
}

async function writeTable(folder: string, files: number, rows: number, columns: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (let i = 0; i < files; i++) {
    const [from, to] = [rows * i / files, rows * (i + 1) / files]
    await write(join(folder, `${i}.parquet`), `SELECT ${columns} FROM range(${from}, ${to}) numbers(i)`)
  }
}

async function write(path: string, sql: string, options = 'FORMAT parquet'): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run(`COPY (${sql}) TO '${path}' (${options})`)
  connection.closeSync()
  instance.closeSync()
}

async function overwrite(path: string, from: number, length: number): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(Buffer.alloc(length, 0x5a), 0, Math.floor(length), from)
  await file.close()
}
