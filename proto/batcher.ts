/**
 * What one side says, for one reader, who takes together what was said together: `say` never waits, and what is not
 * urgent is read with the next that is, or after a moment. Iteration ends after `end`. Whoever says must bound what is
 * unread by the answers it waits for.
 */

import type { Clock } from './clock.ts'

export class Batcher<T> implements AsyncIterable<readonly T[]> {
  readonly #clock: Clock
  /** How long what is not urgent may wait. */
  readonly #patienceMs: number
  /** Values that are read at once at most: a message has a limit. */
  readonly #most: number
  readonly #said: T[] = []
  #isUrgent = false
  #isEnded = false
  #cancelWait: (() => void) | null = null
  #wake: () => void = () => undefined

  constructor(clock: Clock, { patienceMs, most }: { readonly patienceMs: number; readonly most: number }) {
    this.#clock = clock
    this.#patienceMs = patienceMs
    this.#most = most
  }

  /** Nothing is said after the end. */
  say(value: T, isUrgent: boolean): void {
    if (this.#isEnded) return
    this.#said.push(value)
    if (isUrgent || this.#said.length >= this.#most) this.#hurry()
    else this.#cancelWait ??= this.#clock.after(this.#patienceMs, () => this.#hurry())
  }

  /** What was said before is still read. */
  end(): void {
    this.#isEnded = true
    this.#hurry()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly T[]> {
    try {
      for (;;) {
        while (this.#isUrgent && this.#said.length > 0) yield this.#said.splice(0, this.#most)
        if (this.#isEnded) return
        this.#isUrgent = false
        await new Promise<void>(resolve => { this.#wake = resolve })
      }
    } finally {
      this.end() // its reader has left
    }
  }

  #hurry(): void {
    this.#cancelWait?.()
    this.#cancelWait = null
    this.#isUrgent = true
    this.#wake()
  }
}
