/** Values bound to prepared statements, and statements that are followed by polling. */

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { Int32, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import t, { type Test } from 'tap'
import { arrowSchemaMessage } from '../../proto/arrow-schema.ts'
import {
  CancelFlightInfoRequestSchema, CancelFlightInfoResultSchema, FlightEndpointSchema, RenewFlightEndpointRequestSchema,
} from '../../proto/gen/flight_pb.js'
import {
  ActionCreatePreparedStatementRequestSchema, ActionCreatePreparedStatementResultSchema,
  CommandPreparedStatementQuerySchema, CommandPreparedStatementUpdateSchema, CommandStatementQuerySchema,
  DoPutPreparedStatementResultSchema, DoPutUpdateResultSchema,
} from '../../proto/gen/flight_sql_pb.js'
import { messagesOf } from '../executor/ingest-workbench.ts'
import { FakeQueries, framesOf, type Script } from './fake-queries.ts'
import { FlightClient, packed, startFlight, unpacked } from './flight-client.ts'

const columns = [{ name: 'x', type: 'INTEGER' }]
const table = new Table({ x: vectorFromArray([1], new Int32()) })

async function* frames() {
  for await (const frame of framesOf(table)) {
    yield frame.dataBody.length > 0 ? frame : { ...frame, dataHeader: arrowSchemaMessage(columns) }
  }
}

const oneRow: Script = { columns, frames }

async function begin(t: Test, script: () => Script = () => oneRow) {
  const queries = new FakeQueries(script)
  const client = new FlightClient(t, await startFlight(t, { queries }))
  /** The texts that were run. */
  const texts = () => queries.submitted.map(({ request }) => request.sql).filter(sql => !sql.startsWith('describe '))
  return { queries, client, texts }
}

async function prepare(client: FlightClient, query: string) {
  const request = packed(ActionCreatePreparedStatementRequestSchema, { query })
  const [body] = await client.act('CreatePreparedStatement', request)
  const prepared = unpacked(ActionCreatePreparedStatementResultSchema, body ?? new Uint8Array(0))
  const { preparedStatementHandle } = prepared
  return { ...prepared, command: packed(CommandPreparedStatementQuerySchema, { preparedStatementHandle }) }
}

const numbers = (...values: number[]) =>
  messagesOf(tableToIPC(new Table({ a: vectorFromArray(values, new Int32()) }), 'stream'))

t.test('values that are bound stand in the text of the next execution, and of that alone', async t => {
  const { client, texts } = await begin(t)
  const { command, preparedStatementHandle } = await prepare(client, 'select ? + nope;')
  const [answer] = await client.put(command, await numbers(7))
  const { preparedStatementHandle: same } = fromBinary(DoPutPreparedStatementResultSchema, answer ?? new Uint8Array(0))
  t.strictSame(same, preparedStatementHandle)
  await client.read(command)
  t.strictSame(texts(), ['select (CAST(7 AS INTEGER)) + nope'])
  const info = await client.getFlightInfo(command)
  t.equal(texts().length, 1, 'without values it does not run')
  const read = async () => { for await (const _ of client.doGet(info.endpoint[0]?.ticket?.ticket ?? command)) continue }
  await t.rejects(read(), { code: 3, details: 'no value is given for the parameter $1' })
  await client.put(command, await numbers(8))
  await read()
  const last = texts().at(-1)
  t.equal(last, 'select (CAST(8 AS INTEGER)) + nope', 'values bound after GetFlightInfo are used by DoGet')
})

t.test('rows of values run as one statement', async t => {
  const { client, texts } = await begin(t)
  const { command } = await prepare(client, 'select $a -- end;')
  await client.put(command, await numbers(1, 2))
  await client.read(command)
  t.strictSame(texts(), [
    'SELECT * FROM (select (CAST(1 AS INTEGER)) -- end\n) UNION ALL '
    + 'SELECT * FROM (select (CAST(2 AS INTEGER)) -- end\n)',
  ])
})

t.test('named parameters take the columns of their names, others the columns in order', async t => {
  const { client, texts } = await begin(t)
  const values = await messagesOf(tableToIPC(new Table({
    b: vectorFromArray(['x'], new Utf8()), $a: vectorFromArray([1], new Int32()),
  }), 'stream'))
  for (const sql of ['select $a, $b', 'select ?, ?']) {
    const { command } = await prepare(client, sql)
    await client.put(command, values)
    await client.read(command)
  }
  t.strictSame(texts(), [`select (CAST(1 AS INTEGER)), ('x')`, `select ('x'), (CAST(1 AS INTEGER))`])
})

t.test('what cannot be bound is refused with its reason', async t => {
  const { client, texts } = await begin(t)
  const { command } = await prepare(client, 'select ?, ?')
  await client.put(command, await numbers(1))
  await t.rejects(client.read(command), { code: 3, details: '1 values are bound to a statement with 2 parameters' })
  const [schema] = await numbers(1)
  const nonsense = { dataHeader: Buffer.from('no flatbuffer at all'), dataBody: Buffer.alloc(8) }
  await t.rejects(client.put(command, [nonsense]), { code: 3 })
  await t.rejects(client.put(command, schema === undefined ? [] : [schema, nonsense]), { code: 3 })
  await t.rejects(client.put(packed(CommandPreparedStatementQuerySchema, {
    preparedStatementHandle: Buffer.from('unknown'),
  }), await numbers(1)), { code: 5 })
  await t.rejects(client.put(Buffer.from('no command'), []), { code: 3 })
  t.strictSame(texts(), [])
})

t.test('an update runs once, with the values that came with it', async t => {
  const { client, texts } = await begin(t)
  const { preparedStatementHandle } = await prepare(client, 'select ?')
  const update = packed(CommandPreparedStatementUpdateSchema, { preparedStatementHandle })
  const [answer] = await client.put(update, await numbers(5))
  t.equal(fromBinary(DoPutUpdateResultSchema, answer ?? new Uint8Array(0)).recordCount, -1n)
  t.strictSame(texts(), ['select (CAST(5 AS INTEGER))'])
})

t.test('a schema without columns binds nothing', async t => {
  const { client, texts } = await begin(t)
  const { preparedStatementHandle } = await prepare(client, 'select 1')
  const update = packed(CommandPreparedStatementUpdateSchema, { preparedStatementHandle })
  await client.put(update, await messagesOf(tableToIPC(new Table(), 'stream')))
  t.strictSame(texts(), ['select 1'])
})

t.test('a poll starts a statement, tells how far it is, and gives the endpoint when there are rows', async t => {
  const { client, queries, texts } = await begin(t, () => oneRow)
  const statement = packed(CommandStatementQuerySchema, { query: 'select 1' })
  const begun = await client.pollFlightInfo(statement)
  t.match(begun, { progress: 0.25, info: { endpoint: [] } })
  t.ok(begun.flightDescriptor !== undefined && (begun.expirationTime?.seconds ?? 0n) > 0n)
  for await (const _ of queries.last.frames()) continue // it is run to its end
  const done = await client.pollFlightInfo(begun.flightDescriptor?.cmd ?? statement)
  t.equal(done.flightDescriptor, undefined)
  t.equal(done.expirationTime, undefined, 'there is nothing to ask again')
  t.equal(done.progress, 1)
  const [endpoint] = done.info?.endpoint ?? []
  for await (const _ of client.doGet(endpoint?.ticket?.ticket ?? statement)) continue
  t.strictSame(texts(), ['select 1'])

  if (endpoint === undefined || done.info === undefined) throw new Error('no endpoint')
  const renew = toBinary(RenewFlightEndpointRequestSchema, create(RenewFlightEndpointRequestSchema, { endpoint }))
  const [renewed] = await client.act('RenewFlightEndpoint', renew)
  t.ok((fromBinary(FlightEndpointSchema, renewed ?? new Uint8Array(0)).expirationTime?.seconds ?? 0n) > 0n)
  const { info } = done
  const cancel = toBinary(CancelFlightInfoRequestSchema, create(CancelFlightInfoRequestSchema, { info }))
  const [cancelled] = await client.act('CancelFlightInfo', cancel)
  const { status } = fromBinary(CancelFlightInfoResultSchema, cancelled ?? new Uint8Array(0))
  t.equal(status, 3, 'it has ended: not cancellable')
})
