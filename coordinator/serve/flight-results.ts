/**
 * Statements between GetFlightInfo, which starts them, and DoGet, which reads them: as often as its reader likes, until
 * the ticket expires. The statement runs once.
 *
 *   running   the last reader that goes away before the end cancels it
 *   finished  the rows stay until the ticket expires, but for those that were read first if they become too many
 *
 * A coordinator that drains keeps what was not read, and nothing that was.
 *
 * A ticket is its principal's; nobody else can read with it. What expires while it is read is read to its end.
 */

import type { DutyKeeper } from '../../cluster/duty.ts'
import type { Clock } from '../../proto/clock.ts'
import { RESULT_HOLD_BYTES } from '../../proto/config.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { QueryId } from '../../proto/ids.ts'
import { bytesOf } from '../../proto/wire-frame.ts'
import type { RunningQuery } from '../running-query.ts'
import type { Signer } from './signed-text.ts'

/** From GetFlightInfo, or from its renewal: long enough to try a broken reading again. */
export const TICKET_LIFE_MS = 5 * 60_000
/** Results that were read and stay for another reading, all together: small ones lie in this process's memory, … */
const MAX_SMALL_BYTES = 128 * 1024 * 1024
/** … large ones in the spools of executors, whose disk others need too. A larger one is read once. */
const MAX_LARGE_BYTES = 1024 * 1024 * 1024
/** Each keeps a query's plan and reports too. */
const MAX_READ = 1_000
const TICKET = 'result'

/** The query, whose it is, and the coordinator that runs it. */
type TicketContent = readonly [query: QueryId, principal: string, coordinator: string]

interface Kept {
  readonly query: RunningQuery
  /** Turns an error's place in the text that runs into one in the text that was sent. */
  readonly placed: (thrown: unknown) => unknown
  readers: number
  wasRead: boolean
  /** By the clock's wallMs. */
  expiresMs: number
  cancelTimer: () => void
}

export interface Ticket {
  readonly handle: string
  /** Milliseconds since 1970. */
  readonly expiresMs: number
}

export type CancelOutcome = 'cancelled' | 'ended'

export class FlightResults {
  readonly #kept = new Map<QueryId, Kept>()
  readonly #small = new Shelf(MAX_SMALL_BYTES)
  readonly #large = new Shelf(MAX_LARGE_BYTES)
  readonly #signer: Signer
  readonly #clock: Clock
  readonly #coordinator: string
  readonly #duty: DutyKeeper

  /** `coordinator`: this one, as its tickets name it; `duty`: its own. */
  constructor(signer: Signer, clock: Clock, coordinator: string, duty: DutyKeeper) {
    this.#signer = signer
    this.#clock = clock
    this.#coordinator = coordinator
    this.#duty = duty
    duty.follow(() => { for (const kept of this.#kept.values()) if (kept.readers === 0) this.#unneeded(kept) })
  }

  /** The coordinator that runs the ticket's statement; null: it is this one, or the ticket does not hold. */
  otherOwner(handle: string): string | null {
    const owner = this.#content(handle)?.[2] ?? this.#coordinator
    return owner === this.#coordinator ? null : owner
  }

  /** What a reader shows. */
  add(query: RunningQuery, placed: (thrown: unknown) => unknown): Ticket {
    const kept: Kept = {
      query, placed, readers: 0, wasRead: false, expiresMs: 0, cancelTimer: () => undefined,
    }
    this.#kept.set(query.id, kept)
    return this.#prolong(kept)
  }

  /** The same rows for longer. */
  renew(handle: string, principal: string): Ticket {
    return this.#prolong(this.#find(handle, principal))
  }

  /** For those who follow its progress. */
  find(handle: string, principal: string): Pick<Kept, 'query' | 'placed'> {
    return this.#find(handle, principal)
  }

  /** Of a statement that is read by its first caller alone. */
  async *readOnce(
    query: RunningQuery, placed: Kept['placed'], signal: AbortSignal,
  ): AsyncGenerator<RawFlightData> {
    const cancel = (): void => query.cancel('the client went away')
    signal.addEventListener('abort', cancel, { once: true })
    try {
      if (signal.aborted) cancel()
      yield* query.frames()
    } catch (thrown) {
      throw placed(thrown)
    } finally {
      signal.removeEventListener('abort', cancel)
      query.release()
    }
  }

  /** The messages of the result. Throws NOT_FOUND, PERMISSION_DENIED, and what ends the statement. */
  async *read(handle: string, principal: string, signal: AbortSignal): AsyncGenerator<RawFlightData> {
    const kept = this.#find(handle, principal)
    kept.readers++
    let isReading = true
    const leave = (): void => {
      if (isReading) kept.readers--
      isReading = false
      if (kept.readers === 0) this.#unread(kept)
    }
    // a reader that waits for rows is told of by the signal, one that does not ask for more by `finally`
    signal.addEventListener('abort', leave, { once: true })
    try {
      if (signal.aborted) leave()
      let bytes = 0
      for await (const frame of kept.query.frames()) {
        bytes += bytesOf(frame)
        yield frame
      }
      this.#wasRead(kept, bytes)
    } catch (thrown) {
      throw kept.placed(thrown)
    } finally {
      signal.removeEventListener('abort', leave)
      leave()
    }
  }

  cancel(handle: string, principal: string): CancelOutcome {
    const kept = this.#find(handle, principal)
    const isEnded = hasEnded(kept.query)
    if (!isEnded) kept.query.cancel('cancelled by its client')
    this.#drop(kept)
    return isEnded ? 'ended' : 'cancelled'
  }

  #find(handle: string, principal: string): Kept {
    const [id, owner] = this.#content(handle) ?? []
    if (owner !== undefined && owner !== principal) {
      throw new QueryError('PERMISSION_DENIED', 'the ticket is another user\'s')
    }
    const kept = id === undefined ? undefined : this.#kept.get(id)
    if (kept === undefined) throw new QueryError('NOT_FOUND', 'no result for this ticket: it has expired, or never was')
    return kept
  }

  #content(handle: string): TicketContent | undefined {
    const content = this.#signer.read(TICKET, handle)
    return content === undefined ? undefined : JSON.parse(content) as TicketContent
  }

  #prolong(kept: Kept): Ticket {
    const { id, request } = kept.query
    kept.cancelTimer()
    kept.expiresMs = this.#clock.wallMs() + TICKET_LIFE_MS
    kept.cancelTimer = this.#clock.after(TICKET_LIFE_MS, () => { if (kept.readers === 0) this.#drop(kept) })
    const content: TicketContent = [id, request.principal, this.#coordinator]
    const handle = this.#signer.sign(TICKET, JSON.stringify(content), TICKET_LIFE_MS)
    return { handle, expiresMs: kept.expiresMs }
  }

  /** Nobody reads it at this moment. */
  #unread(kept: Kept): void {
    if (!this.#kept.has(kept.query.id)) return
    if (!hasEnded(kept.query)) kept.query.cancel('the client went away')
    else if (kept.expiresMs > this.#clock.wallMs()) return this.#unneeded(kept)
    this.#drop(kept)
  }

  /** Who drains does not wait for another reading. */
  #unneeded(kept: Kept): void {
    if (kept.wasRead && this.#duty.duty === 'draining') this.#drop(kept)
  }

  #wasRead(kept: Kept, bytes: number): void {
    const { id } = kept.query
    if (!this.#kept.has(id)) return
    kept.wasRead = true
    const shelf = bytes > RESULT_HOLD_BYTES ? this.#large : this.#small
    for (const removed of shelf.put(id, bytes)) {
      const kept = this.#kept.get(removed)
      if (kept !== undefined && (kept.readers === 0 || removed === id)) this.#drop(kept)
    }
  }

  #drop(kept: Kept): void {
    const { id } = kept.query
    if (!this.#kept.delete(id)) return
    kept.cancelTimer()
    this.#small.remove(id)
    this.#large.remove(id)
    kept.query.release()
  }
}

/** Results by the time of their first complete reading. */
class Shelf {
  readonly #maxBytes: number
  readonly #items = new Map<QueryId, number>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Those that have to go for it, perhaps itself. */
  put(id: QueryId, bytes: number): readonly QueryId[] {
    if (this.#items.has(id)) return []
    this.#items.set(id, bytes)
    this.#bytes += bytes
    const removed: QueryId[] = []
    for (const oldest of this.#items.keys()) {
      if (this.#bytes <= this.#maxBytes && this.#items.size <= MAX_READ) break
      this.remove(oldest)
      removed.push(oldest)
    }
    return removed
  }

  remove(id: QueryId): void {
    this.#bytes -= this.#items.get(id) ?? 0
    this.#items.delete(id)
  }
}

function hasEnded(query: RunningQuery): boolean {
  const state = query.state()
  return state === 'finished' || state === 'failed' || state === 'cancelled'
}
