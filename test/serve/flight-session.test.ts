/** Session options, closing, and cancelling by FlightInfo. */

import zlib from 'node:zlib'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { Int32, Table, vectorFromArray } from 'apache-arrow'
import t from 'tap'
import { systemClock, type Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import {
  CancelFlightInfoRequestSchema, CancelFlightInfoResultSchema, CloseSessionResultSchema,
  GetSessionOptionsResultSchema,
  SetSessionOptionsRequestSchema, SetSessionOptionsResultSchema,
} from '../../proto/gen/flight_pb.js'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { FakeQueries, framesOf } from './fake-queries.ts'
import { FlightClient, packed, startFlight } from './flight-client.ts'

const oneRow = new Table({ x: vectorFromArray([1], new Int32()) })
const script = { columns: [{ name: 'x', type: 'INTEGER' }], frames: () => framesOf(oneRow) }
/** Results that are left unread stay. */
const clock: Clock = { ...systemClock, after: () => () => undefined }
const statement = packed(CommandStatementQuerySchema, { query: 'x' })

type Options = Readonly<Record<string, string | number>>

/** The message; a number stands for a value of a wrong type. */
function optionsMessage(options: Options) {
  const sessionOptions = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, {
    optionValue: typeof value === 'string'
      ? { case: 'stringValue' as const, value } : { case: 'doubleValue' as const, value },
  }]))
  return create(SetSessionOptionsRequestSchema, { sessionOptions })
}

t.test('session options decide where names are looked up; packed or bare', async t => {
  const queries = new FakeQueries(() => script)
  const client = new FlightClient(t, await startFlight(t, { queries, clock }))
  await client.handshake()
  const errors = async (body: Uint8Array) => {
    const [result] = await client.act('SetSessionOptions', body)
    const { errors } = fromBinary(SetSessionOptionsResultSchema, result ?? new Uint8Array(0))
    return Object.fromEntries(Object.entries(errors).map(([name, { value }]) => [name, value]))
  }
  const bare = (options: Options) => toBinary(SetSessionOptionsRequestSchema, optionsMessage(options))
  const right = { catalog: 'other', timezone: 'Asia/Tokyo', enums: 'dictionary', compression: 'lz4' }
  t.strictSame(await errors(bare(right)), {})
  const inAny = packed(SetSessionOptionsRequestSchema, optionsMessage({ schema: 's', compute_size: 'XL' }))
  t.strictSame(await errors(inAny), {})
  t.strictSame(await errors(bare({ cache: 'false', dialect: 'tsql', parallel_endpoints: 'true' })), {})
  const wrong = {
    compute_size: 'huge', colour: 'red', catalog: 1, timezone: 'Mars', enums: 'x', cache: '0', compression: 'zip',
    dialect: 'oracle', parallel_endpoints: 'maybe',
  }
  t.strictSame(await errors(bare(wrong)), {
    compute_size: 2, colour: 1, catalog: 2, timezone: 2, enums: 2, cache: 2, compression: 2, dialect: 2,
    parallel_endpoints: 2,
  })
  await client.getFlightInfo(statement)
  t.match(queries.last.request, {
    defaultCatalog: 'other', defaultSchema: 's', settings: { TimeZone: 'Asia/Tokyo' }, cache: false,
    compression: 'lz4', parallel: true,
  })

  const get = async () => {
    const [result] = await client.act('GetSessionOptions', new Uint8Array(0))
    const { sessionOptions } = fromBinary(GetSessionOptionsResultSchema, result ?? new Uint8Array(0))
    const entries = Object.entries(sessionOptions).map(([name, { optionValue }]) => [name, optionValue.value])
    return Object.fromEntries(entries)
  }
  t.strictSame(await get(), {
    catalog: 'other', schema: 's', timezone: 'Asia/Tokyo', enums: 'dictionary', compression: 'lz4', cache: 'false',
    dialect: 'tsql', parallel_endpoints: 'true',
  })
  const [closed] = await client.act('CloseSession', new Uint8Array(0))
  t.equal(fromBinary(CloseSessionResultSchema, closed ?? new Uint8Array(0)).status, 1)
  t.strictSame(await get(), {
    catalog: 'lake', schema: 'main', timezone: 'UTC', enums: 'text', compression: 'none', cache: 'true',
    dialect: 'duckdb', parallel_endpoints: 'false',
  })
})

t.test('zstd is an option where Node has it, and refused by its version where not', async t => {
  const queries = new FakeQueries(() => script)
  const client = new FlightClient(t, await startFlight(t, { queries, clock }))
  await client.handshake()
  const set = client.act('SetSessionOptions', toBinary(SetSessionOptionsRequestSchema,
    optionsMessage({ compression: 'zstd', schema: 's' })))
  if ('zstdCompressSync' in zlib) await set
  else await t.rejects(set, { code: 12, details: new RegExp(`this is Node ${process.versions.node}`) })
  await client.getFlightInfo(statement)
  const wanted = 'zstdCompressSync' in zlib
    ? { compression: 'zstd', defaultSchema: 's' } : { compression: 'none', defaultSchema: 'main' }
  t.match(queries.last.request, wanted)
})

t.test('a statement that waits to be read can be cancelled by its FlightInfo', async t => {
  const queries = new FakeQueries(() => script)
  const client = new FlightClient(t, await startFlight(t, { queries, clock }))
  const info = await client.getFlightInfo(statement)
  const request = toBinary(CancelFlightInfoRequestSchema, create(CancelFlightInfoRequestSchema, { info }))
  t.equal((await client.act('CancelFlightInfo', request)).length, 1)
  t.equal(queries.last.cancelled, 'cancelled by its client')
  await t.rejects(client.act('CancelFlightInfo', request), { code: 5 })
  await t.rejects(client.act('SomethingElse', request), { code: 12 })
})

t.test('a result that is complete, and cancelled while it is read, breaks off as cancelled', async t => {
  let goOn = (): void => undefined
  const held = new Promise<void>(resolve => { goOn = resolve })
  const broken = async function* () {
    yield* framesOf(oneRow)
    await held
    throw new QueryError('NOT_FOUND', 'the result is not kept any more')
  }
  let reads = 0
  const queries = new FakeQueries(() => ({ ...script, frames: () => reads++ === 0 ? framesOf(oneRow) : broken() }))
  const client = new FlightClient(t, await startFlight(t, { queries, clock }))
  const info = await client.getFlightInfo(statement)
  const ticket = info.endpoint[0]?.ticket?.ticket ?? new Uint8Array(0)
  for await (const _ of client.doGet(ticket)) continue // it has ended
  const again = client.doGet(ticket)
  const failed = new Promise<unknown>(resolve => { again.once('error', resolve) })
  await new Promise(resolve => { again.once('data', resolve) })
  const request = toBinary(CancelFlightInfoRequestSchema, create(CancelFlightInfoRequestSchema, { info }))
  const [answer] = await client.act('CancelFlightInfo', request)
  t.equal(fromBinary(CancelFlightInfoResultSchema, answer ?? new Uint8Array(0)).status, 1)
  goOn()
  t.match(await failed, { code: 1, details: 'cancelled by its client' })
})
