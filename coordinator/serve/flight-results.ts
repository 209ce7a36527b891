/**
 * Statements between GetFlightInfo, which starts them, and DoGet, which reads them: once. A result that nobody reads
 * within a minute is dropped, and so is one whose reader goes away.
 */

import type { Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { QueryId } from '../../proto/ids.ts'
import type { RunningQuery } from '../running-query.ts'
import type { Signer } from './signed-text.ts'

/** From GetFlightInfo to DoGet. */
const UNREAD_MS = 60_000
const TICKET = 'result'

export class FlightResults {
  readonly #waiting = new Map<QueryId, { readonly query: RunningQuery; readonly keep: () => void }>()
  readonly #signer: Signer
  readonly #clock: Clock

  constructor(signer: Signer, clock: Clock) {
    this.#signer = signer
    this.#clock = clock
  }

  /** The handle that a reader shows. */
  add(query: RunningQuery): string {
    const keep = this.#clock.after(UNREAD_MS, () => {
      this.#waiting.delete(query.id)
      query.cancel(`nobody read its result within ${UNREAD_MS} ms`)
      query.release()
    })
    this.#waiting.set(query.id, { query, keep })
    return this.#signer.sign(TICKET, query.id, UNREAD_MS)
  }

  /** The messages of the result, for its first reader; NOT_FOUND for everyone after. */
  async *read(handle: string, signal: AbortSignal): AsyncGenerator<RawFlightData> {
    const query = this.#take(handle)
    const cancel = () => query.cancel('the client went away')
    signal.addEventListener('abort', cancel, { once: true })
    try {
      if (signal.aborted) cancel()
      yield* query.frames()
    } finally {
      signal.removeEventListener('abort', cancel)
      query.release()
    }
  }

  /** False if it is no longer waiting. */
  cancel(handle: string): boolean {
    const id = this.#signer.read(TICKET, handle) as QueryId | undefined
    if (id === undefined || !this.#waiting.has(id)) return false
    const query = this.#take(handle)
    query.cancel('cancelled by its client')
    query.release()
    return true
  }

  #take(handle: string): RunningQuery {
    const id = this.#signer.read(TICKET, handle) as QueryId | undefined
    const waiting = id === undefined ? undefined : this.#waiting.get(id)
    if (id === undefined || waiting === undefined) {
      throw new QueryError('NOT_FOUND', 'no result for this ticket: it was read already, or has expired')
    }
    this.#waiting.delete(id)
    waiting.keep()
    return waiting.query
  }
}
