/**
 * What one side says, for one reader, who takes together what was said together: `say` never waits, and what is not
 * urgent is read with the next that is, or after a moment. Iteration ends after `end`. Whoever says must bound what is
 * unread by the answers it waits for.
 */

import type { Clock } from './clock.ts'

export interface BatcherOptions<T> {
  /** How long what is not urgent may wait. */
  readonly patienceMs: number
  /** Values that are read at once at most: a message has a limit. */
  readonly most: number
  /** The same in bytes, of values that differ much; one alone may be larger. */
  readonly bytes?: { readonly most: number; readonly of: (value: T) => number }
}

export class Batcher<T> implements AsyncIterable<readonly T[]> {
  readonly #clock: Clock
  readonly #options: BatcherOptions<T>
  readonly #said: T[] = []
  #isUrgent = false
  #isEnded = false
  #cancelWait: (() => void) | null = null
  #wake: () => void = () => undefined

  constructor(clock: Clock, options: BatcherOptions<T>) {
    this.#clock = clock
    this.#options = options
  }

  /** Nothing is said after the end. */
  say(value: T, isUrgent: boolean): void {
    if (this.#isEnded) return
    this.#said.push(value)
    const { most, patienceMs } = this.#options
    if (isUrgent || this.#said.length >= most) this.#hurry()
    else this.#cancelWait ??= this.#clock.after(patienceMs, () => this.#hurry())
  }

  /** What was said before is still read. */
  end(): void {
    this.#isEnded = true
    this.#hurry()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly T[]> {
    try {
      for (;;) {
        while (this.#isUrgent && this.#said.length > 0) yield this.#said.splice(0, this.#together())
        if (this.#isEnded) return
        this.#isUrgent = false
        await new Promise<void>(resolve => { this.#wake = resolve })
      }
    } finally {
      this.end() // its reader has left
    }
  }

  /** How many of the first may go at once; there is one. */
  #together(): number {
    const { most, bytes } = this.#options
    if (bytes === undefined) return most
    let [count, left] = [0, bytes.most]
    for (const value of this.#said) {
      left -= bytes.of(value)
      if (count === most || (left < 0 && count > 0)) break
      count++
    }
    return count
  }

  #hurry(): void {
    this.#cancelWait?.()
    this.#cancelWait = null
    this.#isUrgent = true
    this.#wake()
  }
}
