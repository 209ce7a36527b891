/**
 * DoPut: values of parameters, statements that the client takes for updates, and rows for a table. The first message
 * says which. What a client sends is done as a whole or not at all: a client that goes away has done nothing.
 */

import { QueryError } from '../../proto/errors.ts'
import type { FlightData } from '../../proto/gen/flight_pb.js'
import {
  CommandPreparedStatementQuerySchema, CommandPreparedStatementUpdateSchema, CommandStatementIngestSchema,
  CommandStatementUpdateSchema, DoPutPreparedStatementResultSchema, DoPutUpdateResultSchema,
  type CommandStatementIngest,
} from '../../proto/gen/flight_sql_pb.js'
import type { Call } from '../../proto/grpc-server.ts'
import { encode, packedName, unpack } from '../../proto/flight-any.ts'
import { readBinding } from './flight-binding.ts'
import type { FlightResults } from './flight-results.ts'
import type { FlightTickets } from './flight-tickets.ts'
import { ingestMode, ingestTarget } from './flight-ingest.ts'
import type { Asked, FlightStatements } from './flight-statements.ts'
import type { Session } from '../session/session.ts'
import type { FlightLogin } from './session.ts'

export interface FlightParts {
  readonly sessions: FlightLogin
  readonly statements: FlightStatements
  readonly results: FlightResults
  readonly tickets: FlightTickets
}

/** Of a statement that reads. */
const UNKNOWN = -1n

type PutResultShape = { appMetadata: Uint8Array }

export class FlightUploads {
  readonly #parts: FlightParts

  constructor(parts: FlightParts) {
    this.#parts = parts
  }

  async *take(messages: AsyncIterable<FlightData>, call: Call): AsyncGenerator<PutResultShape> {
    const session = await this.#parts.sessions.of(call)
    const { first, all } = await peek(messages)
    const cmd = first.flightDescriptor?.cmd ?? new Uint8Array(0)
    const command = unpack(cmd, [
      CommandPreparedStatementQuerySchema, CommandPreparedStatementUpdateSchema, CommandStatementUpdateSchema,
      CommandStatementIngestSchema,
    ])
    switch (command?.$typeName) {
      case 'arrow.flight.protocol.sql.CommandPreparedStatementQuery': {
        const { preparedStatementHandle } = command
        await this.#bind(preparedStatementHandle, session, all)
        yield { appMetadata: encode(DoPutPreparedStatementResultSchema, { preparedStatementHandle }) }
        return
      }
      case 'arrow.flight.protocol.sql.CommandPreparedStatementUpdate':
        await this.#bind(command.preparedStatementHandle, session, all)
        yield await this.#update(this.#parts.statements.named(command.preparedStatementHandle, session), session, call)
        return
      case 'arrow.flight.protocol.sql.CommandStatementUpdate':
        this.#parts.statements.transactions.check(session, command.transactionId)
        yield await this.#update({ kind: 'text', sql: command.query }, session, call)
        return
      case 'arrow.flight.protocol.sql.CommandStatementIngest':
        yield await this.#ingest(command, session, all, call)
        return
      default: throw new QueryError('UNSUPPORTED_STATEMENT', `DoPut of ${packedName(cmd)} is not supported`)
    }
  }

  async #bind(handle: Uint8Array, session: Session, messages: AsyncIterable<FlightData>): Promise<void> {
    const prepared = this.#parts.statements.prepared.get(session.id, handle)
    const binding = await readBinding(messages)
    if (binding !== null && binding.columnCount > 0) prepared.binding = binding
  }

  /** Runs it to its end. */
  async #update(asked: Asked, session: Session, call: Call): Promise<PutResultShape> {
    const { query, placed } = await this.#parts.statements.start(asked, session, call, 'count')
    for await (const _ of this.#parts.results.readOnce(query, placed, call.signal)) continue
    return updated(query.changedRows?.() ?? UNKNOWN)
  }

  async #ingest(
    command: CommandStatementIngest, session: Session, messages: AsyncIterable<FlightData>, call: Call,
  ): Promise<PutResultShape> {
    const { statements } = this.#parts
    statements.transactions.check(session, command.transactionId)
    const [target, mode] = [ingestTarget(command, session), ingestMode(command)]
    return updated(await statements.ingest(session, target, mode, withHeader(messages), call.signal))
  }
}

function updated(recordCount: bigint): PutResultShape {
  return { appMetadata: encode(DoPutUpdateResultSchema, { recordCount }) }
}

/** Messages of metadata alone are no Arrow. */
async function* withHeader(messages: AsyncIterable<FlightData>): AsyncGenerator<FlightData> {
  for await (const message of messages) if (message.dataHeader.length > 0) yield message
}

/** The first message, and all of them. Throws INVALID_REQUEST if there is none. */
async function peek<T>(messages: AsyncIterable<T>): Promise<{ first: T; all: AsyncIterable<T> }> {
  const iterator = messages[Symbol.asyncIterator]()
  const { done, value } = await iterator.next()
  if (done === true) throw new QueryError('INVALID_REQUEST', 'an upload without a message')
  const first = value
  async function* all(): AsyncGenerator<T> {
    yield first
    for (;;) {
      const next = await iterator.next()
      if (next.done === true) return
      yield next.value
    }
  }
  return { first, all: all() }
}
