/** A LIMIT without an order, and without a filter, reads the beginning of a remote table and nothing else of it. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
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
connection.closeSync()
instance.closeSync()
const server = await serveFolder(t, data)
const skein = await Skein.start({
  folder: join(root, 'own'), executors: 2, environment: { SKEIN_WHOLE_BYTES: '0' },
  config: {
    buckets: { lake: bucketConfig(server) },
    catalogs: {
      lake: { type: 'bucket_tables', bucket: 'lake', file_format: 'parquet', tables: { big: 'big/*.parquet' } },
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

t.test('behind a filter all of it may be needed', async t => {
  await bytesOf(t, `SELECT * FROM big WHERE id >= ${FILES * ROWS_PER_FILE - 2} LIMIT 10`, 2)
  await bytesOf(t, 'SELECT id FROM big WHERE id % 20000 = 19999 LIMIT 10', 4)
})
