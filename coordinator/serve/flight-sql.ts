/**
 * Arrow Flight SQL. GetFlightInfo starts a statement and waits until its columns are known; DoGet reads its rows
 * through one endpoint without a location, which every client understands, or, where a client asks for it, through one
 * for each part of a large result. A client that resets its call cancels the statement. Metadata is answered from the
 * catalog; uploads are in flight-uploads.ts, actions in flight-actions.ts, statements in flight-statements.ts; what is
 * not there is UNIMPLEMENTED.
 */

import { smallTableMessages } from '../../proto/arrow-table.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { FlightDescriptor, FlightService, HandshakeRequest, Ticket } from '../../proto/gen/flight_pb.js'
import { TicketStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import type { Call, ServiceHandlers } from '../../proto/grpc-server.ts'
import type { Sessions } from '../session/sessions.ts'
import { actionTypes, FlightActions } from './flight-actions.ts'
import { unpack } from '../../proto/flight-any.ts'
import {
  encapsulatedMessage, encapsulatedSchema, metadataColumns, metadataSchema, type MetadataOptions,
} from './flight-commands.ts'
import type { FlightPolls } from './flight-polls.ts'
import type { FlightResults } from './flight-results.ts'
import { FlightStatements, type StatementOptions } from './flight-statements.ts'
import { endpointOf, flightInfo } from './flight-info.ts'
import { FlightTickets, type ChannelTo } from './flight-tickets.ts'
import { FlightUploads } from './flight-uploads.ts'
import { FlightLogin } from './session.ts'
import type { Logins } from './logins.ts'
import type { Signer } from '../../proto/signed-text.ts'

export interface FlightSqlOptions extends MetadataOptions, StatementOptions {
  readonly sessions: Sessions
  readonly newId: () => string
  readonly signer: Signer
  readonly results: FlightResults
  readonly polls: FlightPolls
  readonly channelTo: ChannelTo
  readonly logins: Logins
}

export function flightSqlHandlers(options: FlightSqlOptions): ServiceHandlers<typeof FlightService> {
  const service = new FlightSql(options)
  return {
    handshake: (requests, call) => service.handshake(requests, call),
    listFlights: (_, call) => service.list([], call),
    getFlightInfo: (descriptor, call) => service.getFlightInfo(descriptor, call),
    pollFlightInfo: (descriptor, call) => service.pollFlightInfo(descriptor, call),
    getSchema: async (descriptor, call) => ({ schema: await service.getSchema(descriptor, call) }),
    doGet: (ticket, call) => service.doGet(ticket, call),
    doPut: (messages, call) => service.uploads.take(messages, call),
    doExchange: () => { throw new QueryError('UNSUPPORTED_STATEMENT', 'DoExchange is not supported') },
    doAction: (action, call) => service.actions.run(action, call),
    listActions: (_, call) => service.list(actionTypes, call),
  }
}

class FlightSql {
  readonly actions: FlightActions
  readonly uploads: FlightUploads
  readonly #options: FlightSqlOptions
  readonly #sessions: FlightLogin
  readonly #results: FlightResults
  readonly #statements: FlightStatements
  readonly #polls: FlightPolls
  readonly #tickets: FlightTickets

  constructor(options: FlightSqlOptions) {
    const { newId, sessions, signer, results, polls } = options
    this.#options = options
    this.#sessions = new FlightLogin(sessions, options.logins, newId)
    this.#results = results
    this.#polls = polls
    this.#tickets = new FlightTickets(results, polls, options.channelTo)
    this.#statements = new FlightStatements(options, signer)
    sessions.attach(({ id }) => this.#statements.prepared.endSession(id), () => false)
    const parts = { sessions: this.#sessions, results, tickets: this.#tickets, statements: this.#statements }
    this.actions = new FlightActions(parts)
    this.uploads = new FlightUploads(parts)
  }

  /** Clients read the token from the header, some from a message. Who shows nothing in a header says it in his. */
  async *handshake(requests: AsyncIterable<HandshakeRequest>, call: Call): AsyncGenerator<{ payload: Uint8Array }> {
    const first = (): Promise<IteratorResult<HandshakeRequest>> => requests[Symbol.asyncIterator]().next()
    const said = call.header('authorization') === undefined ? await first() : undefined
    const token = await this.#sessions.logIn(call, said?.done === false ? said.value.payload : undefined)
    call.setHeader('authorization', `Bearer ${token}`)
    if (said === undefined) await first() // one message, or the end at once
    yield { payload: Buffer.from(token) }
  }

  /** The same for everybody, but for who is not known. */
  async *list<T>(values: readonly T[], call: Call): AsyncGenerator<T> {
    await this.#sessions.known(call)
    yield* values
  }

  async getFlightInfo(descriptor: FlightDescriptor, call: Call) {
    const session = await this.#sessions.of(call)
    const asked = this.#statements.read(descriptor.cmd, session)
    if (asked === undefined) {
      const schema = await metadataSchema(descriptor.cmd, session, this.#options.version)
      return flightInfo(descriptor, encapsulatedMessage(schema), [{ ticket: { ticket: descriptor.cmd } }])
    }
    const late = this.#statements.late(asked, session)
    if (late !== undefined) {
      return flightInfo(descriptor, encapsulatedSchema(late.columns, session.enums), [late.endpoint])
    }
    const { query, columns, placed, offer } = await this.#statements.start(asked, session, call, 'parts')
    const endpoints = this.#results.tickets(query, placed, offer).map(endpointOf)
    return flightInfo(descriptor, encapsulatedSchema(columns, session.enums), endpoints, offer?.isInOrder)
  }

  async pollFlightInfo(descriptor: FlightDescriptor, call: Call) {
    const session = await this.#sessions.of(call)
    const handle = this.#polls.handle(descriptor)
    if (handle !== undefined) return this.#tickets.poll(descriptor, handle, session.principal, call.signal)
    const asked = this.#statements.read(descriptor.cmd, session)
    if (asked === undefined) return { info: await this.getFlightInfo(descriptor, call), progress: 1 }
    const { query, placed } = this.#statements.submit(asked, session, call)
    return this.#polls.begin(descriptor, this.#results.add(query, placed), session.principal, call.signal)
  }

  async getSchema(descriptor: FlightDescriptor, call: Call): Promise<Uint8Array> {
    const session = await this.#sessions.of(call)
    const asked = this.#statements.read(descriptor.cmd, session)
    if (asked !== undefined) {
      return encapsulatedSchema(await this.#statements.columns(asked, session), session.enums)
    }
    return encapsulatedMessage(await metadataSchema(descriptor.cmd, session, this.#options.version))
  }

  async *doGet({ ticket }: Ticket, call: Call): AsyncGenerator<RawFlightData> {
    const session = await this.#sessions.of(call)
    const statement = unpack(ticket, [TicketStatementQuerySchema])
    if (statement === undefined) return yield* smallTableMessages(await metadataColumns(ticket, session, this.#options))
    const handle = Buffer.from(statement.statementHandle).toString()
    const asked = this.#statements.asked(handle, session)
    if (asked === undefined) return yield* this.#tickets.read(handle, session.principal, call.signal)
    const { query, placed } = await this.#statements.start(asked, session, call)
    yield* this.#results.readOnce(query, placed, call.signal)
  }
}
