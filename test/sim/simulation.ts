/**
 * A universe under a simulated clock. Time stands still while any actor has a message or a promise is on its way, and
 * then jumps to the next timer, so a test that waits ten minutes takes microseconds. The seed fixes the order in which
 * ready actors run, which timers fire a little early, and everything that draws from `random`.
 */

import type { Clock } from '../../proto/clock.ts'
import { Universe } from '../../coordinator/actor/universe.ts'
import { mulberry32 } from '../random.ts'

const NOW = Promise.resolve()

interface Timer {
  readonly dueMs: number
  readonly order: number
  /** null: it was cancelled. */
  callback: (() => void) | null
}

export class Simulation {
  readonly universe: Universe
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** What actors threw; a test that expects no crash asserts that this is empty. */
  readonly crashes: unknown[] = []
  /** A binary heap: none fires before the one at half its place. */
  readonly #timers: Timer[] = []
  #nowMs = 0
  #order = 0

  /**
   * `earlyChance`: of a timer to fire up to a millisecond before its time, as real ones do now and then. `lookMs`: what
   * passes with each look at the clock, as with a real one. `turnMs`: what passes at most before an actor takes a
   * message, as where the process is busy; 0: what is sent is taken before anything else happens.
   */
  constructor(seed: number, earlyChance = 0, lookMs = 0, turnMs = 0) {
    this.random = mulberry32(seed)
    this.clock = {
      nowMs: () => this.#nowMs += lookMs,
      wallMs: () => this.#nowMs,
      after: (delayMs, callback) => {
        const earlyMs = delayMs >= 1 && this.chance(earlyChance) ? this.random() : 0
        const timer: Timer = { dueMs: this.#nowMs + Math.max(0, delayMs - earlyMs), order: this.#order++, callback }
        this.#add(timer)
        return () => { timer.callback = null }
      },
    }
    this.universe = new Universe({
      clock: this.clock,
      choose: count => Math.floor(this.random() * count),
      onCrash: (_name, reason) => this.crashes.push(reason),
      defer: callback => {
        if (turnMs > 0) this.clock.after(this.random() * turnMs, callback)
        else void NOW.then(callback) // half the time of queueMicrotask
      },
      ...(turnMs > 0 ? { messagesPerTurn: 1 } : {}),
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
      while (this.#timers[0]?.callback === null) this.#removeFirst()
      const next = this.#timers[0]
      if (next === undefined || next.dueMs > endMs) break
      this.#removeFirst()
      this.#nowMs = next.dueMs
      next.callback?.()
    }
    this.#nowMs = endMs
  }

  #add(timer: Timer): void {
    const timers = this.#timers
    let at = timers.push(timer) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      const other = timers[up]
      if (other === undefined || !isBefore(timer, other)) break
      timers[at] = other
      at = up
    }
    timers[at] = timer
  }

  #removeFirst(): void {
    const timers = this.#timers
    const last = timers.pop()
    if (last === undefined || timers.length === 0) return
    let at = 0
    for (;;) {
      const [left, right] = [timers[2 * at + 1], timers[2 * at + 2]]
      const isRight = left !== undefined && right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (child === undefined || !isBefore(child, last)) break
      timers[at] = child
      at = 2 * at + (isRight ? 2 : 1)
    }
    timers[at] = last
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}

/** Every promise kept so far has run its callbacks, and theirs: a tick comes once no microtask is left. */
function settled(): Promise<void> {
  return new Promise(resolve => { process.nextTick(resolve) })
}
