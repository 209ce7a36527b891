/** Whatever bytes a client sends: a typed error, no fault of ours, and the next client is served. */

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { Int32, Table, vectorFromArray } from 'apache-arrow'
import t from 'tap'
import { arrowSchemaMessage } from '../../proto/arrow-schema.ts'
import {
  ActionSchema, FlightDataSchema, FlightDescriptor_DescriptorType as Kind, FlightDescriptorSchema, type FlightService,
  SetSessionOptionsRequestSchema, TicketSchema,
} from '../../proto/gen/flight_pb.js'
import {
  ActionCreatePreparedStatementRequestSchema, CommandGetTablesSchema, CommandPreparedStatementQuerySchema,
  CommandStatementIngestSchema, CommandStatementQuerySchema, TicketStatementQuerySchema,
} from '../../proto/gen/flight_sql_pb.js'
import { mulberry32 } from '../random.ts'
import { FakeQueries, framesOf } from './fake-queries.ts'
import { FlightClient, packed, rowsOf, startFlight } from './flight-client.ts'

const SEED = Number(process.env['SEED'] ?? 11)
const ROUNDS = 60
const columns = [{ name: 'id', type: 'INTEGER' }]
const table = new Table({ id: vectorFromArray([1, 2], new Int32()) })
/** Ours: a fault (INTERNAL), a loss, or an error without a name. */
const faults = new Set([2, 13, 15])
/** What gRPC itself answers to a message that is none of the method's. */
const GRPC_INTERNAL = 13
const RESOURCE_EXHAUSTED = 8
const TOO_LARGE_BYTES = 64 * 1024 * 1024

const descriptor = (cmd: Uint8Array) => toBinary(FlightDescriptorSchema, create(FlightDescriptorSchema, {
  type: Kind.CMD, cmd,
}))
const statement = packed(CommandStatementQuerySchema, { query: 'select 1' })
const prepare = packed(ActionCreatePreparedStatementRequestSchema, { query: 'select ?' })
const prepared = packed(CommandPreparedStatementQuerySchema, { preparedStatementHandle: Buffer.from('id-1') })
const put = (cmd: Uint8Array, dataHeader: Uint8Array, dataBody = new Uint8Array(0)) =>
  toBinary(FlightDataSchema, create(FlightDataSchema, {
    flightDescriptor: { type: Kind.CMD, cmd }, dataHeader, dataBody,
  }))
const act = (type: string, body: Uint8Array) => toBinary(ActionSchema, create(ActionSchema, { type, body }))
const get = (ticket: Uint8Array) => toBinary(TicketSchema, create(TicketSchema, { ticket }))
const schema = arrowSchemaMessage(columns)

/** What is right, by the method it is sent to; the part that is the command's own comes after the first bytes. */
const seeds: readonly [keyof typeof FlightService.method, Uint8Array][] = [
  ['getFlightInfo', descriptor(statement)], ['getFlightInfo', descriptor(packed(CommandGetTablesSchema, {}))],
  ['getSchema', descriptor(statement)], ['pollFlightInfo', descriptor(prepared)],
  ['doGet', get(packed(TicketStatementQuerySchema, { statementHandle: Buffer.from('WyJx.1.AAAA') }))],
  ['doGet', get(packed(CommandGetTablesSchema, { includeSchema: true }))],
  ['doAction', act('CreatePreparedStatement', prepare)],
  ['doAction', act('SetSessionOptions', packed(SetSessionOptionsRequestSchema, {
    sessionOptions: { catalog: { optionValue: { case: 'stringValue', value: 'lake' } } },
  }))],
  ['doAction', act('CancelFlightInfo', Buffer.from('nonsense'))], ['doAction', act('RenewFlightEndpoint', statement)],
  ['doPut', put(prepared, schema)], ['doPut', put(packed(CommandStatementIngestSchema, { table: 't' }), schema)],
]

t.test('malformed messages of every method', { timeout: 60_000 }, async t => {
  const random = mulberry32(SEED)
  const queries = new FakeQueries(() => ({ columns, frames: () => framesOf(table) }))
  const port = await startFlight(t, { queries })
  const client = new FlightClient(t, port)
  const seen: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const outcomes = await Promise.all(seeds.map(async ([method, right], i) => {
      const wrong = mutated(right, random)
      const status = await client.raw(method, wrong)
      if (!isFault(status, isMessage(method, wrong))) return []
      return [`round ${round} seed ${i} ${method}: ${status} ${Buffer.from(wrong).toString('hex')}`]
    }))
    seen.push(...outcomes.flat())
  }
  t.strictSame(seen, [], `SEED=${SEED}`)
  const other = new FlightClient(t, port)
  t.strictSame(rowsOf(await other.read(packed(CommandGetTablesSchema, {}))), [])
})

t.test('malformed Arrow in the messages of an upload', async t => {
  const random = mulberry32(SEED + 1)
  const queries = new FakeQueries(() => ({ columns, frames: () => framesOf(table) }))
  const client = new FlightClient(t, await startFlight(t, { queries }))
  await client.act('CreatePreparedStatement', prepare)
  const batches: Uint8Array[] = []
  for await (const { dataHeader, dataBody } of framesOf(table)) {
    batches.push(toBinary(FlightDataSchema, create(FlightDataSchema, { dataHeader, dataBody })))
  }
  const seen: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const [, batch = new Uint8Array(0)] = batches
    const header = put(prepared, round % 2 === 0 ? mutated(schema, random) : schema)
    const body = flipped(batch, random)
    const status = await client.raw('doPut', header, body)
    if (isFault(status, isMessage('doPut', body))) seen.push(`round ${round}: ${status}`)
  }
  t.strictSame(seen, [], `SEED=${SEED}`)
})

t.test('a message that is larger than any is taken', async t => {
  const queries = new FakeQueries(() => ({ columns, frames: () => framesOf(table) }))
  const port = await startFlight(t, { queries })
  const client = new FlightClient(t, port)
  const large = put(packed(CommandStatementIngestSchema, { table: 't' }), schema, Buffer.alloc(TOO_LARGE_BYTES))
  t.equal(await client.raw('doPut', large), RESOURCE_EXHAUSTED)
  t.equal(await client.raw('getFlightInfo', large), RESOURCE_EXHAUSTED)
  t.not(await client.raw('doGet', large), 0)
  t.equal(queries.submitted.length, 0)
  const other = new FlightClient(t, port)
  t.strictSame(rowsOf(await other.read(packed(CommandGetTablesSchema, {}))), [])
})

function isFault(status: number, wasMessage: boolean): boolean {
  return faults.has(status) && (status !== GRPC_INTERNAL || wasMessage)
}

function isMessage(method: keyof typeof FlightService.method, bytes: Uint8Array): boolean {
  const schemas = { doPut: FlightDataSchema, doAction: ActionSchema, doGet: TicketSchema } as const
  const input = method in schemas ? schemas[method as keyof typeof schemas] : FlightDescriptorSchema
  try {
    fromBinary(input as typeof FlightDataSchema, bytes)
    return true
  } catch {
    return false
  }
}

/** Bytes changed, cut off, doubled or put in. */
function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = Math.floor(random() * bytes.length)
  switch (Math.floor(random() * 4)) {
    case 0: return flipped(bytes, random)
    case 1: return bytes.slice(0, at)
    case 2: return Buffer.concat([bytes.subarray(0, at), bytes])
    default: {
      const more = Buffer.from([random() * 256, 0xff, 0xff])
      return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])
    }
  }
}

function flipped(bytes: Uint8Array, random: () => number): Uint8Array {
  const changed = Uint8Array.from(bytes)
  for (let i = 0; i < 3; i++) changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256)
  return changed
}
