/**
 * The result of one query on its way from its executor to the client: Arrow messages, not decoded.
 *
 *   idle ──begin──▶ holding ──all here──────▶ complete
 *                      └─────more than held──▶ streaming ──all handed out──▶ complete
 *   any ──fail──▶ failed
 *
 * Nothing is handed out while `holding`: until then the result may be made anew, and `begin` drops what was held. When
 * it is `complete` and small it is served from memory, to any number of readers. `streaming` takes the next frame from
 * the executor when the reader has taken the last one; what was held beyond it is let go of if the reader is slow, and
 * read once more from the executor. A second reader reads from the executor. A stream that breaks is opened again at
 * the frame where it broke. Not an actor: record batches go through no mailbox.
 */

import { asQueryError, QueryError, type ErrorCode } from '../proto/errors.ts'
import type { Clock } from '../proto/clock.ts'
import { delay } from '../proto/clock.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import { bytesOf } from '../proto/wire-frame.ts'

/** A client that has not taken what was held within this is slow, or does not read at all. */
const SLOW_AFTER_MS = 500
/** What is kept for a slow one: a message or so. */
const SLOW_BYTES = 1024 * 1024
/** Tries to read on after a break, and the pause before each: a lost executor is noticed within a second or so. */
const MAX_RESUMES = 20
const RESUME_PAUSE_MS = 100
/** A break of the way, not of the result. NOT_FOUND: the task has not made its spool yet. */
const transient: ReadonlySet<ErrorCode> = new Set(
  ['UNAVAILABLE', 'CANCELLED', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'INTERNAL'],
)

export type Fetch = (fromFrame: number, signal: AbortSignal) => AsyncIterable<RawFlightData>

export type RelayEvent =
  /** Every row is in memory: the executor is not needed any more. */
  | { readonly kind: 'relay-complete'; readonly attempt: number }
  /** More than is held back: rows go out from now on. */
  | { readonly kind: 'relay-outgrown'; readonly attempt: number }
  /** The client has taken the last row of a stream. */
  | { readonly kind: 'relay-delivered'; readonly attempt: number }
  | { readonly kind: 'relay-broken'; readonly attempt: number; readonly cause: QueryError }

type State =
  | { readonly state: 'idle' | 'holding' | 'streaming' | 'complete' }
  | { readonly state: 'failed'; readonly cause: QueryError }

export interface RelayOptions {
  readonly clock: Clock
  readonly holdBytes: number
  readonly tell: (event: RelayEvent) => void
}

export class ResultRelay {
  readonly #options: RelayOptions
  #state: State = { state: 'idle' }
  #frames: RawFlightData[] = []
  #heldBytes = 0
  #ended = false
  #streamTaken = false
  #fetch: Fetch | null = null
  #attempt = -1
  #reading = new AbortController()
  /** The frame to be read next from the executor. */
  #next = 0
  /** Ends the stream from the executor that is open, not the reading. */
  #endStream = (): void => undefined
  #waiters: (() => void)[] = []
  #lastReadMs: number

  constructor(options: RelayOptions) {
    this.#options = options
    this.#lastReadMs = options.clock.nowMs()
  }

  /** Every row is here, or was taken by the client. */
  get isComplete(): boolean {
    return this.#state.state === 'complete'
  }

  /** A reader gets its first frame at once. */
  get isReadable(): boolean {
    return this.#state.state !== 'idle' && this.#state.state !== 'holding'
  }

  /** Every row is here: the executor is not needed to read it once more. */
  get inMemory(): boolean {
    return this.#state.state === 'complete' && !this.#streamTaken
  }

  /** Of frames in memory. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** When a reader last took a frame, by the clock. */
  get lastReadMs(): number {
    return this.#lastReadMs
  }

  /**
   * Reads the result of this attempt; what was held of another one is dropped. False: rows of that may have gone out.
   */
  begin(attempt: number, fetch: Fetch): boolean {
    if (this.#state.state === 'failed') return true
    if (!this.drop()) return false
    this.#attempt = attempt
    this.#fetch = fetch
    this.#state = { state: 'holding' }
    void this.#read(attempt, fetch, this.#reading.signal)
    return true
  }

  /** The whole result of this attempt, instead of reading it. False: rows of another one may have gone out. */
  give(attempt: number, frames: readonly RawFlightData[]): boolean {
    if (this.#state.state === 'failed') return true
    if (!this.drop()) return false
    this.#attempt = attempt
    this.#fetch = null
    for (const frame of frames) this.#take(frame)
    this.#state = { state: 'holding' }
    this.#end()
    return true
  }

  /** What is being read does not count any more. False: rows of it may have gone out, perhaps all. */
  drop(): boolean {
    if (this.#state.state === 'failed') return true
    if (this.#state.state === 'streaming' || this.#state.state === 'complete') return false
    this.#reading.abort()
    this.#reading = new AbortController()
    this.#frames = []
    this.#heldBytes = 0
    this.#next = 0
    this.#ended = false
    this.#state = { state: 'idle' }
    return true
  }

  /** Readers get `cause`, also those in the middle. A complete result stays readable. */
  fail(cause: QueryError): void {
    this.#reading.abort()
    if (this.#state.state === 'complete' || this.#state.state === 'failed') return
    this.#close(cause)
  }

  /** Nobody reads any more: frees the memory. */
  release(cause: QueryError): void {
    this.#reading.abort()
    this.#close(cause)
  }

  #close(cause: QueryError): void {
    this.#frames = []
    this.#heldBytes = 0
    this.#state = { state: 'failed', cause }
    this.#wake()
  }

  async *frames(): AsyncGenerator<RawFlightData> {
    while (this.#state.state === 'idle' || this.#state.state === 'holding') await this.#changed()
    if (this.#state.state === 'streaming' && !this.#streamTaken) {
      this.#streamTaken = true
      yield* this.#stream()
    } else if (this.#streamTaken && this.#fetch !== null && this.#state.state !== 'failed') {
      yield* this.#fetch(0, this.#reading.signal)
    } else {
      yield* this.#complete()
    }
  }

  async *#complete(): AsyncGenerator<RawFlightData> {
    for (let i = 0; ; i++) {
      if (this.#state.state === 'failed') throw this.#state.cause
      const frame = this.#frames[i]
      if (frame === undefined) return
      yield frame
    }
  }

  async *#stream(): AsyncGenerator<RawFlightData> {
    for (;;) {
      if (this.#state.state === 'failed') throw this.#state.cause
      this.#lastReadMs = this.#options.clock.nowMs()
      const frame = this.#frames.shift()
      if (frame !== undefined) {
        this.#heldBytes -= bytesOf(frame)
        this.#wake()
        yield frame
      } else if (this.#ended) {
        this.#state = { state: 'complete' }
        this.#options.tell({ kind: 'relay-delivered', attempt: this.#attempt })
        return
      } else {
        await this.#changed()
      }
    }
  }

  async #read(attempt: number, fetch: Fetch, signal: AbortSignal): Promise<void> {
    for (let resumes = 0; ;) {
      await this.#room(signal)
      if (signal.aborted) return
      const from = this.#next
      const outcome = await this.#readStream(fetch, signal)
      if (outcome === 'stopped') return
      if (outcome === 'ended') return this.#end()
      if (outcome === 'let-go') continue
      resumes = this.#next > from ? 0 : resumes + 1
      if (!transient.has(outcome.code) || resumes > MAX_RESUMES) {
        return this.#options.tell({ kind: 'relay-broken', attempt, cause: brokenBy(outcome) })
      }
      await delay(this.#options.clock, RESUME_PAUSE_MS)
      if (signal.aborted) return
    }
  }

  /** Reads until the result's end, a break, or until a slow reader has to take what is here first. */
  async #readStream(fetch: Fetch, signal: AbortSignal): Promise<'ended' | 'let-go' | 'stopped' | QueryError> {
    const stream = new AbortController()
    const end = (): void => stream.abort()
    this.#endStream = end
    signal.addEventListener('abort', end, { once: true })
    try {
      for await (const frame of fetch(this.#next, stream.signal)) {
        if (stream.signal.aborted) break
        this.#next++
        this.#take(frame)
        await this.#room(stream.signal)
        if (stream.signal.aborted) break
      }
      return signal.aborted ? 'stopped' : stream.signal.aborted ? 'let-go' : 'ended'
    } catch (thrown) {
      return signal.aborted ? 'stopped' : stream.signal.aborted ? 'let-go' : asQueryError(thrown)
    } finally {
      signal.removeEventListener('abort', end)
    }
  }

  /** Until another frame may be taken from the executor. */
  async #room(signal: AbortSignal): Promise<void> {
    while (this.#state.state === 'streaming' && this.#frames.length > 0 && !signal.aborted) await this.#changed()
  }

  #take(frame: RawFlightData): void {
    this.#frames.push(frame)
    this.#heldBytes += bytesOf(frame)
    if (this.#state.state === 'holding' && this.#heldBytes > this.#options.holdBytes) {
      this.#state = { state: 'streaming' }
      this.#lastReadMs = this.#options.clock.nowMs()
      this.#options.tell({ kind: 'relay-outgrown', attempt: this.#attempt })
      this.#options.clock.after(SLOW_AFTER_MS, () => this.#letGo())
    }
    this.#wake()
  }

  /** The reader is slow: what it will not take soon is read again when it is wanted. */
  #letGo(): void {
    const keepBytes = Math.min(SLOW_BYTES, this.#options.holdBytes)
    if (this.#state.state !== 'streaming' || this.#heldBytes <= keepBytes || this.#fetch === null) return
    while (this.#heldBytes > keepBytes && this.#frames.length > 1) {
      const frame = this.#frames.pop()
      if (frame !== undefined) this.#heldBytes -= bytesOf(frame)
      this.#next--
    }
    if (this.#ended) {
      this.#ended = false
      void this.#read(this.#attempt, this.#fetch, this.#reading.signal)
    } else {
      this.#endStream()
      this.#wake()
    }
  }

  #end(): void {
    this.#ended = true
    if (this.#state.state === 'holding') {
      this.#state = { state: 'complete' }
      this.#options.tell({ kind: 'relay-complete', attempt: this.#attempt })
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

function brokenBy(cause: QueryError): QueryError {
  if (!transient.has(cause.code)) return cause
  return new QueryError('EXECUTOR_LOST', `the result could not be read to its end: ${cause.message}`, { cause })
}
