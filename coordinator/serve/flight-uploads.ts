/** DoPut: values of parameters, and statements that the client takes for updates. The first message says which. */

import { QueryError } from '../../proto/errors.ts'
import type { FlightData } from '../../proto/gen/flight_pb.js'
import {
  CommandPreparedStatementQuerySchema, CommandPreparedStatementUpdateSchema, CommandStatementUpdateSchema,
  DoPutPreparedStatementResultSchema, DoPutUpdateResultSchema,
} from '../../proto/gen/flight_sql_pb.js'
import type { Call } from '../../proto/grpc-server.ts'
import { encode, packedName, unpack } from './flight-any.ts'
import { readBinding } from './flight-binding.ts'
import type { FlightResults } from './flight-results.ts'
import { refuseTransaction, type Asked, type FlightStatements } from './flight-statements.ts'
import type { Session } from '../session/session.ts'
import type { FlightLogin } from './session.ts'

export interface FlightParts {
  readonly sessions: FlightLogin
  readonly statements: FlightStatements
  readonly results: FlightResults
}

/** Rows that a statement changed are not counted. */
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
        refuseTransaction(command.transactionId)
        yield await this.#update({ kind: 'text', sql: command.query }, session, call)
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
    const { query, placed } = await this.#parts.statements.start(asked, session, call)
    for await (const _ of this.#parts.results.readOnce(query, placed, call.signal)) continue
    return { appMetadata: encode(DoPutUpdateResultSchema, { recordCount: UNKNOWN }) }
  }
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
