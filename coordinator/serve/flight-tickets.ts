/**
 * Tickets of statements, whichever coordinator runs them: a ticket names it, and it alone knows whether its statement
 * runs, which rows count and who reads. Another coordinator that is shown the ticket asks it, and passes its rows on
 * undecoded; if it is gone, so are its statements.
 */

import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { FlightDescriptor } from '../../proto/gen/flight_pb.js'
import { PartEnd_How as How, ResultService, type PartReading } from '../../proto/gen/results_pb.js'
import type { GrpcChannel } from '../../proto/grpc-channel.ts'
import type { Call, ServiceHandlers } from '../../proto/grpc-server.ts'
import { passedOn } from '../../proto/wire-frame.ts'
import type { FlightPolls, PollShape } from './flight-polls.ts'
import type { CancelOutcome, FlightResults, Ticket } from './flight-results.ts'
import type { Logins } from './logins.ts'

/** Above what a poll waits for rows (flight-polls.ts). */
const ANSWER_WITHIN_MS = 5_000

/** To another coordinator, for one use; null: it is not there. */
export type ChannelTo = (coordinator: string) => GrpcChannel | null

export class FlightTickets {
  readonly #here: FlightResults
  readonly #polls: FlightPolls
  readonly #channelTo: ChannelTo

  constructor(here: FlightResults, polls: FlightPolls, channelTo: ChannelTo) {
    this.#here = here
    this.#polls = polls
    this.#channelTo = channelTo
  }

  /** As FlightResults.read; UNAVAILABLE if the coordinator that runs the statement is gone. So with the others. */
  async *read(handle: string, principal: string, signal: AbortSignal): AsyncGenerator<RawFlightData> {
    const channel = this.#elsewhere(handle)
    if (channel === null) return yield* this.#here.read(handle, principal, signal)
    try {
      yield* passedOn(channel.frames(ResultService.method.readResult, { handle, principal }, signal))
    } finally {
      channel.close()
    }
  }

  renew(handle: string, principal: string): Promise<Ticket> {
    return this.#ask(handle, async () => this.#here.renew(handle, principal), channel =>
      channel.service(ResultService).renewResult({ handle, principal }, { deadlineMs: ANSWER_WITHIN_MS }))
  }

  cancel(handle: string, principal: string): Promise<CancelOutcome> {
    return this.#ask(handle, async () => this.#here.cancel(handle, principal), async channel => {
      const { ended } = await channel.service(ResultService)
        .cancelResult({ handle, principal }, { deadlineMs: ANSWER_WITHIN_MS })
      return ended ? 'ended' : 'cancelled'
    })
  }

  /** Of a statement that was begun by an earlier poll. */
  poll(descriptor: FlightDescriptor, handle: string, principal: string, signal: AbortSignal): Promise<PollShape> {
    return this.#ask(handle, () => this.#polls.again(descriptor, handle, principal, signal), channel =>
      channel.service(ResultService)
        .pollResult({ descriptor, ticket: { handle, principal } }, { deadlineMs: ANSWER_WITHIN_MS, signal }))
  }

  async #ask<T>(handle: string, here: () => Promise<T>, there: (channel: GrpcChannel) => Promise<T>): Promise<T> {
    const channel = this.#elsewhere(handle)
    if (channel === null) return here()
    try {
      return await there(channel)
    } finally {
      channel.close()
    }
  }

  /** null: it is this coordinator's. */
  #elsewhere(handle: string): GrpcChannel | null {
    const owner = this.#here.otherOwner(handle)
    if (owner === null) return null
    const channel = this.#channelTo(owner)
    if (channel !== null) return channel
    throw new QueryError('UNAVAILABLE', 'the coordinator that has run the ticket\'s statement is gone, its result too')
  }
}

/** What other coordinators ask, and executors of parts. `guard` throws for who is no node of the cluster. */
export function resultHandlers(
  here: FlightResults, polls: FlightPolls, logins: Logins, guard: (call: Call) => void,
): ServiceHandlers<typeof ResultService> {
  return {
    readPart: (requests, call) => {
      guard(call)
      return partReading(here, logins, requests, call)
    },
    readResult: ({ handle, principal }, call) => {
      guard(call)
      return here.read(handle, principal, call.signal)
    },
    renewResult: ({ handle, principal }, call) => {
      guard(call)
      const { locations = [], ...ticket } = here.renew(handle, principal)
      return { ...ticket, locations: [...locations] }
    },
    cancelResult: ({ handle, principal }, call) => {
      guard(call)
      return { ended: here.cancel(handle, principal) === 'ended' }
    },
    pollResult: ({ ticket, descriptor }, call) => {
      guard(call)
      if (ticket === undefined || descriptor === undefined) throw new QueryError('INVALID_REQUEST', 'an empty poll')
      return polls.again(descriptor, ticket.handle, ticket.principal, call.signal)
    },
  }
}

/** What an executor tells of a reader of a part. A stream that breaks is the executor's end, not its reader's. */
async function* partReading(
  here: FlightResults, logins: Logins, requests: AsyncIterable<PartReading>, call: Call,
): AsyncGenerator<Record<string, never>> {
  const steps = requests[Symbol.asyncIterator]()
  const { step: first } = (await steps.next() as { readonly value?: PartReading }).value ?? {}
  if (first?.case !== 'reader') throw new QueryError('INVALID_REQUEST', 'a reading without a reader')
  const { handle, authorization, address, certified } = first.value
  const { principal } = await logins.caller({
    authorization: authorization === '' ? undefined : authorization, address,
    certificate: certified === '' ? null : { name: certified, role: 'client' },
  })
  const end = here.readPart(handle, principal)
  const broken = (): void => end('broken', 0)
  call.signal.addEventListener('abort', broken, { once: true })
  try {
    yield {}
    const { step: last } = (await steps.next() as { readonly value?: PartReading }).value ?? {}
    if (last?.case === 'end') end(last.value.how === How.WHOLE ? 'whole' : 'left', Number(last.value.bytes))
  } finally {
    call.signal.removeEventListener('abort', broken)
    broken()
  }
}
