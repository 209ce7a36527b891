/**
 * A large result that its client reads part by part, from three executors at once: every row once, in whichever way
 * each part is read, however an executor is lost.
 */

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { tableFromIPC } from 'apache-arrow'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { encapsulate } from '../../proto/arrow-stream.ts'
import { encode } from '../../proto/flight-any.ts'
import {
  BasicAuthSchema, CancelFlightInfoRequestSchema, FlightEndpointSchema, RenewFlightEndpointRequestSchema,
  type FlightData, type FlightEndpoint, type FlightInfo,
} from '../../proto/gen/flight_pb.js'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed } from '../serve/flight-client.ts'
import { faultConfig, ROWS, writeFaultTables } from './fault-tables.ts'
import { rowsIn } from './rows-in.ts'
import { Skein } from './skein.ts'
import { Operator, until } from './watch.ts'

const EXECUTORS = 3
const HOLD_BYTES = 1024 * 1024
/** Of one executor: with what a result may have in memory (32 MiB) less than a third of the largest one here. */
const SPILL_BYTES = 8_000_000
/** Every so manieth row. */
const STEP = 4
const BACK_WITHIN_MS = 30_000
const FREED_WITHIN_MS = 1_000
const REUSE = 'arrow-flight-reuse-connection://?'
const local = '127.0.0.1:0'

const folder = await mkdtemp(join(tmpdir(), 'skein-parallel-'))
await writeFaultTables(folder)
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: EXECUTORS, environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_SORT_ROWS: '1000' },
  config: {
    ...faultConfig(folder), result_hold_bytes: HOLD_BYTES, node: { spill: `${EXECUTORS * SPILL_BYTES}B` },
    listen: { http: local, flight: local, admin: local, results: local },
  },
})
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

const portOf = (uri = ''): number => Number(new URL(uri).port)

function connect(t: Test, port: number, user = 'ann'): FlightClient {
  const client = new FlightClient(t, port)
  client.metadata.set('authorization', `Basic ${Buffer.from(`${user}:`).toString('base64')}`)
  client.metadata.set('skein-cache', 'false')
  return client
}

/** `isParallel` false: as a client that knows nothing of it. */
function coordinator(t: Test, isParallel = true): FlightClient {
  const client = connect(t, portOf(skein.doors.flight))
  if (isParallel) client.metadata.set('skein-parallel-endpoints', 'true')
  return client
}

const ask = (client: FlightClient, query: string): Promise<FlightInfo> =>
  client.getFlightInfo(packed(CommandStatementQuerySchema, { query }))

async function only(client: FlightClient, query: string): Promise<FlightEndpoint> {
  const { endpoint: [first, ...more] } = await ask(client, query)
  if (first === undefined || more.length > 0) throw new Error(`${1 + more.length} endpoints`)
  return first
}

/** One of several. */
async function firstOf(client: FlightClient, query: string): Promise<{ info: FlightInfo; endpoint: FlightEndpoint }> {
  const info = await ask(client, query)
  const [endpoint] = info.endpoint
  if (endpoint === undefined || info.endpoint.length < EXECUTORS) throw new Error(`${info.endpoint.length} endpoints`)
  return { info, endpoint }
}

const ticketOf = ({ ticket }: FlightEndpoint): Uint8Array => ticket?.ticket ?? new Uint8Array(0)

async function idsOf(client: FlightClient, endpoint: FlightEndpoint): Promise<number[]> {
  const pieces: Uint8Array[] = []
  for await (const message of client.doGet(ticketOf(endpoint)) as AsyncIterable<FlightData>) {
    pieces.push(...encapsulate(message))
  }
  return Array.from(tableFromIPC(Buffer.concat(pieces)).getChild('id') ?? [], Number)
}

const executorOf = (t: Test, { location: [first] }: FlightEndpoint): FlightClient => connect(t, portOf(first?.uri))

/** Each id that is asked for, once. */
function isExact(ids: readonly number[]): boolean {
  return ids.length === ROWS / STEP && new Set(ids).size === ids.length
    && ids.every(id => id >= 0 && id < ROWS && id % STEP === 0)
}

const sql = (mark: string) => `SELECT /* ${mark} */ id, word, early FROM rows WHERE id % ${STEP} = 0`
const stateOf = async (mark: string) => (await operator.query(`/* ${mark} */`))?.state

t.test('three executors give every row once, and then the query is over', async t => {
  const info = await ask(coordinator(t), sql('three'))
  const ports = new Set(info.endpoint.map(({ location: [first] }) => portOf(first?.uri)))
  t.equal(ports.size, EXECUTORS)
  t.notOk(ports.has(portOf(skein.doors.flight)))
  t.notOk(info.ordered)
  t.ok(info.endpoint.every(({ location }) => location.length === 2 && location[1]?.uri === REUSE))
  const parts = await Promise.all(info.endpoint.map(endpoint => idsOf(executorOf(t, endpoint), endpoint)))
  t.ok(isExact(parts.flat()))
  await until('it is finished', FREED_WITHIN_MS, async () => await stateOf('three') === 'finished')
  const [first] = info.endpoint
  t.ok(first && isSame(await idsOf(executorOf(t, first), first), parts[0] ?? []), 'a ticket is served again')
})

t.test('without being asked, and for a small result, there is one endpoint without a location', async t => {
  for (const [client, query] of [
    [coordinator(t, false), sql('unasked')], [coordinator(t), 'SELECT id FROM small'],
    [coordinator(t), 'SELECT count(*) AS n FROM rows'],
  ] as const) {
    const info = await ask(client, query)
    t.strictSame(info.endpoint.map(({ location }) => location.length), [0])
  }
})

t.test('what depends on the order of its input has one endpoint', async t => {
  const info = await ask(coordinator(t), 'SELECT id, word, random() AS r FROM rows')
  t.equal(info.endpoint.length, 1)
})

t.test('what executors have no room for has one endpoint, and all of its rows', async t => {
  const client = coordinator(t)
  const endpoint = await only(client, `SELECT /* too large */ id, repeat(word, 4) AS words FROM rows`)
  let rows = 0
  for await (const message of client.doGet(ticketOf(endpoint)) as AsyncIterable<FlightData>) {
    rows += rowsIn(message)
  }
  t.equal(rows, ROWS)
})

t.test('the parts of an ordered result are in its order', async t => {
  const order = ' ORDER BY word, id'
  const info = await ask(coordinator(t), sql('ordered') + order)
  t.ok(info.ordered)
  t.ok(info.endpoint.length > 1)
  const parts: number[][] = []
  for (const endpoint of info.endpoint) parts.push(await idsOf(executorOf(t, endpoint), endpoint))
  const ids = parts.flat()
  t.ok(isExact(ids))
  const client = coordinator(t, false)
  t.ok(isSame(ids, await idsOf(client, await only(client, sql('in one') + order))))
})

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((id, i) => id === right[i])
}

t.test('a part of which a client has read some is read whole from the coordinator', async t => {
  const client = coordinator(t)
  const info = await ask(client, sql('half'))
  const parts: number[][] = []
  for (const endpoint of info.endpoint) {
    const call = executorOf(t, endpoint).doGet(ticketOf(endpoint))
    await new Promise(resolve => { call.once('data', resolve) })
    call.on('error', () => undefined)
    call.cancel()
    parts.push(await idsOf(client, endpoint))
  }
  t.ok(isExact(parts.flat()))
})

t.test('who may not read is refused by an executor', async t => {
  const { info, endpoint } = await firstOf(coordinator(t), sql('refused'))
  const executor = executorOf(t, endpoint)
  const stranger = connect(t, portOf(endpoint.location[0]?.uri), 'bob')
  await t.rejects(idsOf(stranger, endpoint), { code: 7 })
  const handle = Buffer.from(ticketOf(endpoint))
  handle[handle.length - 3] = (handle[handle.length - 3] ?? 0) ^ 1
  const forged = create(FlightEndpointSchema, { ticket: { ticket: handle } })
  await t.rejects(idsOf(executor, forged), { code: 5 })
  await t.rejects(idsOf(executor, await only(coordinator(t, false), sql('whole'))), { code: 5 })
  await t.rejects(ask(executor, 'SELECT 1'), { code: 12 })
  const request = create(CancelFlightInfoRequestSchema, { info })
  await coordinator(t).act('CancelFlightInfo', toBinary(CancelFlightInfoRequestSchema, request))
  await t.rejects(idsOf(executor, endpoint), { code: 5 }, 'its query is over')
})

t.test('an executor takes the token of a login by message', async t => {
  const client = new FlightClient(t, portOf(skein.doors.flight))
  const { payload } = await client.handshake(undefined, encode(BasicAuthSchema, { username: 'ann', password: 'any' }))
  const withToken = (port: number): FlightClient => {
    const client = new FlightClient(t, port)
    client.metadata.set('auth-token-bin', Buffer.from(payload))
    client.metadata.set('skein-parallel-endpoints', 'true')
    return client
  }
  const { info: { endpoint } } = await firstOf(withToken(portOf(skein.doors.flight)), sql('by message'))
  const parts = await Promise.all(endpoint.map(one => idsOf(withToken(portOf(one.location[0]?.uri)), one)))
  t.ok(isExact(parts.flat()))
})

t.test('a ticket of a part is renewed, for the same part at the same place', async t => {
  const client = coordinator(t)
  const { endpoint } = await firstOf(client, sql('renewed'))
  const request = create(RenewFlightEndpointRequestSchema, { endpoint })
  const [body = new Uint8Array(0)] = await client.act(
    'RenewFlightEndpoint', toBinary(RenewFlightEndpointRequestSchema, request))
  const renewed = fromBinary(FlightEndpointSchema, body)
  t.strictSame(renewed.location.map(({ uri }) => uri), endpoint.location.map(({ uri }) => uri))
  t.ok((renewed.expirationTime?.seconds ?? 0n) >= (endpoint.expirationTime?.seconds ?? 0n))
  t.ok(isSame(await idsOf(executorOf(t, renewed), renewed), await idsOf(client, endpoint)))
})

t.test('a client that goes away in the middle leaves nothing', async t => {
  const { info, endpoint } = await firstOf(coordinator(t), sql('gone'))
  const calls = await Promise.all(info.endpoint.slice(0, EXECUTORS).map(async endpoint => {
    const call = executorOf(t, endpoint).doGet(ticketOf(endpoint))
    call.on('error', () => undefined)
    await new Promise(resolve => { call.once('data', resolve) })
    call.pause()
    return call
  }))
  t.equal(await stateOf('gone'), 'running')
  for (const call of calls) call.cancel()
  await until('it is cancelled', FREED_WITHIN_MS, async () => await stateOf('gone') === 'cancelled')
  await t.rejects(idsOf(executorOf(t, endpoint), endpoint), { code: 5 })
})

t.test('parts of an executor that died come from the coordinator, the same rows', async t => {
  const client = coordinator(t)
  const { info, endpoint } = await firstOf(client, sql('died'))
  const tasks = await operator.tasks((await operator.query('/* died */'))?.id ?? '')
  const holder = tasks.find(({ partition }) => partition === 0)?.executor
  const victim = (await operator.executors()).find(({ id }) => id === holder)
  t.ok(victim !== undefined && process.kill(victim.pid, 'SIGKILL'))
  await t.rejects(idsOf(executorOf(t, endpoint), endpoint), { code: 14 })
  const parts = await Promise.all(info.endpoint.map(async endpoint => {
    try {
      return await idsOf(executorOf(t, endpoint), endpoint)
    } catch {
      return idsOf(client, endpoint)
    }
  }))
  t.ok(isExact(parts.flat()))
  await until('all executors are back', BACK_WITHIN_MS, async () =>
    (await operator.executors()).filter(({ state }) => state === 'active').length === EXECUTORS)
})
