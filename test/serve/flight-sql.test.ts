/** Statements over Flight SQL: once, with their errors, until their client goes. */

import { Int32, Table, vectorFromArray, Utf8 } from 'apache-arrow'
import t from 'tap'
import { DutyKeeper } from '../../cluster/duty.ts'
import { arrowSchemaMessage } from '../../proto/arrow-schema.ts'
import { systemClock, type Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import { encode } from '../../proto/flight-any.ts'
import type { KnownUsers } from '../../coordinator/serve/logins.ts'
import { BasicAuthSchema, type FlightData } from '../../proto/gen/flight_pb.js'
import {
  ActionClosePreparedStatementRequestSchema, ActionCreatePreparedStatementRequestSchema,
  ActionCreatePreparedStatementResultSchema, CommandPreparedStatementQuerySchema, CommandStatementIngestSchema,
  CommandStatementQuerySchema, TicketStatementQuerySchema,
} from '../../proto/gen/flight_sql_pb.js'
import { FakeQueries, framesOf, type Script } from './fake-queries.ts'
import { FlightClient, packed, rowsOf, startFlight, unpacked } from './flight-client.ts'

const columns = [{ name: 'id', type: 'INTEGER' }, { name: 'name', type: 'VARCHAR' }]
const table = new Table({ id: vectorFromArray([1, 2], new Int32()), name: vectorFromArray(['a', null], new Utf8()) })

/** Two rows, under the schema that executors make. */
async function* frames() {
  for await (const frame of framesOf(table)) {
    yield frame.dataBody.length > 0 ? frame : { ...frame, dataHeader: arrowSchemaMessage(columns) }
  }
}

const twoRows: Script = { columns, frames }
const statement = (query: string) => packed(CommandStatementQuerySchema, { query })

t.test('a statement is run by GetFlightInfo, once, and read by DoGet', async t => {
  const queries = new FakeQueries(() => twoRows)
  const client = new FlightClient(t, await startFlight(t, { queries }))
  t.strictSame(rowsOf(await client.read(statement('select 1'))), [{ id: 1, name: 'a' }, { id: 2, name: null }])
  t.equal(queries.submitted.length, 1)
  const request = { sql: 'select 1', defaultCatalog: 'lake', clientInterface: 'ArrowFlightSQL' }
  t.match(queries.last, { reads: 1, released: false, request })
})

t.test('a ticket is good until it expires, for its user alone; the statement runs once', async t => {
  const queries = new FakeQueries(() => twoRows)
  const port = await startFlight(t, { queries })
  const client = new FlightClient(t, port)
  const info = await client.getFlightInfo(statement('select 1'))
  const ticket = info.endpoint[0]?.ticket?.ticket ?? new Uint8Array(0)
  const read = async (by: FlightClient, shown: Uint8Array) => { for await (const _ of by.doGet(shown)) continue }
  await read(client, ticket)
  await read(client, ticket)
  t.strictSame(queries.submitted.map(({ reads }) => reads), [2])
  t.ok(Number(info.endpoint[0]?.expirationTime?.seconds) > systemClock.wallMs() / 1000 + 200)
  const forged = packed(TicketStatementQuerySchema, { statementHandle: Buffer.from('aWQ.99999999999999.AAAA') })
  await t.rejects(read(client, forged), { code: 5 })
  const other = new FlightClient(t, port)
  await other.handshake(`Basic ${Buffer.from('ann:secret').toString('base64')}`)
  await t.rejects(read(other, ticket), { code: 7 })
})

t.test('a coordinator that drains starts nothing, and is drained once its results have been read', async t => {
  const duty = new DutyKeeper('coordinator')
  const client = new FlightClient(t, await startFlight(t, { queries: new FakeQueries(() => twoRows), duty }))
  await client.read(statement('was read'))
  const info = await client.getFlightInfo(statement('to be read'))
  duty.drain()
  t.equal(duty.duty, 'draining')
  await t.rejects(client.getFlightInfo(statement('too late')), { code: 14, details: 'the coordinator is draining' })
  const messages = client.doGet(info.endpoint[0]?.ticket?.ticket ?? new Uint8Array(0)) as AsyncIterable<FlightData>
  for await (const _ of messages) continue
  await duty.whenDrained()
  duty.undrain()
  await client.read(statement('again'))
})

t.test('a handshake gives a token, which names the session and its user', async t => {
  const queries = new FakeQueries(() => twoRows)
  const port = await startFlight(t, { queries })
  const client = new FlightClient(t, port)
  const { header, payload } = await client.handshake(`Basic ${Buffer.from('ann:secret').toString('base64')}`)
  t.equal(header, `Bearer ${payload}`)
  await client.read(statement('x'))
  t.equal(queries.last.request.principal, 'ann')
  const session = queries.last.request.sessionId
  await client.read(statement('x'))
  t.equal(queries.last.request.sessionId, session)
  client.metadata.set('authorization', 'Bearer made.up.token')
  await t.rejects(client.read(statement('x')), { code: 16 })
  const nobody = new FlightClient(t, port)
  await nobody.read(statement('x'))
  t.equal(queries.last.request.principal, 'anonymous')
})

t.test('a handshake\'s message may hold name and password, and its token comes as bytes with every call', async t => {
  const users: KnownUsers = {
    logIn: async (name, password) => {
      if (password !== `${name}'s`) throw new QueryError('UNAUTHENTICATED', 'wrong user name or password')
      return { name, revision: '1' }
    },
    find: () => undefined, isCurrent: () => true,
  }
  const queries = new FakeQueries(() => twoRows)
  const client = new FlightClient(t, await startFlight(t, { queries, users }))
  const said = (username: string, password: string) => encode(BasicAuthSchema, { username, password })
  const { payload } = await client.handshake(undefined, said('ann', 'ann\'s'))
  client.metadata.remove('authorization')
  await t.rejects(client.read(statement('x')), { code: 16 })
  client.metadata.set('auth-token-bin', Buffer.from(payload))
  await client.read(statement('x'))
  t.equal(queries.last.request.principal, 'ann')
  client.metadata.set('auth-token-bin', Buffer.from('made.up.token'))
  await t.rejects(client.read(statement('x')), { code: 16 })
  await t.rejects(client.handshake(undefined, said('ann', 'bob\'s')), { code: 16 })
  await t.rejects(client.handshake(undefined, Buffer.from('no message')), { code: 3 })
  await t.rejects(client.handshake(), { code: 16 })
})

t.test('errors come with the status of their code, and DuckDB\'s text first', async t => {
  const late: Script = {
    columns,
    async *frames() {
      yield* frames()
      throw new QueryError('EXECUTION_ERROR', 'Conversion Error: in the last row')
    },
  }
  const queries = new FakeQueries(async ({ sql }) => {
    if (sql === 'late') return late
    throw new QueryError('BIND_ERROR', 'Binder Error: no column x')
  })
  const client = new FlightClient(t, await startFlight(t, { queries }))
  await t.rejects(client.read(statement('early')), { code: 3, details: 'Binder Error: no column x' })
  await t.rejects(client.read(statement('late')), { code: 3, details: 'Conversion Error: in the last row' })
  await t.rejects(client.read(packed(CommandStatementIngestSchema, { table: 'x' })), { code: 12 })
  await t.rejects(client.read(Buffer.from('nonsense')), { code: 3 })
  t.ok(queries.submitted.every(query => query.released || query.request.sql === 'late'))
})

t.test('a client that resets its stream cancels the statement', async t => {
  const endless: Script = {
    columns,
    async *frames() {
      yield* frames()
      await new Promise(() => undefined)
    },
  }
  const queries = new FakeQueries(() => endless)
  const client = new FlightClient(t, await startFlight(t, { queries }))
  const info = await client.getFlightInfo(statement('x'))
  const call = client.doGet(info.endpoint[0]?.ticket?.ticket ?? new Uint8Array(0))
  for await (const message of call as AsyncIterable<FlightData>) if (message.dataBody.length > 0) break
  call.cancel()
  while (!queries.last.released) await new Promise(resolve => { setImmediate(resolve) })
  t.equal(queries.last.cancelled, 'the client went away')
})

t.test('a result is dropped when its ticket expires', async t => {
  const timers: { delayMs: number; callback: () => void }[] = []
  let wallMs = 1_000_000
  const clock: Clock = {
    nowMs: () => 0, wallMs: () => wallMs,
    after: (delayMs, callback) => {
      timers.push({ delayMs, callback })
      return () => undefined
    },
  }
  const queries = new FakeQueries(() => twoRows)
  const client = new FlightClient(t, await startFlight(t, { queries, clock }))
  const info = await client.getFlightInfo(statement('x'))
  const [unread] = timers.filter(({ delayMs }) => delayMs === 300_000)
  t.notOk(queries.last.released)
  wallMs += 300_000
  unread?.callback()
  t.ok(queries.last.released)
  const late = client.doGet(info.endpoint[0]?.ticket?.ticket ?? new Uint8Array(0))
  await t.rejects((async () => { for await (const _ of late) continue })(), { code: 5 })
})

t.test('a prepared statement runs with every GetFlightInfo, until it is closed', async t => {
  const queries = new FakeQueries(() => twoRows)
  const client = new FlightClient(t, await startFlight(t, { queries }))
  const request = packed(ActionCreatePreparedStatementRequestSchema, { query: 'select 1' })
  const [body] = await client.act('CreatePreparedStatement', request)
  const prepared = unpacked(ActionCreatePreparedStatementResultSchema, body ?? new Uint8Array(0))
  t.equal(prepared.isUpdate, false)
  const { schema } = await client.getSchema(statement('select 1'))
  t.strictSame(prepared.datasetSchema, schema)
  t.strictSame(queries.submitted.map(({ request }) => request.sql), ['describe select 1', 'describe select 1'])
  const { preparedStatementHandle } = prepared
  const command = packed(CommandPreparedStatementQuerySchema, { preparedStatementHandle })
  for (let i = 0; i < 2; i++) t.equal((await client.read(command)).numRows, 2)
  t.strictSame(queries.submitted.map(query => query.reads), [0, 0, 1, 1])
  const close = packed(ActionClosePreparedStatementRequestSchema, { preparedStatementHandle })
  t.strictSame(await client.act('ClosePreparedStatement', close), [])
  await t.rejects(client.read(command), { code: 5 })
})
