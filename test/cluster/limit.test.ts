/**
 * A LIMIT without an order reads the beginning of a remote table and nothing else of it: without a filter as much as
 * has so many rows, with one as much as it takes.
 */

import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DuckDBInstance } from '../duckdb.ts'
import { bucketConfig, serveFolder } from '../s3/folder.ts'
import { Skein } from './skein.ts'

const FILES = 8
const ROWS_PER_FILE = 10_000
const root = mkdtempSync(join(tmpdir(), 'skein-limit-'))
const data = join(root, 'data')
mkdirSync(join(data, 'big'), { recursive: true })
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
for (let i = 0; i < FILES; i++) {
  const [from, to] = [i * ROWS_PER_FILE, (i + 1) * ROWS_PER_FILE]
  await connection.run(`COPY (SELECT i AS id, hash(i) AS h FROM range(${from}, ${to}) t(i))
    TO '${join(data, `big/${i}.parquet`)}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`)
}
/** Too much to be read in one step. */
const LARGE_FILES = 4
const LARGE_FILE_ROWS = 600_000
mkdirSync(join(data, 'large'))
for (let i = 0; i < LARGE_FILES; i++) {
  const [from, to] = [i * LARGE_FILE_ROWS, (i + 1) * LARGE_FILE_ROWS]
  await connection.run(`COPY (SELECT i AS id, hash(i) AS h FROM range(${from}, ${to}) t(i))
    TO '${join(data, `large/${i}.parquet`)}' (FORMAT parquet)`)
}
/** Nobody knows how many rows a text file has. */
const TEXT_FILES = 8
mkdirSync(join(data, 'texts'))
for (let i = 0; i < TEXT_FILES; i++) {
  await connection.run(`COPY (SELECT i AS id, hash(i) AS h FROM range(${i * 100_000}, ${(i + 1) * 100_000}) t(i))
    TO '${join(data, `texts/${i}.csv`)}' (FORMAT csv)`)
}
const textBytes = Array.from({ length: TEXT_FILES }, (_, i) => statSync(join(data, `texts/${i}.csv`)).size)
connection.closeSync()
instance.closeSync()
const server = await serveFolder(t, data)
const skein = await Skein.start({
  folder: join(root, 'own'), executors: 2, environment: { SKEIN_WHOLE_BYTES: '0' },
  config: {
    buckets: { lake: bucketConfig(server) },
    catalogs: {
      lake: {
        type: 'bucket_tables', bucket: 'lake', file_format: 'parquet',
        tables: { big: 'big/*.parquet', large: 'large/*.parquet' },
      },
      csvs: { type: 'bucket_tables', bucket: 'lake', file_format: 'csv', tables: { texts: 'texts/*.csv' } },
    },
    default_catalog: 'lake',
  },
})
t.teardown(async () => {
  await skein.stop()
  rmSync(root, { recursive: true })
})

/** Of a file: ids and hashes of 8 bytes each, of which ids are packed. Small gaps between chunks are fetched along. */
const FILE_BYTES = ROWS_PER_FILE * 16

async function rowsOf(sql: string): Promise<readonly (readonly unknown[])[]> {
  const outcome = await skein.query(sql)
  if (outcome.kind === 'error') throw new Error(outcome.message)
  return outcome.answer.rows
}

async function bytesOf(t: Test, sql: string, rows: number): Promise<number> {
  const outcome = await skein.query(sql)
  if (outcome.kind === 'error') throw new Error(outcome.message)
  t.equal(outcome.answer.rows.length, rows, sql)
  t.equal(new Set(outcome.answer.rows.map(row => row[0])).size, rows, 'no row twice')
  return Number(outcome.stats['bytes_fetched']) + Number(outcome.stats['bytes_cached'])
}

t.test('of eight files one is enough for ten rows', async t => {
  t.ok(await bytesOf(t, 'SELECT * FROM big LIMIT 10', 10) <= FILE_BYTES)
  t.ok(await bytesOf(t, 'SELECT id + 1 AS n, h FROM (SELECT * FROM big LIMIT 20) LIMIT 10 OFFSET 5', 10) <= FILE_BYTES)
  t.ok(await bytesOf(t, 'SELECT a.id FROM (FROM big LIMIT 3) a, (SELECT 1 FROM big LIMIT 1) b', 3) <= 2 * FILE_BYTES)
  const union = 'SELECT id, h FROM big UNION ALL SELECT -1 - id, h FROM big LIMIT 10'
  t.ok(await bytesOf(t, union, 10) <= 2 * FILE_BYTES)
})

t.test('as many files as its rows and those that it skips take', async t => {
  t.ok(await bytesOf(t, `SELECT * FROM big LIMIT 5 OFFSET ${ROWS_PER_FILE}`, 5) <= 2 * FILE_BYTES)
  const all = await bytesOf(t, `SELECT * FROM big LIMIT ${FILES * ROWS_PER_FILE + 1}`, FILES * ROWS_PER_FILE)
  t.ok(all > FILES * FILE_BYTES / 2, 'and of all rows all of them')
  await bytesOf(t, `SELECT * FROM big OFFSET ${(FILES - 1) * ROWS_PER_FILE + 1}`, ROWS_PER_FILE - 1)
})

/** Of the hashes alone; ids are packed. */
const LARGE_BYTES = LARGE_FILES * LARGE_FILE_ROWS * 8
/** Each of two executors reads one, and what lies between chunks or is left of the last row group. */
const FIRST_STEPS_BYTES = 2 * 6 * 1024 * 1024

t.test('behind a filter it reads on only while rows are lacking', async t => {
  const first = await bytesOf(t, 'SELECT id, h FROM large WHERE h % 1000 = 7 LIMIT 10', 10)
  t.ok(first <= FIRST_STEPS_BYTES, `${first} bytes of ${LARGE_BYTES}`)
  const [row] = await rowsOf(`SELECT h FROM large WHERE id = ${LARGE_FILES * LARGE_FILE_ROWS - 5}`)
  const all = await bytesOf(t, `SELECT id FROM large WHERE h = ${String(row?.[0])} LIMIT 2`, 1)
  t.ok(all > LARGE_BYTES * 0.9, `${all} bytes for one that is near the end, where two are asked for`)
  await bytesOf(t, 'SELECT id FROM large WHERE h % 100000 = 99999 AND id < 0 LIMIT 10', 0)
  const most = LARGE_FILES * LARGE_FILE_ROWS
  const third = await rowsOf(`SELECT id FROM large WHERE id % 3 = 0 LIMIT ${most}`)
  t.equal(third.length, most / 3, 'fewer than asked for')
})

t.test('of text files some are enough', async t => {
  const all = textBytes.reduce((sum, bytes) => sum + bytes, 0)
  const some = await bytesOf(t, 'SELECT * FROM csvs.main.texts LIMIT 10', 10)
  t.ok(some > 0 && some <= all * 0.6, `${some} bytes of ${all}`)
  const count = TEXT_FILES * 100_000
  t.equal((await rowsOf(`SELECT id FROM csvs.main.texts LIMIT 5 OFFSET ${count - 3}`)).length, 3)
})

t.test('a filter that is volatile sees each row once', async t => {
  const rows = await rowsOf('SELECT id FROM large WHERE random() < 0.5 LIMIT 10')
  t.equal(rows.length, 10)
})

t.test('behind a filter all of it may be needed', async t => {
  await bytesOf(t, `SELECT * FROM big WHERE id >= ${FILES * ROWS_PER_FILE - 2} LIMIT 10`, 2)
  await bytesOf(t, 'SELECT id FROM big WHERE id % 20000 = 19999 LIMIT 10', 4)
})
