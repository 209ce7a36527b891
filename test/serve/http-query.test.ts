/** POST /query: the grammar of its lines, its other formats, refusals, and clients that go away. */

import { Float64, Int32, Table, tableFromIPC, Utf8, vectorFromArray } from 'apache-arrow'
import t from 'tap'
import { QueryError } from '../../proto/errors.ts'
import { FakeQueries, framesOf, type Script } from './fake-queries.ts'
import { rowsOf } from './flight-client.ts'
import { ask, linesOf, open, send } from './http-client.ts'
import { startHttp } from './http-server.ts'

const columns = [{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'VARCHAR' }]
const twoRows = new Table({
  id: vectorFromArray([1, 2], new Int32()), name: vectorFromArray(['a,"b"', null], new Utf8()),
})
const twoRowScript: Script = { columns, frames: () => framesOf(twoRows) }

/** Rows, and then an error in the place of the end. */
function failingLate(): Script {
  return {
    columns,
    async *frames() {
      yield* framesOf(twoRows)
      throw new QueryError('EXECUTION_ERROR', 'Conversion Error: bad', { position: 17 })
    },
  }
}

t.test('a result is a line of metadata, a line of columns, and a line a row', async t => {
  const queries = new FakeQueries(() => twoRowScript)
  const { port } = await startHttp(t, queries)
  const answer = await ask(port, { statement: 'select 1', something_new: true, compute_size: 'AUTO' })
  t.equal(answer.status, 200)
  t.equal(answer.headers['content-type'], 'application/x-ndjson')
  t.ok(answer.headers['x-request-id'])
  const [metadata, ...rest] = linesOf(answer)
  t.match(metadata, {
    statement: 'select 1', rows_limit: null, rows_offset: null, connections_errors: {}, worker_slug: 'c1',
    session_id: queries.last.request.sessionId, query_id: queries.last.id,
  })
  t.strictSame(rest, [columns, [1, 'a,"b"'], [2, null]])
  t.ok(queries.last.released, 'what executors hold is freed')
})

t.test('an empty result has its line of columns', async t => {
  const none = new Table({ id: vectorFromArray([], new Int32()), name: vectorFromArray([], new Utf8()) })
  const { port } = await startHttp(t, new FakeQueries(() => ({ columns, frames: () => framesOf(none) })))
  t.strictSame(linesOf(await ask(port, { statement: 'x' })).slice(1), [columns])
})

t.test('the old npm client gets its columns as strings', async t => {
  const { port } = await startHttp(t, new FakeQueries(() => twoRowScript))
  const lines = linesOf(await ask(port, { statement: 'x' }, { 'user-agent': 'altertable-lakehouse-js/0.2.2' }))
  t.strictSame(lines[1], ['id', 'name'])
})

t.test('an error of planning is the second line', async t => {
  const fails = async () => { throw new QueryError('BIND_ERROR', 'Binder Error: no column x', { position: 7 }) }
  const { port } = await startHttp(t, new FakeQueries(fails))
  const answer = await ask(port, { statement: 'select x' })
  t.equal(answer.status, 200)
  t.strictSame(linesOf(answer).slice(1), [{ error: 'Binder Error: no column x', code: 'BIND_ERROR', position: 7 }])
})

t.test('an error after rows is the last line', async t => {
  const { port } = await startHttp(t, new FakeQueries(failingLate))
  const lines = linesOf(await ask(port, { statement: 'x' }))
  t.equal(lines.length, 5)
  t.strictSame(lines[4], { error: 'Conversion Error: bad', code: 'EXECUTION_ERROR', position: 17 })
})

t.test('a statement that is not accepted is a status', async t => {
  const queries = new FakeQueries(() => twoRowScript)
  queries.refusal = new QueryError('QUERY_QUEUE_FULL', 'queue is full')
  const { port } = await startHttp(t, queries)
  const answer = await ask(port, { statement: 'x' })
  t.equal(answer.status, 429)
  t.equal(answer.headers['retry-after'], '1')
  t.strictSame(JSON.parse(answer.body.toString()), { error: { code: 'QUERY_QUEUE_FULL', message: 'queue is full' } })
})

t.test('csv, jsonl and arrow carry the same rows', async t => {
  const { port } = await startHttp(t, new FakeQueries(() => twoRowScript))
  const csv = await ask(port, { statement: 'x', format: 'csv' })
  t.match(csv.headers['content-type'], /^text\/csv/)
  t.equal(csv.body.toString(), 'id,name\n1,"a,""b"""\n2,\n')
  const jsonl = await ask(port, { statement: 'x', format: 'jsonl' })
  t.strictSame(linesOf(jsonl), [{ id: 1, name: 'a,"b"' }, { id: 2, name: null }])
  const arrow = await ask(port, { statement: 'x', format: 'arrow' })
  t.strictSame(rowsOf(tableFromIPC(arrow.body)), [{ id: 1, name: 'a,"b"' }, { id: 2, name: null }])
})

t.test('without room for errors, an early one is a status and a late one breaks the connection', async t => {
  const early = { columns, frames: () => failing() }
  async function* failing(): ReturnType<Script['frames'] & (() => AsyncGenerator<never>)> {
    throw new QueryError('EXECUTION_ERROR', 'Conversion Error: bad')
  }
  const { port } = await startHttp(t, new FakeQueries(({ sql }) => sql === 'early' ? early : failingLate()))
  for (const format of ['csv', 'jsonl', 'arrow']) {
    const answer = await ask(port, { statement: 'early', format })
    t.equal(answer.status, 400, format)
    const error = { code: 'EXECUTION_ERROR', message: 'Conversion Error: bad' }
    t.match(JSON.parse(answer.body.toString()), { error })
    const late = await ask(port, { statement: 'late', format })
    t.equal(late.status, 200)
    t.ok(late.broken, `${format} is cut off`)
  }
})

t.test('a body that asks for nothing sensible is refused', async t => {
  const { port } = await startHttp(t, new FakeQueries(() => twoRowScript))
  const refused = async (body: string) => {
    const answer = await send(port, 'POST', '/query', { body })
    return [answer.status, answer.body.toString()]
  }
  t.strictSame(await refused('{"statement":"x","format":"parquet"}'), [400, 'Unsupported query format: parquet'])
  const message = async (fields: object) => {
    const { body } = await ask(port, fields)
    return (JSON.parse(body.toString()) as { error: object }).error
  }
  t.match((await refused('{')).join(' '), /^400 .*not JSON/)
  t.match((await refused('[]')).join(' '), /^400 .*JSON object/)
  t.strictSame(await message({}), { code: 'INVALID_REQUEST', message: 'statement is missing' })
  t.match(await message({ statement: 'x', limit: -1 }), { message: 'limit must be a whole number, 0 or more' })
  t.match(await message({ statement: 'x', query_id: 'mine' }), { message: "query_id must be a UUID, not 'mine'" })
  t.match(await message({ statement: 'x', timezone: 'Mars/Base' }), { message: 'unknown time zone Mars/Base' })
  t.match(await message({ statement: 'x', dialect: 'oracle' }), { code: 'INVALID_REQUEST' })
  t.equal((await send(port, 'PUT', '/query')).status, 405)
  t.equal((await send(port, 'GET', '/nothing')).status, 404)
  t.equal((await send(port, 'GET', '/healthz')).status, 200)
  // the answer comes before all is sent: a client that writes on may see its connection break instead
  const large = send(port, 'POST', '/query', { body: ' '.repeat(17 * 1024 * 1024) })
  t.equal((await large.catch(() => ({ status: 413 }))).status, 413)
})

t.test('a request says where names are looked up, and when a day begins', async t => {
  const queries = new FakeQueries(() => twoRowScript)
  const { port } = await startHttp(t, queries)
  const ids = { session_id: 'a0000000-0000-4000-8000-000000000001', query_id: 'b0000000-0000-4000-8000-000000000002' }
  await ask(port, { statement: 'x', catalog: 'other', schema: 's', timezone: 'Asia/Tokyo', ...ids })
  t.match(queries.last.request, {
    sql: 'x', defaultCatalog: 'other', defaultSchema: 's', settings: { TimeZone: 'Asia/Tokyo' },
    clientInterface: 'HttpQuery', sessionId: ids.session_id, queryId: ids.query_id,
  })
  t.equal((await ask(port, { statement: 'x', ...ids })).status, 409, 'the same id again does not run again')
  await ask(port, { statement: 'x' })
  t.match(queries.last.request, { defaultCatalog: 'lake', defaultSchema: 'main', settings: {} })
})

t.test('limit and offset wrap what gives rows, and error positions stay those of the text', async t => {
  const queries = new FakeQueries(async ({ sql }) => {
    throw new QueryError('BIND_ERROR', 'no', { position: sql.indexOf('y') })
  })
  const { port } = await startHttp(t, queries)
  const lines = linesOf(await ask(port, { statement: ' -- rows\nselect y; ', limit: 5, offset: 2 }))
  t.equal(queries.last.request.sql, 'SELECT * FROM (select y\n) LIMIT 5 OFFSET 2')
  t.match(lines, [{ rows_limit: 5, rows_offset: 2 }, { position: 16 }])
  const count = queries.submitted.length
  t.match(linesOf(await ask(port, { statement: 'set x = y', limit: 5 })).slice(1), [[{ name: 'Success' }]])
  t.equal(queries.submitted.length, count, 'what gives no rows is left as it is')
})

t.test('a client that goes away cancels its query', async t => {
  const endless: Script = {
    columns: [{ name: 'x', type: 'DOUBLE' }],
    async *frames() {
      const table = new Table({ x: vectorFromArray(Array.from({ length: 1000 }, () => 0.1), new Float64()) })
      for await (const frame of framesOf(table)) {
        yield frame
        while (frame.dataBody.length > 0) yield frame
      }
    },
  }
  const queries = new FakeQueries(() => endless)
  const { port } = await startHttp(t, queries)
  const { request, response } = open(port, 'POST', '/query', { body: '{"statement":"x"}' })
  for await (const piece of await response) if (String(piece).includes('0.1')) break
  request.destroy()
  while (!queries.last.released) await new Promise(resolve => { setImmediate(resolve) })
  t.equal(queries.last.cancelled, 'the client went away')
})
