/** Half of all rows have one key: a join of them by hash is divided over tasks, and answers as plain DuckDB does. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DuckDBInstance } from '../duckdb.ts'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { Skein } from './skein.ts'

const ROWS = 12_000
const EXECUTORS = 3
const root = mkdtempSync(join(tmpdir(), 'skein-skew-'))
const data = join(root, 'data')
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
for (const folder of ['facts', 'kinds']) mkdirSync(join(data, folder), { recursive: true })
for (let part = 0; part < 6; part++) {
  await connection.run(`COPY (SELECT i AS id, CASE WHEN i % 2 = 0 THEN 7 WHEN i % 11 = 3 THEN NULL ELSE i % 997 END AS k
    FROM range(${part * ROWS / 6}, ${(part + 1) * ROWS / 6}) t(i))
    TO '${join(data, `facts/${part}.parquet`)}' (FORMAT parquet)`)
}
for (let part = 0; part < 2; part++) {
  await connection.run(`COPY (SELECT i AS k, 'kind ' || i AS name FROM range(${part * 450}, ${part * 450 + 450}) t(i))
    TO '${join(data, `kinds/${part}.parquet`)}' (FORMAT parquet)`)
}
instance.closeSync()
const tables = { facts: 'facts/*.parquet', kinds: 'kinds/*.parquet' }
const oracle = await Oracle.open(data, Object.entries(tables).map(([name, glob]) =>
  ({ catalog: 'lake', name, glob, reader: 'read_parquet' })), 'lake')
const config = {
  buckets: { lake: { provider: 'local', path: data } },
  catalogs: { lake: { type: 'bucket_tables', bucket: 'lake', tables } }, node: { memory: '2GB', threads: EXECUTORS },
}
const environment = { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0', SKEIN_SKEW_ROWS: '200' }
const skein = await Skein.start({ folder: join(root, 'own'), executors: EXECUTORS, config, environment })
t.teardown(async () => {
  await skein.stop()
  oracle.close()
  rmSync(root, { recursive: true })
})

const questions = [
  'SELECT f.id, f.k, d.name FROM facts f JOIN kinds d ON f.k = d.k',
  'SELECT f.id, d.name FROM facts f LEFT JOIN kinds d ON f.k = d.k',
  'SELECT d.name, f.id FROM kinds d RIGHT JOIN facts f ON f.k = d.k AND d.k < 500',
  'SELECT f.id FROM facts f SEMI JOIN kinds d ON f.k = d.k',
  'SELECT f.id FROM facts f ANTI JOIN kinds d ON f.k = d.k',
  'SELECT count(*), sum(f.id), min(d.name) FROM facts f JOIN kinds d ON f.k = d.k',
  'SELECT d.name, count(*), max(f.id) FROM facts f JOIN kinds d ON f.k = d.k GROUP BY d.name',
]
/** What relies on rows of one key being in one task, or on the other side. */
const undivided = [
  'SELECT f.id, d.name FROM facts f FULL JOIN kinds d ON f.k = d.k',
  'SELECT d.name, f.id FROM kinds d LEFT JOIN facts f ON f.k = d.k',
  'SELECT f.k, count(*), count(DISTINCT d.name) FROM facts f JOIN kinds d ON f.k = d.k GROUP BY f.k',
  'SELECT f.id, row_number() OVER (PARTITION BY f.k ORDER BY f.id) FROM facts f JOIN kinds d ON f.k = d.k',
]

t.test('a key of half of all rows is joined as DuckDB joins it', async t => {
  for (const sql of [...questions, ...undivided]) {
    const outcome = await skein.query(sql)
    const wrong = outcome.kind === 'error' ? outcome.message
      : difference(await oracle.run(sql), outcome.answer, false)
    t.equal(wrong, undefined, sql)
  }
})

t.test('no task has as many rows as the key', async t => {
  const queryId = '00000000-0000-4000-8000-000000000001'
  const response = await skein.request('POST', '/query', { statement: questions[0], query_id: queryId, cache: false })
  for await (const piece of response) void piece
  const { task_reports: reports } = await skein.report(queryId)
  const last = Math.max(...reports.map(({ stage }) => stage))
  const rows = reports.filter(({ stage }) => stage === last).map(one => one.rows)
  t.equal(rows.length, EXECUTORS)
  t.ok(Math.max(...rows) < 1.3 * ROWS / EXECUTORS, `${rows.join(' ')} rows of ${ROWS}, of which half have one key`)
})
