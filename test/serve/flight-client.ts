/** A Flight SQL client of bare grpc-js calls, and a server over a query service by hand. */

import {
  create, fromBinary, toBinary, type DescMessage, type MessageInitShape, type MessageShape,
} from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import { Client, credentials, Metadata, type MethodDefinition, type ServiceError } from '@grpc/grpc-js'
import { tableFromIPC, type Table as ArrowTable } from 'apache-arrow'
import { DutyKeeper } from '../../cluster/duty.ts'
import type { CatalogLister } from '../../coordinator/serve/ports.ts'
import { FlightPolls } from '../../coordinator/serve/flight-polls.ts'
import { FlightResults } from '../../coordinator/serve/flight-results.ts'
import { flightSqlHandlers } from '../../coordinator/serve/flight-sql.ts'
import type { StatementOptions } from '../../coordinator/serve/flight-statements.ts'
import { resultHandlers, type ChannelTo } from '../../coordinator/serve/flight-tickets.ts'
import { Logins, type KnownUsers } from '../../coordinator/serve/logins.ts'
import { FlightLogin } from '../../coordinator/serve/session.ts'
import { Signer } from '../../proto/signed-text.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { encapsulate } from '../../proto/arrow-stream.ts'
import type { Clock } from '../../proto/clock.ts'
import {
  ActionSchema, FlightDataSchema, FlightDescriptor_DescriptorType, FlightDescriptorSchema, FlightService,
  HandshakeRequestSchema, TicketSchema, type FlightData, type FlightInfo, type HandshakeResponse, type PollInfo,
  type PutResult, type Result, type SchemaResult,
} from '../../proto/gen/flight_pb.js'
import { ResultService } from '../../proto/gen/results_pb.js'
import { nodeGuard } from '../../proto/node-auth.ts'
import { GrpcServer, type ServiceHandlers } from '../../proto/grpc-server.ts'
import { serviceDefinition } from '../../proto/grpc.ts'
import type { FakeQueries } from './fake-queries.ts'
import { endingClock } from '../ending-clock.ts'
import { fakeStatements } from './fake-statements.ts'

export const emptyCatalog: CatalogLister = { list: () => new Map(), tables: async () => [] }

interface Teardown {
  teardown(callback: () => void): void
}

export interface FlightServerOptions {
  readonly queries: FakeQueries
  readonly catalog?: CatalogLister
  readonly clock?: Clock
  /** Absent: nobody has to log in. */
  readonly users?: KnownUsers
  /** Its name among the coordinators; absent: c1. */
  readonly coordinator?: string
  /** Absent: there is no other. */
  readonly channelTo?: ChannelTo
  /** Of the coordinator; absent: it is active. */
  readonly duty?: DutyKeeper
  /** Absent: those of sessions, over `queries`. */
  readonly statements?: StatementOptions['statements']
  /** Calls that are answered before they come to the handlers; absent: none. */
  readonly front?: (behind: Behind) => Partial<FlightHandlers>
}

export type FlightHandlers = ServiceHandlers<typeof FlightService>

/** What stands behind `front`. */
export interface Behind {
  readonly handlers: FlightHandlers
  readonly results: FlightResults
  readonly polls: FlightPolls
  readonly login: FlightLogin
}

/** How coordinators know each other here. */
export const nodes = { secret: 'the secret of the tests', tls: null }

export async function startFlight(t: Teardown, options: FlightServerOptions): Promise<number> {
  const { queries, catalog = emptyCatalog, clock = endingClock(t), users = null } = options
  const { coordinator = 'c1', channelTo = () => null, duty = new DutyKeeper('coordinator') } = options
  let ids = 0
  const signer = new Signer(new Uint8Array(32), clock)
  const results = new FlightResults(signer, clock, coordinator, duty)
  const polls = new FlightPolls(results, clock)
  const newId = (): string => `id-${++ids}`
  const logins = new Logins(signer, users)
  const server = new GrpcServer({ authenticate: () => undefined, links: true })
  const { sessions, own, statements } = fakeStatements(t, queries, clock, newId, duty)
  const handlers = flightSqlHandlers({
    sessions, own, statements: options.statements ?? statements, catalog, version: '0.1.0', newId, signer,
    logins, results, polls, channelTo,
  })
  const front = options.front?.({ handlers, results, polls, login: new FlightLogin(sessions, logins, newId) })
  server.addService(FlightService, { ...handlers, ...front })
  server.addService(ResultService, resultHandlers(results, polls, logins, nodeGuard(nodes)))
  const port = await server.listen('127.0.0.1', 0)
  t.teardown(() => server.close())
  return port
}

const definition = serviceDefinition(FlightService)

export class FlightClient {
  readonly metadata = new Metadata()
  readonly #client: Client

  /** `tls`: PEM of the CA to be trusted, and of the client's own certificate, if it shows one. */
  constructor(t: Teardown, port: number, tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer }) {
    const trusted = tls === undefined ? credentials.createInsecure()
      : credentials.createSsl(tls.ca, tls.key ?? null, tls.cert ?? null)
    this.#client = new Client(`127.0.0.1:${port}`, trusted)
    t.teardown(() => this.#client.close())
  }

  /** Logs in, by a header or by what the message says, keeps the token for later calls and gives it back. */
  async handshake(authorization?: string, said?: Uint8Array): Promise<{ header: string; payload: string }> {
    const wire = method('handshake')
    const metadata = new Metadata()
    if (authorization !== undefined) metadata.set('authorization', authorization)
    const { path, requestSerialize, responseDeserialize } = wire
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata)
    const header = new Promise<string>(resolve => {
      call.once('metadata', (headers: Metadata) => resolve(String(headers.get('authorization')[0])))
    })
    if (said !== undefined) call.write(create(HandshakeRequestSchema, { payload: said }))
    call.end()
    let payload = ''
    for await (const response of call as AsyncIterable<HandshakeResponse>) {
      payload += Buffer.from(response.payload).toString()
    }
    this.metadata.set('authorization', await header)
    return { header: await header, payload }
  }

  getFlightInfo(cmd: Uint8Array): Promise<FlightInfo> {
    return this.#unary('getFlightInfo', descriptor(cmd))
  }

  getSchema(cmd: Uint8Array): Promise<SchemaResult> {
    return this.#unary('getSchema', descriptor(cmd))
  }

  doGet(ticket: Uint8Array) {
    const wire = method('doGet')
    return this.#client.makeServerStreamRequest(
      wire.path, wire.requestSerialize, wire.responseDeserialize, create(TicketSchema, { ticket }), this.metadata)
  }

  /** Bytes as they are, instead of a message; resolves when the server has ended the call, to its status. */
  async raw(name: keyof typeof FlightService.method, ...messages: readonly Uint8Array[]): Promise<number> {
    const { path } = method(name)
    const [as, keep] = [(bytes: Uint8Array) => Buffer.from(bytes), (bytes: Buffer) => bytes]
    const call = this.#client.makeBidiStreamRequest(path, as, keep, this.metadata)
    for (const message of messages) call.write(message)
    call.end()
    call.resume()
    call.on('error', () => undefined)
    return new Promise(resolve => { call.once('status', ({ code }) => resolve(code)) })
  }

  /** The bodies of an action's results. */
  async act(type: string, body: Uint8Array): Promise<Uint8Array[]> {
    const wire = method('doAction')
    const call = this.#client.makeServerStreamRequest(
      wire.path, wire.requestSerialize, wire.responseDeserialize, create(ActionSchema, { type, body }), this.metadata)
    const bodies: Uint8Array[] = []
    for await (const result of call as AsyncIterable<Result>) bodies.push(result.body)
    return bodies
  }

  pollFlightInfo(cmd: Uint8Array): Promise<PollInfo> {
    return this.#unary('pollFlightInfo', descriptor(cmd))
  }

  /** Uploads messages, the command with the first; the metadata of what comes back. */
  async put(cmd: Uint8Array, messages: readonly RawFlightData[]): Promise<Uint8Array[]> {
    const { path, requestSerialize, responseDeserialize } = method('doPut')
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, this.metadata)
    const [first = { dataHeader: new Uint8Array(0), dataBody: new Uint8Array(0) }, ...others] = messages
    call.write(create(FlightDataSchema, { ...first, flightDescriptor: descriptor(cmd) }))
    for (const message of others) call.write(create(FlightDataSchema, message))
    call.end()
    const answers: Uint8Array[] = []
    for await (const { appMetadata } of call as AsyncIterable<PutResult>) answers.push(appMetadata)
    return answers
  }

  /** Uploads messages without an end, and goes away; resolves when the server has been told. */
  async breakOff(cmd: Uint8Array, messages: readonly RawFlightData[]): Promise<unknown> {
    const { path, requestSerialize, responseDeserialize } = method('doPut')
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, this.metadata)
    const ended = new Promise(resolve => { call.once('error', resolve) })
    for (const [i, message] of messages.entries()) {
      const first = i === 0 ? { flightDescriptor: descriptor(cmd) } : {}
      const shape = create(FlightDataSchema, { ...message, ...first })
      await new Promise<void>(resolve => { call.write(shape, () => resolve()) })
    }
    call.cancel()
    return ended
  }

  /** GetFlightInfo and DoGet of its endpoint; the two schemas must be the same bytes. */
  async read(cmd: Uint8Array): Promise<ArrowTable> {
    const info = await this.getFlightInfo(cmd)
    const [endpoint] = info.endpoint
    if (endpoint?.ticket === undefined) throw new Error('no ticket')
    const pieces: Uint8Array[] = []
    const messages = this.doGet(endpoint.ticket.ticket) as AsyncIterable<FlightData>
    for await (const { dataHeader, dataBody } of messages) {
      pieces.push(...encapsulate({ dataHeader, dataBody }))
    }
    const [schema = new Uint8Array(0)] = pieces
    if (!Buffer.from(info.schema).equals(schema)) throw new Error('FlightInfo has another schema')
    return tableFromIPC(Buffer.concat(pieces))
  }

  #unary<Response>(name: string, request: unknown): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = method(name)
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response?: unknown) => {
        if (error === null) resolve(response as Response)
        else reject(error)
      }
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, this.metadata, done)
    })
  }
}

function descriptor(cmd: Uint8Array) {
  return create(FlightDescriptorSchema, { type: FlightDescriptor_DescriptorType.CMD, cmd })
}

function method(name: string): MethodDefinition<unknown, unknown> {
  return definition[name] as MethodDefinition<unknown, unknown>
}

export function packed<Schema extends DescMessage>(schema: Schema, value: MessageInitShape<Schema>): Uint8Array {
  const any = create(AnySchema, {
    typeUrl: `type.googleapis.com/${schema.typeName}`, value: toBinary(schema, create(schema, value)),
  })
  return toBinary(AnySchema, any)
}

export function unpacked<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array): MessageShape<Schema> {
  return fromBinary(schema, fromBinary(AnySchema, bytes).value)
}

export function ticketOf({ endpoint }: FlightInfo, index = 0): Uint8Array {
  return endpoint[index]?.ticket?.ticket ?? new Uint8Array(0)
}

/** All that a ticket gives, to be compared. */
export async function bytesRead(client: FlightClient, ticket: Uint8Array): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const { dataHeader, dataBody } of client.doGet(ticket) as AsyncIterable<FlightData>) {
    pieces.push(dataHeader, dataBody)
  }
  return Buffer.concat(pieces).toString('hex')
}

/** The rows of a table as plain objects. */
export function rowsOf(table: ArrowTable): unknown[] {
  return table.toArray().map(row => row?.toJSON())
}
