/** Results that are read part by part: their tickets, what executors tell of who reads, and clocks that differ. */

import type { MessageInitShape } from '@bufbuild/protobuf'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Int32, Table, vectorFromArray } from 'apache-arrow'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { coordinatorKey } from '../../cluster/keys.ts'
import { flightDoor } from '../../executor/flight-door.ts'
import { PartReadings } from '../../executor/part-readings.ts'
import { clientServer } from '../../proto/client-door.ts'
import { systemClock, type Clock } from '../../proto/clock.ts'
import { encodeCoordinatorInfo } from '../../proto/cluster-values.ts'
import { FlightService, type FlightInfo } from '../../proto/gen/flight_pb.js'
import { CommandStatementQuerySchema, TicketStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { PartEnd_How as How, type PartReadingSchema, ResultService } from '../../proto/gen/results_pb.js'
import { TICKET_LIFE_MS } from '../../coordinator/serve/flight-results.ts'
import type { CoordinatorId, TaskId } from '../../proto/ids.ts'
import { nodeChannel } from '../../proto/node-auth.ts'
import { Outbox } from '../../proto/outbox.ts'
import { Signer } from '../../proto/signed-text.ts'
import { HandClock } from '../executor/hand-clock.ts'
import { temporaryFolder } from '../executor/workbench.ts'
import { FakeQueries, framesOf, type Script } from './fake-queries.ts'
import { FlightClient, nodes, packed, startFlight, ticketOf, unpacked } from './flight-client.ts'

const part = (value: number) => new Table({ x: vectorFromArray([value], new Int32()) })
const LOCATIONS = ['grpc://one:1', 'grpc://two:2']
/** A reader that went away may come again within this; all is over before the second. */
const ELSEWHERE_MS = 750
const statement = packed(CommandStatementQuerySchema, { query: 'x' })

async function setUp(t: Test) {
  let delivered = 0
  const script: Script = {
    columns: [{ name: 'x', type: 'INTEGER' }],
    frames: async function* () { await new Promise(() => undefined) },
    offer: {
      isInOrder: true, parts: LOCATIONS.map((location, i) => ({ location, task: `q.0.${i}.0` as TaskId })),
      frames: index => framesOf(part(index)), delivered: () => { delivered++ },
    },
  }
  const queries = new FakeQueries(() => script)
  const clock = new HandClock()
  const port = await startFlight(t, { queries, clock })
  const client = new FlightClient(t, port)
  client.metadata.set('skein-parallel-endpoints', 'true')
  const channel = nodeChannel(`127.0.0.1:${port}`, nodes)
  t.teardown(() => channel.close())
  return { queries, client, channel, clock, port, delivered: () => delivered }
}

type Setting = Awaited<ReturnType<typeof setUp>>

/** An executor that has a reader of this part, once that is granted. */
async function reading({ channel }: Setting, info: FlightInfo, i: number, authorization = '') {
  const steps = new Outbox<MessageInitShape<typeof PartReadingSchema>>()
  const handle = Buffer.from(unpacked(TicketStatementQuerySchema, ticketOf(info, i)).statementHandle).toString()
  steps.say({ step: { case: 'reader', value: { handle, authorization } } })
  const broken = new AbortController()
  const answers = channel.service(ResultService).readPart(steps, { signal: broken.signal })[Symbol.asyncIterator]()
  await answers.next()
  return {
    async end(how: How) {
      steps.say({ step: { case: 'end', value: { how, bytes: 10n } } })
      await answers.next()
    },
    break: () => broken.abort(),
  }
}

t.test('each part has a ticket and a place, and may be read here', async t => {
  const setting = await setUp(t)
  const info = await setting.client.getFlightInfo(statement)
  t.ok(info.ordered)
  t.strictSame(info.endpoint.map(({ location }) => location.map(({ uri }) => uri)),
    LOCATIONS.map(uri => [uri, 'arrow-flight-reuse-connection://?']))
  for (const i of [0, 1]) {
    let messages = 0
    for await (const _ of setting.client.doGet(ticketOf(info, i))) messages++
    t.equal(messages, 2)
    t.equal(setting.delivered(), i, 'once each of them was read')
  }
  t.equal(setting.queries.last.cancelled, undefined)
})

t.test('parts that executors have given whole count', async t => {
  const setting = await setUp(t)
  const info = await setting.client.getFlightInfo(statement)
  const both = [await reading(setting, info, 0), await reading(setting, info, 1)]
  for (const each of both) await each.end(How.WHOLE)
  t.equal(setting.delivered(), 1)
  t.equal(setting.queries.last.cancelled, undefined)
})

t.test('the last reader that goes away before the end cancels it, unless he reads on elsewhere', async t => {
  const setting = await setUp(t)
  const info = await setting.client.getFlightInfo(statement)
  const [one, other] = [await reading(setting, info, 0), await reading(setting, info, 1)]
  await one.end(How.LEFT)
  await other.end(How.LEFT)
  const again = await reading(setting, info, 0)
  await setting.clock.pass(2 * ELSEWHERE_MS)
  t.equal(setting.queries.last.cancelled, undefined)
  await again.end(How.LEFT)
  await setting.clock.pass(ELSEWHERE_MS - 1)
  t.equal(setting.queries.last.cancelled, undefined)
  await setting.clock.pass(1)
  t.equal(setting.queries.last.cancelled, 'the client went away')
  await t.rejects(reading(setting, info, 0), { code: 'NOT_FOUND' })
})

t.test('an executor that is gone is no client that is', async t => {
  const setting = await setUp(t)
  const info = await setting.client.getFlightInfo(statement)
  const one = await reading(setting, info, 0)
  one.break()
  await setting.client.act('GetSessionOptions', new Uint8Array(0)) // after it has been told
  await setting.clock.pass(2 * ELSEWHERE_MS)
  t.equal(setting.queries.last.cancelled, undefined)
  await (await reading(setting, info, 0)).end(How.WHOLE)
})

t.test('a part is its principal\'s', async t => {
  const setting = await setUp(t)
  const info = await setting.client.getFlightInfo(statement)
  const bob = `Basic ${Buffer.from('bob:').toString('base64')}`
  await t.rejects(reading(setting, info, 0, bob), { code: 'PERMISSION_DENIED' })
  await t.rejects(reading(setting, info, 0, 'Bearer nonsense'), { code: 'UNAUTHENTICATED' })
})

t.test('what expires while it is read is read to its end, and nobody begins', async t => {
  const setting = await setUp(t)
  const info = await setting.client.getFlightInfo(statement)
  const one = await reading(setting, info, 0)
  await setting.clock.pass(TICKET_LIFE_MS + 1)
  t.equal(setting.queries.last.released, false)
  await t.rejects(reading(setting, info, 1), { code: 'NOT_FOUND' })
  await one.end(How.WHOLE)
  t.ok(setting.queries.last.released)
})

/** An executor that has every part, as clients reach it; its clock shows another time than the coordinator's. */
async function executorWith(t: Test, wallMs: () => number, coordinatorPort: number): Promise<FlightClient> {
  const clock: Clock = { ...systemClock, wallMs }
  const store = await EmbeddedStore.open(join(temporaryFolder(t), 'journal'), systemClock)
  await store.compareAndSwap(coordinatorKey('c1' as CoordinatorId), 0n,
    encodeCoordinatorInfo({ id: 'c1', incarnation: 'i1', admin: `127.0.0.1:${coordinatorPort}` }))
  const server = clientServer(null)
  server.addService(FlightService, flightDoor({
    executor: { fetchResult: () => framesOf(part(1)) }, signer: new Signer(new Uint8Array(32), clock),
    readings: new PartReadings({ store, auth: nodes, clock }),
  }))
  const port = await server.listen('127.0.0.1', 0)
  t.teardown(async () => {
    server.close()
    await store.close()
  })
  return new FlightClient(t, port)
}

t.test('a ticket holds by its coordinator\'s clock, at executors whose clocks are hours off', async t => {
  const { client, clock, port } = await setUp(t)
  const info = await client.getFlightInfo(statement)
  for (const offMs of [-3_600_000, 3_600_000]) {
    const executor = await executorWith(t, () => clock.wallMs() + offMs, port)
    let messages = 0
    for await (const _ of executor.doGet(ticketOf(info, 0))) messages++
    t.equal(messages, 2)
  }
  const behind = await executorWith(t, () => 0, port)
  await clock.pass(TICKET_LIFE_MS + 1)
  await t.rejects((async () => { for await (const _ of behind.doGet(ticketOf(info, 0))) continue })(), { code: 5 })
})
