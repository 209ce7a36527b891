/**
 * The readers of a coordinator's results that are streamed, and who of them is slow: what is held for one who takes
 * nothing is let go of after a while. Results are held back until they are large, so many that begin at once would hold
 * much meanwhile: while that is too much, who has not read for longest is not waited for any more.
 */

import type { Clock } from '../proto/clock.ts'

/** A client that has not taken what was held within this is slow, or does not read at all. */
const SLOW_AFTER_MS = 500
/** Of all results together, before any is let go of sooner: two as they are when their first rows go out. */
const HELD_BYTES = 64 * 1024 * 1024
/** Who has read within this is on his way, however much there is. */
const ON_HIS_WAY_MS = 100
/** Less is not worth reading it again. */
const WORTH_BYTES = 4 * 1024 * 1024

/** A result as its reader takes it. */
export interface StreamedResult {
  /** 0 also when it is not streamed any more. */
  readonly heldBytes: number
  readonly lastReadMs: number
  /** Keeps a message or so; the rest is read again when it is wanted. */
  letGo(): void
}

export class SlowReaders {
  readonly #clock: Clock
  readonly #watched = new Set<StreamedResult>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** It holds more than before, and is watched as long as it holds anything. */
  watch(result: StreamedResult): void {
    if (!this.#watched.has(result)) {
      this.#watched.add(result)
      this.#lookIn(SLOW_AFTER_MS, result)
    }
    this.#makeRoom()
  }

  #lookIn(delayMs: number, result: StreamedResult): void {
    this.#clock.after(delayMs, () => {
      const leftMs = result.lastReadMs + SLOW_AFTER_MS - this.#clock.nowMs()
      if (result.heldBytes > 0 && leftMs > 0) return this.#lookIn(leftMs, result)
      this.#watched.delete(result)
      if (result.heldBytes > 0) result.letGo()
    })
  }

  #makeRoom(): void {
    let bytes = 0
    for (const { heldBytes } of this.#watched) bytes += heldBytes
    if (bytes <= HELD_BYTES) return
    const sinceMs = this.#clock.nowMs() - ON_HIS_WAY_MS
    const unread = [...this.#watched].filter(result => result.lastReadMs <= sinceMs && result.heldBytes >= WORTH_BYTES)
    for (const result of unread.toSorted((a, b) => a.lastReadMs - b.lastReadMs)) {
      if (bytes <= HELD_BYTES) return
      bytes -= result.heldBytes
      result.letGo()
      bytes += result.heldBytes
    }
  }
}
