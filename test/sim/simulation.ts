/**
 * A universe under a simulated clock. Time stands still while any actor has a message or a promise is on its way, and
 * then jumps to the next timer, so a test that waits ten minutes takes microseconds. The seed fixes the order in which
 * ready actors run, which timers fire a little early, and everything that draws from `random`.
 */

import type { Clock } from '../../proto/clock.ts'
import { Universe } from '../../coordinator/actor/universe.ts'
import { mulberry32 } from '../random.ts'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

export class Simulation {
  readonly universe: Universe
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** What actors threw; a test that expects no crash asserts that this is empty. */
  readonly crashes: unknown[] = []
  readonly #timers = new Set<Timer>()
  #nowMs = 0
  #order = 0

  /**
   * `earlyChance`: of a timer to fire up to a millisecond before its time, as real ones do now and then. `lookMs`: what
   * passes with each look at the clock, as with a real one.
   */
  constructor(seed: number, earlyChance = 0, lookMs = 0) {
    this.random = mulberry32(seed)
    this.clock = {
      nowMs: () => this.#nowMs += lookMs,
      wallMs: () => this.#nowMs,
      after: (delayMs, callback) => {
        const earlyMs = delayMs >= 1 && this.chance(earlyChance) ? this.random() : 0
        const timer = { dueMs: this.#nowMs + Math.max(0, delayMs - earlyMs), order: this.#order++, callback }
        this.#timers.add(timer)
        return () => { this.#timers.delete(timer) }
      },
    }
    this.universe = new Universe({
      clock: this.clock,
      choose: count => Math.floor(this.random() * count),
      onCrash: (_name, reason) => this.crashes.push(reason),
      defer: queueMicrotask,
    })
  }

  /** An integer in [from, to). */
  draw(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from))
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  /**
   * Runs until `forMs` of simulated time have passed, or `until` holds; timers in order of due time, then of setting.
   */
  async run(forMs: number, until: () => boolean = () => false): Promise<void> {
    const endMs = this.#nowMs + forMs
    for (;;) {
      await settled()
      if (until()) return
      const next = this.#nextTimer()
      if (next === null || next.dueMs > endMs) break
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.callback()
    }
    this.#nowMs = Math.max(this.#nowMs, endMs)
  }

  #nextTimer(): Timer | null {
    let next: Timer | null = null
    for (const timer of this.#timers) {
      const sooner = next === null || timer.dueMs < next.dueMs
      if (sooner || (timer.dueMs === next?.dueMs && timer.order < next.order)) next = timer
    }
    return next
  }
}

/** Every promise kept so far has run its callbacks, and theirs. */
function settled(): Promise<void> {
  return new Promise(resolve => { setImmediate(resolve) })
}
