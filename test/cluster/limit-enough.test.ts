/** A LIMIT without an order waits for no task whose rows it would leave out. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DuckDBInstance } from '../duckdb.ts'
import { bucketConfig, serveFolder } from '../s3/folder.ts'
import { Skein } from './skein.ts'
import { until } from './watch.ts'

const root = mkdtempSync(join(tmpdir(), 'skein-limit-enough-'))
const data = join(root, 'data')
mkdirSync(join(data, 'events'), { recursive: true })
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
/** As large as each other, so that each executor has one; no bounds tell which has the rows of kind 1. */
for (const [name, kind] of [['a', 1], ['b', 0]] as const) {
  await connection.run(`COPY (SELECT i, CASE WHEN i % 100 = 7 THEN ${kind} ELSE i % 2 * 2 END AS kind
    FROM range(100000) t(i)) TO '${join(data, 'events', `${name}.parquet`)}'`)
}
connection.closeSync()
instance.closeSync()
const server = await serveFolder(t, data)
const skein = await Skein.start({
  folder: join(root, 'own'), executors: 2, environment: { SKEIN_WHOLE_BYTES: '0' },
  config: {
    buckets: { lake: bucketConfig(server) },
    catalogs: {
      lake: { type: 'bucket_tables', bucket: 'lake', file_format: 'parquet', tables: { events: 'events/*.parquet' } },
    },
    default_catalog: 'lake',
  },
})
t.teardown(async () => {
  await skein.stop()
  rmSync(root, { recursive: true })
})

t.test('the rows of one task are enough, though the other never gets its file', async t => {
  const plan = await skein.query('EXPLAIN SELECT i FROM events WHERE kind = 1 LIMIT 20')
  const said = /gather: the first 20 that any of the tasks find[^]* 2 tasks/
  t.match(plan, { answer: { rows: [['distributed_plan', said]] } })
  server.faults.rules.push({ kind: 'get', key: /b\.parquet$/, fault: 'silence', times: Infinity })
  const outcome = await skein.query('SELECT i FROM events WHERE kind = 1 LIMIT 15 OFFSET 5')
  if (outcome.kind === 'error') throw new Error(outcome.message)
  t.equal(outcome.answer.rows.length, 15)
  t.strictSame(outcome.answer.rows.filter(([i]) => Number(i) % 100 !== 7), [])
  const analyzed = await skein.query('EXPLAIN ANALYZE SELECT i FROM events WHERE kind = 1 LIMIT 20')
  t.match(analyzed, { answer: { rows: [['analyzed_plan', /1 task, 0 rows, .* 1 cancelled\n/]] } })
  const before = server.faults.struck
  const gaveUp = new AbortController()
  const all = skein.query('SELECT i FROM events WHERE kind = 1 LIMIT 2000', { signal: gaveUp.signal })
  const waits = t.rejects(all, 'where they are not, it waits for the other')
  await until('the file is asked for', 20_000, () => server.faults.struck > before)
  gaveUp.abort()
  await waits
})
