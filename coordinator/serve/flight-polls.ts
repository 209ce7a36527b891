/**
 * PollFlightInfo: a statement that is followed while it runs.
 *
 *   first poll   starts it
 *   each poll    waits a moment for its rows; then tells how much is done, and how to ask again
 *   last poll    gives the endpoint, and nothing to ask again
 */

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Clock } from '../../proto/clock.ts'
import type { FlightDescriptor } from '../../proto/gen/flight_pb.js'
import { FlightDescriptor_DescriptorType, type PollInfoSchema } from '../../proto/gen/flight_pb.js'
import { TicketStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { delay } from '../../proto/clock.ts'
import { tryUnpack } from '../../proto/flight-any.ts'
import { encapsulatedSchema } from './flight-commands.ts'
import { endpointOf, flightInfo, statementTicket, timestamp } from './flight-info.ts'
import type { FlightResults, Ticket } from './flight-results.ts'

/** How long a poll waits for the rows: fewer calls of those that ask without a pause. */
const WAIT_MS = 1_000
const LOOK_MS = 20

export type PollShape = MessageInitShape<typeof PollInfoSchema>

export class FlightPolls {
  readonly #results: FlightResults
  readonly #clock: Clock

  constructor(results: FlightResults, clock: Clock) {
    this.#results = results
    this.#clock = clock
  }

  /** Of a statement that was begun by another poll; undefined for a command. */
  handle({ cmd }: FlightDescriptor): string | undefined {
    const handle = tryUnpack(cmd, [TicketStatementQuerySchema])?.statementHandle
    return handle === undefined ? undefined : Buffer.from(handle).toString()
  }

  /** `descriptor`: of the call that began it. */
  begin(descriptor: FlightDescriptor, ticket: Ticket, principal: string, signal: AbortSignal): Promise<PollShape> {
    return this.#answer(descriptor, ticket, principal, signal)
  }

  async again(
    descriptor: FlightDescriptor, handle: string, principal: string, signal: AbortSignal,
  ): Promise<PollShape> {
    return this.#answer(descriptor, this.#results.renew(handle, principal), principal, signal)
  }

  async #answer(
    descriptor: FlightDescriptor, ticket: Ticket, principal: string, signal: AbortSignal,
  ): Promise<PollShape> {
    const { query, placed } = this.#results.find(ticket.handle, principal)
    const cmd = statementTicket(ticket.handle)
    const untilMs = this.#clock.nowMs() + WAIT_MS
    try {
      const columns = await query.columns
      const schema = encapsulatedSchema(columns, query.request.enums)
      while (!query.isReadable() && this.#clock.nowMs() < untilMs && !signal.aborted) {
        await delay(this.#clock, LOOK_MS)
      }
      const error = query.error()
      if (error !== null) throw error
      const isReadable = query.isReadable()
      return {
        // without an endpoint, a client that cancels has this alone to show
        info: { ...flightInfo(descriptor, schema, isReadable ? [endpointOf(ticket)] : []), appMetadata: cmd },
        progress: isReadable ? 1 : query.progress(),
        // of the right to ask again
        ...(isReadable ? {} : {
          flightDescriptor: { type: FlightDescriptor_DescriptorType.CMD, cmd },
          expirationTime: timestamp(ticket.expiresMs),
        }),
      }
    } catch (thrown) {
      throw placed(thrown)
    }
  }
}
