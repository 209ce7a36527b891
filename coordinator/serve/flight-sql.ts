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
import type { QueryId } from '../../proto/ids.ts'
import type { QueryRequest, RunningQuery } from '../running-query.ts'
import { actionTypes, FlightActions } from './flight-actions.ts'
import { encode, pack, packedName, unpack } from './flight-any.ts'
import { encapsulatedMessage, encapsulatedSchema, metadataColumns, type MetadataOptions } from './flight-commands.ts'
import { FlightResults } from './flight-results.ts'
import type { Queries } from './ports.ts'
import { Sessions, type Session } from './session.ts'
import { Signer } from './signed-text.ts'

export interface FlightSqlOptions extends MetadataOptions {
  readonly queries: Queries
  /** The columns of a statement, which does not run. */
  readonly describe: (request: QueryRequest) => Promise<readonly TableColumn[]>
  readonly clock: Clock
  readonly newId: () => string
  /** Signs tokens and tickets; at least 32 bytes. */
  readonly key: Uint8Array
  readonly defaultCatalog: string
  readonly defaultSchema: string
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
  readonly #sessions: Sessions
  readonly #results: FlightResults

  constructor(options: FlightSqlOptions) {
    const { defaultCatalog: catalog, defaultSchema: schema } = options
    const signer = new Signer(options.key, options.clock)
    this.#options = options
    this.#sessions = new Sessions(signer, options.newId, { catalog, schema })
    this.#results = new FlightResults(signer, options.clock)
    this.actions = new FlightActions({
      sessions: this.#sessions, results: this.#results, newId: options.newId,
      describe: (session, sql) => options.describe(this.#request({ session, sql })),
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
      return encapsulatedSchema(await this.#options.describe(this.#request(asked)), asked.session.enums)
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
      const sql = 'query' in update ? update.query : preparedSql(session, update.preparedStatementHandle)
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
    if (!('query' in command)) return { session, sql: preparedSql(session, command.preparedStatementHandle) }
    if (command.transactionId !== undefined && command.transactionId.length > 0) {
      throw new QueryError('NOT_FOUND', 'unknown transaction')
    }
    return { session, sql: command.query }
  }

  /** Starts it and waits for its columns; if the client goes meanwhile, it is cancelled. */
  async #start(asked: Asked, call: Call): Promise<{ query: RunningQuery; columns: readonly TableColumn[] }> {
    const query = this.#options.queries.submit(this.#request(asked))
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

  #request({ session, sql }: Asked): QueryRequest {
    return {
      sql,
      defaultCatalog: session.catalog,
      defaultSchema: session.schema,
      settings: Object.fromEntries(session.settings),
      principal: session.principal,
      sessionId: session.id,
      clientInterface: 'ArrowFlightSQL',
      enums: session.enums,
      queryId: this.#options.newId() as QueryId,
    }
  }
}

function preparedSql(session: Session, handle: Uint8Array): string {
  const sql = session.prepared.get(Buffer.from(handle).toString())
  if (sql === undefined) throw new QueryError('NOT_FOUND', 'unknown prepared statement')
  return sql
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
