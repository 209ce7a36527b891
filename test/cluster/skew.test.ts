/** Half of all rows have one key: a join of them by hash is divided over tasks, and answers as plain DuckDB does. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DuckDBInstance } from '@duckdb/node-api'
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
t.teardown(() => {
  oracle.close()
  rmSync(root, { recursive: true })
})

async function start(name: string, skewRows: string): Promise<Skein> {
  const config = {
    buckets: { lake: { provider: 'local', path: data } },
    catalogs: { lake: { type: 'bucket_tables', bucket: 'lake', tables } }, node: { memory: '2GB', threads: EXECUTORS },
  }
  const environment = { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0', SKEIN_SKEW_ROWS: skewRows }
  return Skein.start({ folder: join(root, name), executors: EXECUTORS, config, environment })
}

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

t.test('a key of half of all rows', async t => {
  const [divided, whole] = [await start('divided', '200'), await start('whole', '1000000000')]
  t.teardown(async () => {
    await divided.stop()
    await whole.stop()
  })
  for (const sql of [...questions, ...undivided]) {
    const outcome = await divided.query(sql)
    const wrong = outcome.kind === 'error' ? outcome.message
      : difference(await oracle.run(sql), outcome.answer, false)
    t.equal(wrong, undefined, sql)
  }
  const largestOf = async (skein: Skein): Promise<number> => {
    const queryId = '00000000-0000-4000-8000-000000000001'
    const statement = `${questions[0]} -- measured`
    const response = await skein.request('POST', '/query', { statement, query_id: queryId, cache: false })
    for await (const piece of response) void piece
    const { task_reports: reports } = await skein.report(queryId)
    const last = Math.max(...reports.map(({ stage }) => stage))
    const rows = reports.filter(({ stage }) => stage === last).map(one => one.rows)
    t.equal(rows.length, EXECUTORS)
    return Math.max(...rows)
  }
  const [before, after] = [await largestOf(whole), await largestOf(divided)]
  t.ok(before > 0.55 * ROWS, `one task has ${before} of ${ROWS} rows`)
  t.ok(after < 1.3 * ROWS / EXECUTORS, `no task has more than ${after}, before ${before}`)
})
