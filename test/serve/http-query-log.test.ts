/** GET and DELETE /query/{id}. */

import { Int32, Table, vectorFromArray } from 'apache-arrow'
import t from 'tap'
import type { Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import { FakeQueries, framesOf } from './fake-queries.ts'
import { ask, open, send } from './http-client.ts'
import { startHttp } from './http-server.ts'

const columns = [{ name: 'id', type: 'INTEGER' }]
const oneRow = { columns, frames: () => framesOf(new Table({ id: vectorFromArray([1], new Int32()) })) }
const ids = { session_id: 'a0000000-0000-4000-8000-000000000001', query_id: 'b0000000-0000-4000-8000-000000000002' }
const path = `/query/${ids.query_id}`

/** At a known time of the calendar. */
const clock: Clock = { nowMs: () => 2000, wallMs: () => Date.UTC(2026, 0, 2, 3, 4, 6), after: () => () => undefined }

t.test('the log tells what a query did', async t => {
  const { port } = await startHttp(t, new FakeQueries(() => oneRow), clock)
  await ask(port, { statement: 'select 1', ...ids, visible: false, requested_by: 'ann' }, { 'user-agent': 'test/1' })
  const answer = await send(port, 'GET', path)
  t.equal(answer.status, 200)
  t.strictSame(JSON.parse(answer.body.toString()), {
    uuid: ids.query_id, session_id: ids.session_id, query: 'select 1', client_interface: 'HttpQuery', state: 'finished',
    start_time: '2026-01-02T03:04:06.000Z', end_time: '2026-01-02T03:04:06.500Z', duration_ms: 500,
    error: null, error_code: null, error_position: null, visible: false, requested_by: 'ann', user_agent: 'test/1',
    progress: { percentage: 100, rows_processed: 7, total_rows: null },
    stats: {
      query_id: ids.query_id, stages: 2, tasks: 3, executors: 1, whole_reason: null, bytes_fetched: 10,
      bytes_cached: 20, exchange_bytes: 30, plan_ms: 4, elapsed_ms: 500, result_cache: 'off',
    },
    task_reports: [{
      stage: 0, partition: 1, attempt: 0, executor: 'e1', state: 'succeeded', files: ['a.parquet'], rows: 7,
      outputBytes: 1, bytesFetched: 2, bytesCached: 3, exchangeBytes: 4, runMs: 5, progress: 1, peakBytes: 0,
      spilled: false, cpuMs: 0, queuedMs: 0,
    }],
  })
})

t.test('a failed query keeps its error', async t => {
  const fails = async () => { throw new QueryError('BIND_ERROR', 'Binder Error: no', { position: 3 }) }
  const { port } = await startHttp(t, new FakeQueries(fails))
  await ask(port, { statement: 'x', ...ids })
  t.match(JSON.parse((await send(port, 'GET', path)).body.toString()), {
    state: 'failed', error: 'Binder Error: no', error_code: 'BIND_ERROR', error_position: 3,
  })
})

t.test('secrets are not shown, whoever asks', async t => {
  const fails = async () => { throw new QueryError('PERMISSION_DENIED', `no: SECRET 'hush'`) }
  const { port } = await startHttp(t, new FakeQueries(fails))
  await ask(port, { statement: `CREATE SECRET s (TYPE s3, SECRET 'hush')`, ...ids })
  const answer = (await send(port, 'GET', path)).body.toString()
  t.match(JSON.parse(answer), { query: `CREATE SECRET s (TYPE s3, SECRET '***')`, error: '***' })
  t.notMatch(answer, /hush/)
})

t.test('an unknown query is not found', async t => {
  const { port } = await startHttp(t, new FakeQueries(() => oneRow))
  t.equal((await send(port, 'GET', path)).status, 404)
  t.equal((await send(port, 'DELETE', `${path}?session_id=${ids.session_id}`)).status, 404)
})

t.test('a query is cancelled by who knows its session', async t => {
  const queries = new FakeQueries(() => new Promise(() => undefined))
  const { port } = await startHttp(t, queries)
  const { response } = open(port, 'POST', '/query', { body: JSON.stringify({ statement: 'x', ...ids }) })
  const answer = await response // its line of metadata is there: the ids are real
  const remove = async (query: string) => {
    const { status, body } = await send(port, 'DELETE', path + query)
    return { status, ...JSON.parse(body.toString()) as object }
  }
  t.match(await remove(''), { status: 400 })
  const other = await remove('?session_id=other')
  t.strictSame(other, { status: 200, cancelled: false, message: 'Session ID does not match' })
  t.match(await remove(`?session_id=${ids.session_id}`), { status: 200, cancelled: true })
  let text = ''
  for await (const piece of answer) text += String(piece)
  t.match(text.split('\n')[1], /"code":"CANCELLED"/)
  t.match(await remove(`?session_id=${ids.session_id}`), { status: 200, cancelled: false })
})
