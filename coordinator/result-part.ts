/**
 * One part of a result: the frames that one attempt at a task makes, as they are read from its executor.
 *
 *   begun ──all read──▶ ended
 *     ▲                   │
 *     └─────put back──────┘      any ──stop──▶ stopped
 *
 * A stream that breaks is opened again at the frame where it broke.
 */

import { delay, type Clock } from '../proto/clock.ts'
import { asQueryError, QueryError, type ErrorCode } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'

/** Tries to read on after a break, and the pause before each: a lost executor is noticed within a second or so. */
const MAX_RESUMES = 20
const RESUME_PAUSE_MS = 100
/** A break of the way, not of the result. NOT_FOUND: the task has not made its spool yet. */
const transient: ReadonlySet<ErrorCode> = new Set(
  ['UNAVAILABLE', 'CANCELLED', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'INTERNAL'],
)

export type Fetch = (fromFrame: number, signal: AbortSignal) => AsyncIterable<RawFlightData>

export interface PartOptions {
  readonly clock: Clock
  /** Of the result's parts. */
  readonly index: number
  readonly attempt: number
  /** Null: it is given whole by who has no other copy. */
  readonly fetch: Fetch | null
  readonly fromFrame: number
  /** Resolves when another frame may be taken from the executor, and when `signal` is aborted. */
  readonly room: (signal: AbortSignal) => Promise<void>
  readonly take: (part: ResultPart, frame: RawFlightData) => void
}

/** let-go: it is to be read on later. */
export type Reading = 'ended' | 'stopped' | 'let-go' | QueryError

export class ResultPart {
  readonly #options: PartOptions
  /** The frame to be read next from the executor. */
  #next: number
  #isGivenOut = false
  #isEnded = false
  readonly #reading = new AbortController()
  /** Ends the stream from the executor that is open, not the reading. */
  #endStream = (): void => undefined

  constructor(options: PartOptions) {
    this.#options = options
    this.#next = options.fromFrame
  }

  get index(): number {
    return this.#options.index
  }

  get attempt(): number {
    return this.#options.attempt
  }

  get fetch(): Fetch | null {
    return this.#options.fetch
  }

  /** All of it was read. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Frames of it are with the client. */
  get isGivenOut(): boolean {
    return this.#isGivenOut
  }

  /** The next frame, however it came. */
  take(frame: RawFlightData): void {
    this.#next++
    this.#options.take(this, frame)
  }

  end(): void {
    this.#isEnded = true
  }

  giveOut(): void {
    this.#isGivenOut = true
  }

  /** What was read of it last is not held any more, and has to be read again. After `letGo`. */
  putBack(): void {
    this.#next--
    this.#isEnded = false
  }

  /** Ends the stream that is open, and with it what has piled up there. */
  letGo(): void {
    this.#endStream()
  }

  stop(): void {
    this.#reading.abort()
  }

  /** Until its end, until it is stopped or let go of, or until a break that does not mend. */
  async read(): Promise<Reading> {
    const { signal } = this.#reading
    const { room, clock, fetch } = this.#options
    for (let resumes = 0; fetch !== null;) {
      await room(signal)
      if (signal.aborted) break
      const from = this.#next
      const outcome = await this.#readStream(fetch, signal)
      if (!(outcome instanceof QueryError)) return outcome
      resumes = this.#next > from ? 0 : resumes + 1
      if (!transient.has(outcome.code)) return outcome
      if (resumes > MAX_RESUMES) return lost(outcome)
      await delay(clock, RESUME_PAUSE_MS)
    }
    return 'stopped'
  }

  async #readStream(fetch: Fetch, signal: AbortSignal): Promise<Reading> {
    const stream = new AbortController()
    const end = (): void => stream.abort()
    this.#endStream = end
    signal.addEventListener('abort', end, { once: true })
    try {
      for await (const frame of fetch(this.#next, stream.signal)) {
        if (stream.signal.aborted) break
        this.take(frame)
        await this.#options.room(stream.signal)
        if (stream.signal.aborted) break
      }
      if (stream.signal.aborted) return signal.aborted ? 'stopped' : 'let-go'
      this.#isEnded = true
      return 'ended'
    } catch (thrown) {
      return signal.aborted ? 'stopped' : stream.signal.aborted ? 'let-go' : asQueryError(thrown)
    } finally {
      signal.removeEventListener('abort', end)
    }
  }
}

function lost(cause: QueryError): QueryError {
  return new QueryError('EXECUTOR_LOST', `the result could not be read to its end: ${cause.message}`, { cause })
}
