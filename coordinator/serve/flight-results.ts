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
 *
 * A result that is read in parts has a ticket for each. Executors serve them and tell here who reads (`readPart`); any
 * of them may be read here too. Who goes away before the end of one may be about to read it elsewhere, for a moment.
 */

import type { DutyKeeper } from '../../cluster/duty.ts'
import type { Clock } from '../../proto/clock.ts'
import { RESULT_HOLD_BYTES } from '../../proto/config.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { QueryId } from '../../proto/ids.ts'
import { bytesOf } from '../../proto/wire-frame.ts'
import type { ResultOffer } from '../result-offer.ts'
import type { RunningQuery } from '../running-query.ts'
import type { Signer } from '../../proto/signed-text.ts'
import { readTicket, readTicketOfAnyAge, writeTicket } from '../../proto/result-ticket.ts'

/** From GetFlightInfo, or from its renewal: long enough to try a broken reading again. */
export const TICKET_LIFE_MS = 5 * 60_000
/** Results that were read and stay for another reading, all together: small ones lie in this process's memory, … */
const MAX_SMALL_BYTES = 128 * 1024 * 1024
/** … large ones in the spools of executors, whose disk others need too. A larger one is read once. */
const MAX_LARGE_BYTES = 1024 * 1024 * 1024
/** Each keeps a query's plan and reports too. */
const MAX_READ = 1_000
/** After the last reader of a part has gone away before its end: so long for another one to come. */
const ELSEWHERE_MS = 750
/** Who reads is told so, whatever breaks first under him. */
const CANCELLED = 'cancelled by its client'

interface Kept {
  readonly query: RunningQuery
  /** Turns an error's place in the text that runs into one in the text that was sent. */
  readonly placed: (thrown: unknown) => unknown
  readonly offer: ResultOffer | null
  /** Of those that were read to their end, by part: their bytes. */
  readonly partsRead: Map<number, number>
  readers: number
  /** Since its beginning. */
  readings: number
  wasRead: boolean
  /** By its client, before it was over. */
  wasCancelled: boolean
  /** By the clock's wallMs. */
  expiresMs: number
  cancelTimer: () => void
}

export interface Ticket {
  readonly handle: string
  /** Milliseconds since 1970. */
  readonly expiresMs: number
  /** Where it is read besides; absent: nowhere. */
  readonly locations?: readonly string[]
}

/** left: before the end. broken: before the end too, but not by its reader's will. */
export type Leaving = 'whole' | 'left' | 'broken'

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

  /** The coordinator that runs the ticket's statement, and knows whether it holds; null: it is this one, or none. */
  otherOwner(handle: string): string | null {
    const owner = readTicketOfAnyAge(this.#signer, handle)?.coordinator ?? this.#coordinator
    return owner === this.#coordinator ? null : owner
  }

  /** What a reader shows. */
  add(query: RunningQuery, placed: Kept['placed']): Ticket {
    return this.#ticket(this.#add(query, placed, null), null)
  }

  /** What a reader shows for each part of what is offered; null: for all of it. */
  tickets(query: RunningQuery, placed: Kept['placed'], offer: ResultOffer | null): readonly Ticket[] {
    const kept = this.#add(query, placed, offer)
    return offer === null ? [this.#ticket(kept, null)] : offer.parts.map((_, part) => this.#ticket(kept, part))
  }

  /** The same rows for longer. */
  renew(handle: string, principal: string): Ticket {
    const { kept, part } = this.#find(handle, principal)
    this.#prolong(kept)
    return this.#ticket(kept, part)
  }

  /** For those who follow its progress. */
  find(handle: string, principal: string): Pick<Kept, 'query' | 'placed'> {
    return this.#find(handle, principal).kept
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
    const { kept, part } = this.#find(handle, principal)
    const leave = this.#enter(kept)
    const goAway = (): void => leave('left')
    // a reader that waits for rows is told of by the signal, one that does not ask for more by `finally`
    signal.addEventListener('abort', goAway, { once: true })
    let how: Leaving = 'left'
    try {
      if (signal.aborted) goAway()
      let bytes = 0
      const frames = part === null ? kept.query.frames() : kept.offer?.frames(part) ?? kept.query.frames()
      for await (const frame of frames) {
        bytes += bytesOf(frame)
        yield frame
      }
      how = 'whole'
      this.#partWasRead(kept, part, bytes)
    } catch (thrown) {
      if (!signal.aborted) how = 'broken'
      throw kept.wasCancelled ? new QueryError('CANCELLED', CANCELLED) : kept.placed(thrown)
    } finally {
      signal.removeEventListener('abort', goAway)
      leave(how)
    }
  }

  /** A reader of a part that its executor serves, until the answer is called. Throws as `read` does. */
  readPart(handle: string, principal: string): (how: Leaving, bytes: number) => void {
    const { kept, part } = this.#find(handle, principal)
    const leave = this.#enter(kept)
    return (how, bytes) => {
      if (how === 'whole') this.#partWasRead(kept, part, bytes)
      leave(how)
    }
  }

  cancel(handle: string, principal: string): CancelOutcome {
    const { kept } = this.#find(handle, principal)
    const isEnded = hasEnded(kept.query)
    kept.wasCancelled = !isEnded || kept.readers > 0
    if (!isEnded) kept.query.cancel(CANCELLED)
    this.#drop(kept)
    return kept.wasCancelled ? 'cancelled' : 'ended'
  }

  #find(handle: string, principal: string): { readonly kept: Kept; readonly part: number | null } {
    const { query: id, principal: owner, part = null } = readTicket(this.#signer, handle) ?? {}
    if (owner !== undefined && owner !== principal) {
      throw new QueryError('PERMISSION_DENIED', 'the ticket is another user\'s')
    }
    const kept = id === undefined ? undefined : this.#kept.get(id)
    if (kept === undefined) throw new QueryError('NOT_FOUND', 'no result for this ticket: it has expired, or never was')
    return { kept, part: part?.index ?? null }
  }

  #add(query: RunningQuery, placed: Kept['placed'], offer: ResultOffer | null): Kept {
    const kept: Kept = {
      query, placed, offer, partsRead: new Map(), readers: 0, readings: 0, wasRead: false, wasCancelled: false,
      expiresMs: 0, cancelTimer: () => undefined,
    }
    this.#kept.set(query.id, kept)
    this.#prolong(kept)
    return kept
  }

  #prolong(kept: Kept): void {
    kept.cancelTimer()
    kept.expiresMs = this.#clock.wallMs() + TICKET_LIFE_MS
    kept.cancelTimer = this.#clock.after(TICKET_LIFE_MS, () => { if (kept.readers === 0) this.#drop(kept) })
  }

  /** For as long as it is prolonged to. `index`: of a part. */
  #ticket({ query, offer, expiresMs }: Kept, index: number | null): Ticket {
    const offered = index === null ? undefined : offer?.parts[index]
    const part = index === null || offered === undefined ? null : { index, task: offered.task }
    const content = { query: query.id, principal: query.request.principal, coordinator: this.#coordinator, part }
    const handle = writeTicket(this.#signer, content, expiresMs - this.#clock.wallMs())
    return { handle, expiresMs, locations: offered === undefined ? [] : [offered.location] }
  }

  /** Counts a reader until the answer is called, which may be called again. */
  #enter(kept: Kept): (how: Leaving) => void {
    kept.readers++
    kept.readings++
    let isReading = true
    return how => {
      if (!isReading) return
      isReading = false
      kept.readers--
      if (kept.readers === 0) this.#left(kept, how)
    }
  }

  #left(kept: Kept, how: Leaving): void {
    const isOver = kept.expiresMs <= this.#clock.wallMs()
    if (kept.offer === null || isOver || hasEnded(kept.query)) return this.#unread(kept)
    if (kept.wasRead) return this.#unneeded(kept)
    if (how !== 'left') return
    const { readings } = kept
    this.#clock.after(ELSEWHERE_MS, () => { if (kept.readings === readings) this.#unread(kept) })
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

  /** `part` null: all of it. Once each part was, all of it was. */
  #partWasRead(kept: Kept, part: number | null, bytes: number): void {
    const { offer, partsRead } = kept
    if (part === null || offer === null) return this.#wasRead(kept, bytes)
    partsRead.set(part, bytes)
    if (partsRead.size < offer.parts.length) return
    offer.delivered()
    this.#wasRead(kept, [...partsRead.values()].reduce((sum, each) => sum + each, 0))
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
