/**
 * The parts of a result whose client reads each of them by itself, and where each is now. Read through the coordinator,
 * a part comes from its beginning and from the attempt that counts. Whatever breaks before a row has gone out is tried
 * again, also with another attempt; later a break of the way is mended at the frame where it broke, but two attempts
 * are never mixed.
 */

import { delay } from '../proto/clock.ts'
import { asQueryError, QueryError, type ErrorCode } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import { passedOn } from '../proto/wire-frame.ts'
import type { RelayOptions } from './relay-event.ts'
import type { Fetch } from './result-part.ts'

export interface PartSource {
  readonly attempt: number
  readonly fetch: Fetch
}

/** Tries of one attempt in a row, and the pause before each: a silent executor is held for lost before the last. */
const MAX_TRIES = 60
const PAUSE_MS = 100
/** A break of the way, not of the result. NOT_FOUND: its executor has just dropped it, which is known here soon. */
const transient: ReadonlySet<ErrorCode> = new Set(
  ['UNAVAILABLE', 'CANCELLED', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'INTERNAL'],
)

export class OfferedParts {
  readonly #options: Pick<RelayOptions, 'clock' | 'tell'>
  /** That every part begins with. */
  readonly #lead: readonly RawFlightData[]
  /** Null: it is made again. */
  readonly #sources: (PartSource | null)[]
  readonly #closed = new AbortController()
  #cause: QueryError | null = null
  #isDelivered = false
  #waiters: (() => void)[] = []

  constructor(
    options: Pick<RelayOptions, 'clock' | 'tell'>, lead: readonly RawFlightData[], sources: readonly PartSource[],
  ) {
    this.#options = options
    this.#lead = lead
    this.#sources = [...sources]
  }

  /** It is made there now. */
  begin(part: number, attempt: number, fetch: Fetch): void {
    this.#sources[part] = { attempt, fetch }
    this.#wake()
  }

  /** What was made of it does not count any more. */
  drop(part: number): void {
    this.#sources[part] = null
  }

  /** Each was read to its end: what is lost from now on is not made again. */
  get isDelivered(): boolean {
    return this.#isDelivered
  }

  delivered(): void {
    if (this.#isDelivered) return
    this.#isDelivered = true
    this.#options.tell({ kind: 'relay-delivered' })
  }

  /** Readers get `cause`. */
  close(cause: QueryError): void {
    this.#cause = cause
    this.#closed.abort()
    this.#wake()
  }

  async *read(part: number): AsyncGenerator<RawFlightData> {
    const first = this.#lead.length
    let [next, attempt, tries] = [first, -1, 0]
    for (;;) {
      const source = await this.#sourceOf(part)
      if (source.attempt !== attempt) {
        if (next > first) throw new QueryError('EXECUTOR_LOST', 'the part was lost while it was read: read it again')
        attempt = source.attempt
        tries = 0
      }
      try {
        for await (const frame of passedOn(source.fetch(next, this.#closed.signal))) {
          this.#throwIfClosed()
          if (next === first) yield* this.#lead
          yield frame
          next++
          tries = 0
        }
        this.#throwIfClosed()
        if (next === first) yield* this.#lead
        return
      } catch (thrown) {
        this.#throwIfClosed()
        const error = asQueryError(thrown)
        if (!transient.has(error.code) || ++tries > MAX_TRIES) throw error
      }
      await delay(this.#options.clock, PAUSE_MS)
    }
  }

  /** Once there is one. */
  async #sourceOf(part: number): Promise<PartSource> {
    for (;;) {
      this.#throwIfClosed()
      const source = this.#sources[part] ?? null
      if (source !== null) return source
      await new Promise<void>(resolve => { this.#waiters.push(resolve) })
    }
  }

  #throwIfClosed(): void {
    if (this.#cause !== null) throw this.#cause
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }
}
