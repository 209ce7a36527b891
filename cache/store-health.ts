/**
 * How long a store is waited for. One that has not answered anybody for as long as the policy waits is not waited for
 * so long again by the next ones, until it answers, or until it has been left alone for a while: what needs it fails
 * soon, and what is tried again elsewhere costs little.
 */

import type { QueryError } from '../proto/errors.ts'
import type { RetryPolicy } from './retry.ts'

/** A query that asks a store that does not answer has its error within 15 s. A long list takes a store some seconds. */
export const PATIENT: RetryPolicy = { deadlineMs: 14_000, attemptMs: 10_000, pauseMs: 50, maxPauseMs: 5000 }
/**
 * For tasks, which are tried once more elsewhere: twice as long, and a second each for what comes before and between
 * (catalog/bloom-filters.ts, coordinator/stage.ts), and no more, is what a query waits.
 */
export const BRISK: RetryPolicy = { deadlineMs: 6_500, attemptMs: 5_000, pauseMs: 50, maxPauseMs: 2000 }
/** While a store does not answer: time for one request of a store that is back. */
const DOWN_MS = 2_000
/** After so long without a failure it is trusted as at first. */
const FORGET_MS = 30_000

export class StoreHealth {
  readonly #policy: RetryPolicy
  /** When somebody last waited in vain; null: it has answered since. */
  #failed: { readonly atMs: number; readonly cause: QueryError } | null = null

  constructor(policy: RetryPolicy) {
    this.#policy = policy
  }

  /** `waitedMs`: what whoever asks has waited elsewhere already. */
  policy(nowMs: number, waitedMs = 0): RetryPolicy {
    const isDown = this.#failed !== null && nowMs - this.#failed.atMs < FORGET_MS
    if (!isDown && waitedMs === 0) return this.#policy
    const { deadlineMs, attemptMs } = this.#policy
    if (!isDown) return { ...this.#policy, deadlineMs: Math.max(Math.min(DOWN_MS, deadlineMs), deadlineMs - waitedMs) }
    return { ...this.#policy, deadlineMs: Math.min(DOWN_MS, deadlineMs), attemptMs: Math.min(DOWN_MS, attemptMs) }
  }

  /** It said something, be it a refusal. */
  answered(): void {
    this.#failed = null
  }

  /** Somebody has waited in vain. */
  failed(nowMs: number, cause: QueryError): void {
    this.#failed = { atMs: nowMs, cause }
  }

  /** What somebody waited in vain for since `sinceMs`: who has stood in line all the while has waited with them. */
  failedSince(sinceMs: number): QueryError | null {
    return this.#failed !== null && this.#failed.atMs >= sinceMs ? this.#failed.cause : null
  }
}
