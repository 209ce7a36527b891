/** Tickets that are shown to another coordinator than the one that runs their statement. */

import t, { type Test } from 'tap'
import { Int32, Table, vectorFromArray } from 'apache-arrow'
import { arrowSchemaMessage } from '../../proto/arrow-schema.ts'
import {
  CancelFlightInfoRequestSchema, CancelFlightInfoResultSchema, FlightEndpointSchema, RenewFlightEndpointRequestSchema,
  type FlightData,
} from '../../proto/gen/flight_pb.js'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { ResultService } from '../../proto/gen/results_pb.js'
import { fromBinary } from '@bufbuild/protobuf'
import { GrpcChannel } from '../../proto/grpc-channel.ts'
import { nodeChannel } from '../../proto/node-auth.ts'
import { FakeQueries, framesOf, type Script } from './fake-queries.ts'
import { bytesRead, FlightClient, nodes, packed, startFlight, ticketOf } from './flight-client.ts'

const columns = [{ name: 'id', type: 'INTEGER' }]
const table = new Table({ id: vectorFromArray([1, 2], new Int32()) })

async function* frames() {
  for await (const frame of framesOf(table)) {
    yield frame.dataBody.length > 0 ? frame : { ...frame, dataHeader: arrowSchemaMessage(columns) }
  }
}

const twoRows: Script = { columns, frames }
const endless: Script = {
  columns,
  async *frames() {
    yield* frames()
    await new Promise(() => undefined)
  },
}
const statement = packed(CommandStatementQuerySchema, { query: 'select 1' })

/** Two coordinators; statements run at the first one, and `second` is a client of the other. */
async function two(t: Test, script: Script) {
  const queries = new FakeQueries(() => script)
  const port = await startFlight(t, { queries, coordinator: 'c1' })
  const others = new FakeQueries(() => { throw new Error('nothing runs here') })
  const channelTo = (id: string) => id === 'c1' ? nodeChannel(`127.0.0.1:${port}`, nodes) : null
  const otherPort = await startFlight(t, { queries: others, coordinator: 'c2', channelTo })
  return { queries, port, otherPort, first: new FlightClient(t, port), second: new FlightClient(t, otherPort) }
}

t.test('another coordinator gives and follows the same result, again and again; the statement runs once', async t => {
  const { queries, first, second } = await two(t, twoRows)
  const ticket = ticketOf(await first.getFlightInfo(statement))
  const expected = await bytesRead(first, ticket)
  t.equal(await bytesRead(second, ticket), expected)
  t.equal(await bytesRead(second, ticket), expected)
  t.match(await second.pollFlightInfo(ticket), { progress: 1, flightDescriptor: undefined, info: { endpoint: [{}] } })
  t.strictSame(queries.submitted.map(({ reads }) => reads), [3])
})

t.test('it renews tickets, and cancels statements', async t => {
  const { queries, first, second } = await two(t, endless)
  const info = await first.getFlightInfo(statement)
  const [endpoint] = info.endpoint
  const [renewed = new Uint8Array(0)] = await second.act('RenewFlightEndpoint', packed(
    RenewFlightEndpointRequestSchema, { endpoint }))
  t.ok((fromBinary(FlightEndpointSchema, renewed).expirationTime?.seconds ?? 0n)
    >= (endpoint?.expirationTime?.seconds ?? Infinity))
  const [cancelled = new Uint8Array(0)] = await second.act('CancelFlightInfo', packed(
    CancelFlightInfoRequestSchema, { info }))
  t.equal(fromBinary(CancelFlightInfoResultSchema, cancelled).status, 1)
  t.equal(queries.submitted[0]?.cancelled, 'cancelled by its client')
  await t.rejects(bytesRead(second, ticketOf(info)), { code: 5 }, 'its result has ended')
  await t.rejects(second.act('CancelFlightInfo', packed(CancelFlightInfoRequestSchema, { info })), { code: 5 })
})

t.test('a client that resets its stream there cancels the statement here', async t => {
  const { queries, first, second } = await two(t, endless)
  const call = second.doGet(ticketOf(await first.getFlightInfo(statement)))
  for await (const message of call as AsyncIterable<FlightData>) if (message.dataBody.length > 0) break
  call.cancel()
  while (!queries.last.released) await new Promise(resolve => { setImmediate(resolve) })
  t.equal(queries.last.cancelled, 'the client went away')
})

t.test('a ticket of another user is refused there too, and one of a coordinator that is gone', async t => {
  const { first, otherPort } = await two(t, twoRows)
  const ticket = ticketOf(await first.getFlightInfo(statement))
  const ann = new FlightClient(t, otherPort)
  await ann.handshake(`Basic ${Buffer.from('ann:secret').toString('base64')}`)
  await t.rejects(bytesRead(ann, ticket), { code: 7 })
  const alone = new FlightClient(t, await startFlight(t, {
    queries: new FakeQueries(() => twoRows), coordinator: 'c3',
  }))
  await t.rejects(bytesRead(alone, ticket), { code: 14, details: /is gone/ })
})

t.test('only nodes of the cluster ask for results', async t => {
  const { port } = await two(t, twoRows)
  const asked = { handle: 'x', principal: 'ann' }
  const stranger = new GrpcChannel(`127.0.0.1:${port}`, { authorization: 'Bearer guess' })
  const node = nodeChannel(`127.0.0.1:${port}`, nodes)
  t.teardown(() => [stranger, node].forEach(channel => channel.close()))
  const { signal } = new AbortController()
  const calls = (channel: GrpcChannel): (() => Promise<unknown>)[] => [
    () => channel.service(ResultService).renewResult(asked), () => channel.service(ResultService).cancelResult(asked),
    () => channel.service(ResultService).pollResult({ ticket: asked, descriptor: {} }),
    () => channel.frames(ResultService.method.readResult, asked, signal)[Symbol.asyncIterator]().next(),
  ]
  for (const call of calls(stranger)) await t.rejects(call, { code: 'UNAUTHENTICATED' })
  for (const call of calls(node)) await t.rejects(call, { code: 'NOT_FOUND' })
})
