/**
 * Arrow Flight SQL. GetFlightInfo starts a statement and waits until its columns are known; DoGet reads its rows,
 * once, through one endpoint without a location, which every client understands. A client that resets its call
 * cancels the statement. Metadata is answered from the catalog; actions are in flight-actions.ts, what is not here
 * is UNIMPLEMENTED.
 */

import type { TableColumn } from '../../catalog/table.ts'
import { smallSchemaMessage, smallTableMessages } from '../../proto/arrow-table.ts'
import type { Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type {
  FlightData, FlightDescriptor, FlightService, HandshakeRequest, Ticket,
} from '../../proto/gen/flight_pb.js'
import {
  CommandPreparedStatementQuerySchema, CommandPreparedStatementUpdateSchema, CommandStatementQuerySchema,
  CommandStatementUpdateSchema, DoPutUpdateResultSchema, TicketStatementQuerySchema,
} from '../../proto/gen/flight_sql_pb.js'
import type { Call, ServiceHandlers } from '../../proto/grpc-server.ts'
import type { RunningQuery } from '../running-query.ts'
import { preparedText, type Session } from '../session/session.ts'
import type { Sessions } from '../session/sessions.ts'
import type { StatementInput, Statements } from '../session/statements.ts'
import { actionTypes, FlightActions } from './flight-actions.ts'
import { encode, pack, packedName, unpack } from './flight-any.ts'
import { encapsulatedMessage, encapsulatedSchema, metadataColumns, type MetadataOptions } from './flight-commands.ts'
import { FlightResults } from './flight-results.ts'
import { FlightLogin } from './session.ts'
import { Signer } from './signed-text.ts'

export interface FlightSqlOptions extends MetadataOptions {
  readonly sessions: Sessions
  readonly statements: Statements
  readonly clock: Clock
  readonly newId: () => string
  /** Signs tokens and tickets; at least 32 bytes. */
  readonly key: Uint8Array
}

/** Not counted. */
const UNKNOWN = -1n

export function flightSqlHandlers(options: FlightSqlOptions): ServiceHandlers<typeof FlightService> {
  const service = new FlightSql(options)
  return {
    handshake: (requests, call) => service.handshake(requests, call),
    listFlights: () => nothing(),
    getFlightInfo: (descriptor, call) => service.getFlightInfo(descriptor, call),
    pollFlightInfo: () => { throw unimplemented('PollFlightInfo') },
    getSchema: async (descriptor, call) => ({ schema: await service.getSchema(descriptor, call) }),
    doGet: (ticket, call) => service.doGet(ticket, call),
    doPut: (messages, call) => service.doPut(messages, call),
    doExchange: () => { throw unimplemented('DoExchange') },
    doAction: (action, call) => service.actions.run(action, call),
    listActions: () => each(actionTypes),
  }
}

/** A statement that a client names: the session that it runs in, and its text. */
interface Asked {
  readonly session: Session
  readonly sql: string
}

class FlightSql {
  readonly actions: FlightActions
  readonly #options: FlightSqlOptions
  readonly #sessions: FlightLogin
  readonly #results: FlightResults

  constructor(options: FlightSqlOptions) {
    const signer = new Signer(options.key, options.clock)
    this.#options = options
    this.#sessions = new FlightLogin(options.sessions, signer, options.newId)
    this.#results = new FlightResults(signer, options.clock)
    this.actions = new FlightActions({
      sessions: this.#sessions, results: this.#results, newId: options.newId,
      describe: (session, sql) => this.#describe({ session, sql }),
    })
  }

  /** Clients read the token from the header; some wait for a message too. */
  async *handshake(requests: AsyncIterable<HandshakeRequest>, call: Call): AsyncGenerator<{ payload: Uint8Array }> {
    const token = this.#sessions.logIn(call)
    call.setHeader('authorization', `Bearer ${token}`)
    await requests[Symbol.asyncIterator]().next() // one message, or the end at once
    yield { payload: Buffer.from(token) }
  }

  async getFlightInfo(descriptor: FlightDescriptor, call: Call) {
    const asked = this.#statement(descriptor.cmd, call)
    if (asked === undefined) {
      const schema = smallSchemaMessage(await metadataColumns(descriptor.cmd, this.#options))
      return flightInfo(descriptor, encapsulatedMessage(schema), descriptor.cmd)
    }
    const { query, columns } = await this.#start(asked, call)
    const ticket = pack(TicketStatementQuerySchema, { statementHandle: Buffer.from(this.#results.add(query)) })
    return flightInfo(descriptor, encapsulatedSchema(columns, asked.session.enums), ticket)
  }

  async getSchema(descriptor: FlightDescriptor, call: Call): Promise<Uint8Array> {
    const asked = this.#statement(descriptor.cmd, call)
    if (asked !== undefined) {
      return encapsulatedSchema(await this.#describe(asked), asked.session.enums)
    }
    return encapsulatedMessage(smallSchemaMessage(await metadataColumns(descriptor.cmd, this.#options)))
  }

  async *doGet({ ticket }: Ticket, call: Call): AsyncGenerator<RawFlightData> {
    this.#sessions.of(call)
    const statement = unpack(ticket, [TicketStatementQuerySchema])
    yield* statement === undefined
      ? smallTableMessages(await metadataColumns(ticket, this.#options))
      : this.#results.read(Buffer.from(statement.statementHandle).toString(), call.signal)
  }

  /** Statements that the client takes for updates: run to the end, rows not counted. */
  async *doPut(messages: AsyncIterable<FlightData>, call: Call): AsyncGenerator<{ appMetadata: Uint8Array }> {
    const session = this.#sessions.of(call)
    for await (const { flightDescriptor } of messages) {
      const cmd = flightDescriptor?.cmd ?? new Uint8Array(0)
      const update = unpack(cmd, [CommandStatementUpdateSchema, CommandPreparedStatementUpdateSchema])
      if (update === undefined) throw unimplemented(`DoPut of ${packedName(cmd)}`)
      const sql = 'query' in update
        ? update.query : preparedText(session, handleText(update.preparedStatementHandle))
      const { query } = await this.#start({ session, sql }, call)
      for await (const _ of this.#results.read(this.#results.add(query), call.signal)) continue
      yield { appMetadata: encode(DoPutUpdateResultSchema, { recordCount: UNKNOWN }) }
      return
    }
  }

  /** Undefined for a command that is not a statement. */
  #statement(cmd: Uint8Array, call: Call): Asked | undefined {
    const session = this.#sessions.of(call)
    const command = unpack(cmd, [CommandStatementQuerySchema, CommandPreparedStatementQuerySchema])
    if (command === undefined) return undefined
    if (!('query' in command)) {
      return { session, sql: preparedText(session, handleText(command.preparedStatementHandle)) }
    }
    if (command.transactionId !== undefined && command.transactionId.length > 0) {
      throw new QueryError('NOT_FOUND', 'unknown transaction')
    }
    return { session, sql: command.query }
  }

  /** Starts it and waits for its columns; if the client goes meanwhile, it is cancelled. */
  async #start(asked: Asked, call: Call): Promise<{ query: RunningQuery; columns: readonly TableColumn[] }> {
    const query = this.#options.statements.submit(input(asked))
    const cancel = () => query.cancel('the client went away')
    call.signal.addEventListener('abort', cancel, { once: true })
    try {
      if (call.signal.aborted) cancel()
      const columns = await query.columns
      if (call.signal.aborted) throw new QueryError('CANCELLED', 'the client went away')
      return { query, columns }
    } catch (error) {
      query.release()
      throw error
    } finally {
      call.signal.removeEventListener('abort', cancel)
    }
  }

  async #describe(asked: Asked): Promise<readonly TableColumn[]> {
    return (await this.#options.statements.describe(input(asked))).columns
  }
}

function input({ session, sql }: Asked): StatementInput {
  return { session, sql, clientInterface: 'ArrowFlightSQL' }
}

function handleText(handle: Uint8Array): string {
  return Buffer.from(handle).toString()
}

function flightInfo(flightDescriptor: FlightDescriptor, schema: Uint8Array, ticket: Uint8Array) {
  return {
    schema, flightDescriptor, endpoint: [{ ticket: { ticket } }], totalRecords: UNKNOWN, totalBytes: UNKNOWN,
    ordered: false,
  }
}

function unimplemented(what: string): QueryError {
  return new QueryError('UNSUPPORTED_STATEMENT', `${what} is not supported`)
}

async function* nothing(): AsyncGenerator<never> {}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values
}
