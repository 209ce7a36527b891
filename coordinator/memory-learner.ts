/**
 * What fragments have been seen to need, by their text: the planner only guesses how many rows go through, and the
 * same texts come again and again. The newest sight counts. Bounded; whoever was seen or asked for least lately is
 * forgotten.
 */

import { createHash } from 'node:crypto'

/** Some 100 bytes each. */
const MAX_KNOWN = 10_000
/** Above what was seen: looks are a quarter of a second apart, and data grows. */
const HEADROOM = 1.25

interface Seen {
  readonly bytes: number
  /** It would have taken more if it had been there. */
  readonly bounded: boolean
}

export class MemoryLearner {
  readonly #seen = new Map<string, Seen>()

  /** `bounded`: it spilled, or failed for want of memory. */
  observe(sql: string, bytes: number, bounded: boolean): void {
    this.#put(keyOf(sql), { bytes, bounded })
  }

  /** Bytes on one executor, given the planner's `guess`. */
  estimate(sql: string, guess: number): number {
    const key = keyOf(sql)
    const seen = this.#seen.get(key)
    if (seen === undefined) return guess
    this.#put(key, seen)
    const bytes = seen.bytes * HEADROOM
    return seen.bounded ? Math.max(guess, bytes) : bytes
  }

  #put(key: string, seen: Seen): void {
    this.#seen.delete(key)
    this.#seen.set(key, seen)
    const [oldest] = this.#seen.keys()
    if (this.#seen.size > MAX_KNOWN && oldest !== undefined) this.#seen.delete(oldest)
  }
}

/** Texts may be large. */
function keyOf(sql: string): string {
  return createHash('sha1').update(sql).digest('base64')
}
