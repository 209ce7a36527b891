/**
 * The result of one query on its way from its executors to the client: Arrow messages, not decoded. A result has parts,
 * one a task that makes rows of it; each begins with the same frames, the lead, which go out once. Frames of parts come
 * interleaved, those of one part in their order; if the result is in order, part after part, read one at a time.
 *
 *   holding ──every part all here──▶ complete
 *      └────more than held──▶ streaming ──all handed out──▶ complete
 *                                 └────handOver──▶ offered
 *   any ──fail──▶ failed
 *
 * Nothing is handed out while `holding`: until then a part may be made anew, and `begin` drops what was held of it;
 * while `streaming`, a part of which nothing has been handed out. The result is complete when every part is, each by
 * the end that its own executor has given it. When it is `complete` and small it is served from memory, to any number
 * of readers. `streaming` takes the next frames from the executors when the reader has taken the last ones, of a few
 * parts at once, so memory stays flat however many there are; while the reader is slow (slow-readers.ts) what is held
 * beyond a message is let go of, and read again, a part at a time; so does a second reader. `offered`: clients read
 * each part by itself, nothing is read here (offered-parts.ts). Not an actor: no record batch is in a mailbox.
 */

import type { QueryError } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import { passedOn, releaseFrame } from '../proto/wire-frame.ts'
import { HeldFrames } from './held-frames.ts'
import { OfferedParts, type PartSource } from './offered-parts.ts'
import type { RelayOptions } from './relay-event.ts'
import { ResultPart, type Fetch, type Reading } from './result-part.ts'

/** What is kept for a slow one: a message or so. */
const SLOW_BYTES = 1024 * 1024
/** Parts that are read at once, a frame of about 1 MiB of each. */
const MAX_OPEN_PARTS = 4

type State =
  | { readonly state: 'holding' | 'streaming' | 'complete' }
  | { readonly state: 'offered'; readonly to: OfferedParts }
  | { readonly state: 'failed'; readonly cause: QueryError }

export class ResultRelay {
  readonly #options: RelayOptions
  #state: State = { state: 'holding' }
  #lead: readonly RawFlightData[] = []
  /** Null: not begun. */
  #parts: (ResultPart | null)[] = []
  #isInOrder = false
  /** Begun, and not read yet. */
  #toRead: ResultPart[] = []
  readonly #open = new Set<ResultPart>()
  /** One for a reader that is slow: more would only be let go of. */
  #maxOpen = MAX_OPEN_PARTS
  readonly #held = new HeldFrames()
  #streamTaken = false
  readonly #closed = new AbortController()
  #waiters: (() => void)[] = []
  #lastReadMs: number
  #readerWaits = false

  /** Of one part whose lead is not known, until `expect` says otherwise. */
  constructor(options: RelayOptions) {
    this.#options = options
    this.#lastReadMs = options.clock.nowMs()
    this.expect(1, [])
  }

  /** Every row is here, or was taken by the client. */
  get isComplete(): boolean {
    return this.#state.state === 'offered' ? this.#state.to.isDelivered : this.#state.state === 'complete'
  }

  /** A reader gets its first frame at once. */
  get isReadable(): boolean {
    return this.#state.state !== 'holding'
  }

  /** Every row is here: no executor is needed to read it once more. */
  get inMemory(): boolean {
    return this.#state.state === 'complete' && !this.#streamTaken
  }

  /** Of frames in memory. */
  get heldBytes(): number {
    return this.#held.bytes
  }

  /** When a reader last took a frame or waited for one, by the clock. How long parts are offered their tickets say. */
  get lastReadMs(): number {
    return this.#readerWaits || this.#state.state === 'offered' ? this.#options.clock.nowMs() : this.#lastReadMs
  }

  /** Every row of the part is here, or was taken by the client. */
  has(part: number): boolean {
    return this.#state.state !== 'offered' && this.#parts[part]?.isEnded === true
  }

  /** The attempt at the part whose rows are all here, or in part with the client; null: any may still count. */
  settledOn(part: number): number | null {
    const found = this.#parts[part] ?? null
    return found !== null && (found.isGivenOut || found.isEnded) ? found.attempt : null
  }

  /**
   * How many parts there will be, the frames that each of them begins with, and whether they follow each other. What
   * was read before is dropped. False: rows of it may have gone out.
   */
  expect(parts: number, lead: readonly RawFlightData[], isInOrder = false): boolean {
    if (this.#state.state === 'failed') return true
    if (this.#state.state !== 'holding') return false
    this.#stopReading()
    this.#parts = Array.from({ length: parts }, () => null)
    this.#held.reset(lead)
    this.#lead = lead
    this.#isInOrder = isInOrder
    return true
  }

  /**
   * Reads the part as this attempt makes it; what was held of another one is dropped. A part that is all here stays as
   * it is. False: rows of another attempt have gone out.
   */
  begin(part: number, attempt: number, fetch: Fetch): boolean {
    if (this.#isSettled(part)) return true
    const begun = this.#begin(part, attempt, fetch)
    if (begun === null) return false
    this.#toRead.push(begun)
    this.#readNext()
    return true
  }

  /** The whole part as this attempt has made it, instead of reading it; `fetch`: for a second reader, if it can be. */
  give(part: number, attempt: number, frames: readonly RawFlightData[], fetch: Fetch | null = null): boolean {
    if (this.#isSettled(part)) return true
    const begun = this.#begin(part, attempt, fetch)
    if (begun === null) return false
    for (const frame of frames.slice(this.#lead.length)) begun.take(frame)
    begun.end()
    this.#partEnded()
    return true
  }

  /** What is read of the part does not count any more. False: rows of it have gone out. */
  drop(part: number): boolean {
    if (this.#state.state === 'failed') return true
    const dropped = this.#parts[part] ?? null
    if (this.#state.state === 'complete' || dropped?.isGivenOut === true) return false
    if (dropped === null) return true
    dropped.stop()
    this.#parts[part] = null
    this.#open.delete(dropped)
    this.#toRead = this.#toRead.filter(other => other !== dropped)
    this.#held.drop(dropped)
    this.#wake()
    this.#readNext()
    return true
  }

  /** Clients read the parts by themselves from now on. Null: rows have gone out, or all of them are here. */
  handOver(sources: readonly PartSource[]): OfferedParts | null {
    if (this.#state.state !== 'streaming' || this.#streamTaken) return null
    const to = new OfferedParts(this.#options, this.#lead, sources)
    this.#stopReading()
    this.#dropHeld()
    this.#streamTaken = true
    this.#state = { state: 'offered', to }
    return to
  }

  /** Readers get `cause`, also those in the middle. A complete result stays readable. */
  fail(cause: QueryError): void {
    this.#stopReading()
    if (this.#state.state === 'complete' || this.#state.state === 'failed') return
    this.#close(cause)
  }

  /** Nobody reads any more: frees the memory. */
  release(cause: QueryError): void {
    this.#stopReading()
    this.#close(cause)
  }

  async *frames(): AsyncGenerator<RawFlightData> {
    while (this.#state.state === 'holding') await this.#changed()
    if (this.#state.state === 'streaming' && !this.#streamTaken) {
      this.#streamTaken = true
      yield* this.#stream()
    } else if (this.#streamTaken && this.#state.state !== 'failed') {
      yield* this.#again()
    } else {
      yield* this.#complete()
    }
  }

  /** Nothing changes it any more. */
  #isSettled(part: number): boolean {
    return this.#state.state === 'failed' || this.has(part)
  }

  /** Null: rows of another attempt have gone out. */
  #begin(index: number, attempt: number, fetch: Fetch | null): ResultPart | null {
    if (!this.drop(index)) return null
    const part = new ResultPart({
      clock: this.#options.clock, index, attempt, fetch, fromFrame: this.#lead.length,
      room: signal => this.#room(index, signal), take: (taken, frame) => this.#take(taken, frame),
    })
    this.#parts[index] = part
    return part
  }

  #stopReading(): void {
    for (const part of this.#parts) part?.stop()
    this.#toRead = []
    this.#open.clear()
  }

  #close(cause: QueryError): void {
    if (this.#state.state === 'offered') this.#state.to.close(cause)
    this.#closed.abort()
    this.#dropHeld()
    this.#state = { state: 'failed', cause }
    this.#wake()
  }

  /** Nobody has been given any of it, unless it is complete and served from memory. */
  #dropHeld(): void {
    if (this.#state.state !== 'complete') this.#held.release()
    this.#held.reset([])
  }

  async *#complete(): AsyncGenerator<RawFlightData> {
    for (let i = 0; ; i++) {
      if (this.#state.state === 'failed') throw this.#state.cause
      const held = this.#held.at(i)
      if (held === undefined) return
      yield held.frame
    }
  }

  #giveOut(part: ResultPart): void {
    if (!part.isGivenOut) this.#options.tell({ kind: 'relay-given', part: part.index, attempt: part.attempt })
    part.giveOut()
  }

  async *#stream(): AsyncGenerator<RawFlightData> {
    for (;;) {
      if (this.#state.state === 'failed') throw this.#state.cause
      this.#lastReadMs = this.#options.clock.nowMs()
      const held = this.#hasNext ? this.#held.takeFirst() : undefined
      if (held !== undefined) {
        if (held.part !== null) this.#giveOut(held.part)
        this.#wake()
        yield held.frame
        releaseFrame(held.frame)
      } else if (this.#allEnded) {
        this.#state = { state: 'complete' }
        this.#options.tell({ kind: 'relay-delivered' })
        return
      } else {
        this.#readerWaits = true
        this.#maxOpen = MAX_OPEN_PARTS
        this.#readNext()
        await this.#changed()
        this.#readerWaits = false
      }
    }
  }

  /** From the executors; the first of several readers has taken what was here. */
  async *#again(): AsyncGenerator<RawFlightData> {
    yield* this.#lead
    for (let i = 0; i < this.#parts.length; i++) {
      for await (const frame of passedOn((await this.#fetchOf(i))(this.#lead.length, this.#closed.signal))) {
        this.#throwIfFailed()
        yield frame
      }
    }
  }

  /** Once the part has begun. */
  async #fetchOf(part: number): Promise<Fetch> {
    for (;;) {
      this.#throwIfFailed()
      const fetch = this.#parts[part]?.fetch ?? null
      if (fetch !== null) return fetch
      await this.#changed()
    }
  }

  #throwIfFailed(): void {
    if (this.#state.state === 'failed') throw this.#state.cause
  }

  get #allEnded(): boolean {
    return this.#parts.every(part => part?.isEnded === true)
  }

  /** The first part of which more is to be read: in order, no frame of a later one may go out. */
  get #current(): number {
    const index = this.#parts.findIndex(part => part?.isEnded !== true)
    return index < 0 ? this.#parts.length : index
  }

  /** The first frame that is here may go out. */
  get #hasNext(): boolean {
    const first = this.#held.at(0)
    if (first === undefined) return false
    return !this.#isInOrder || first.part === null || first.part.index <= this.#current
  }

  /** Out of those that have begun. */
  #nextToRead(): ResultPart | undefined {
    if (!this.#isInOrder) return this.#toRead.shift()
    const at = this.#toRead.findIndex(({ index }) => index === this.#current)
    return at < 0 ? undefined : this.#toRead.splice(at, 1)[0]
  }

  #readNext(): void {
    while (this.#isInOrder || this.#open.size < this.#maxOpen) {
      const part = this.#nextToRead()
      if (part === undefined) return
      this.#open.add(part)
      void part.read().then(outcome => this.#wasRead(part, outcome))
    }
  }

  #wasRead(part: ResultPart, outcome: Reading): void {
    if (!this.#open.delete(part) || outcome === 'stopped') return
    const { index, attempt } = part
    if (outcome === 'ended') this.#partEnded()
    else if (outcome === 'let-go') this.#toRead.push(part)
    else this.#options.tell({ kind: 'relay-broken', part: index, attempt, cause: outcome })
    this.#readNext()
  }

  /** Until another frame of the part may be taken from its executor. */
  async #room(part: number, signal: AbortSignal): Promise<void> {
    const isFull = (): boolean => this.#hasNext || (this.#isInOrder && part > this.#current)
    while (this.#state.state === 'streaming' && isFull() && !signal.aborted) await this.#changed()
  }

  #take(part: ResultPart, frame: RawFlightData): void {
    this.#held.add(frame, part, this.#isInOrder)
    if (this.#state.state === 'holding' && this.#held.bytes > this.#options.holdBytes) {
      this.#state = { state: 'streaming' }
      this.#lastReadMs = this.#options.clock.nowMs()
      this.#options.tell({ kind: 'relay-outgrown' })
    }
    if (this.#state.state === 'streaming') this.#options.slowReaders.watch(this)
    this.#wake()
  }

  /** The reader is slow: what it will not take soon is read again when it is wanted. While `streaming`. */
  letGo(): void {
    if (this.#state.state !== 'streaming') return
    const keepBytes = Math.min(SLOW_BYTES, this.#options.holdBytes)
    this.#maxOpen = 1
    for (const part of this.#open) part.letGo()
    while (this.#held.bytes > keepBytes && this.#held.count > 1) {
      const last = this.#held.at(-1)
      // the lead and what came with the news of its task are small
      if (last === undefined || last.part === null || last.part.fetch === null) break
      this.#held.takeLast()
      releaseFrame(last.frame)
      if (last.part.isEnded) this.#toRead.push(last.part)
      last.part.putBack()
    }
    this.#wake()
    this.#readNext()
  }

  #partEnded(): void {
    this.#readNext()
    if (this.#state.state === 'holding' && this.#allEnded) {
      this.#state = { state: 'complete' }
      this.#options.tell({ kind: 'relay-complete' })
    }
    this.#wake()
  }

  #changed(): Promise<void> {
    return new Promise(resolve => { this.#waiters.push(resolve) })
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }
}
