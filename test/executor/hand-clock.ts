/** A clock that a test moves by hand: timers ring in order of their time, and promises settle between them. */

import type { Clock } from '../../proto/clock.ts'

export class HandClock implements Clock {
  #nowMs = 0
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>()

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, callback }
    this.#timers.add(timer)
    return () => { this.#timers.delete(timer) }
  }

  async pass(forMs: number): Promise<void> {
    const endMs = this.#nowMs + forMs
    for (;;) {
      await new Promise(resolve => { setImmediate(resolve) })
      const [next] = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)
      if (next === undefined || next.dueMs > endMs) break
      this.#timers.delete(next)
      this.#nowMs = next.dueMs
      next.callback()
    }
    this.#nowMs = endMs
  }
}
