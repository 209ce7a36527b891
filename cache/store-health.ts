/**
 * How long a store is waited for. One that has not answered anybody for as long as the policy waits is not waited for
 * so long again by the next ones, until it answers, or until it has been left alone for a while: what needs it fails
 * soon, and what is tried again elsewhere costs little.
 */

import type { RetryPolicy } from './retry.ts'

/** While a store does not answer: time for one request of a store that is back. */
const DOWN_MS = 2_000
/** After so long without a failure it is trusted as at first. */
const FORGET_MS = 30_000

export class StoreHealth {
  readonly #policy: RetryPolicy
  /** When somebody last waited in vain; null: it has answered since. */
  #failedMs: number | null = null

  constructor(policy: RetryPolicy) {
    this.#policy = policy
  }

  policy(nowMs: number): RetryPolicy {
    const isDown = this.#failedMs !== null && nowMs - this.#failedMs < FORGET_MS
    if (!isDown) return this.#policy
    const { deadlineMs, attemptMs } = this.#policy
    return { ...this.#policy, deadlineMs: Math.min(DOWN_MS, deadlineMs), attemptMs: Math.min(DOWN_MS, attemptMs) }
  }

  /** It said something, be it a refusal. */
  answered(): void {
    this.#failedMs = null
  }

  /** Somebody has waited in vain. */
  failed(nowMs: number): void {
    this.#failedMs = nowMs
  }
}
