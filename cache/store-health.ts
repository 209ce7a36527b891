/**
 * How long a store is waited for. One that has not answered anybody for as long as the policy waits is not waited for
 * so long again by the next ones, until it answers, or until it has been left alone for a while: what needs it fails
 * soon, and what is tried again elsewhere costs little. One of those who ask meanwhile waits a little longer than the
 * others, so that a store that is back, and slow, is noticed.
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
/** While a store does not answer: time for one request of a store that is back, for one who asks … */
const DOWN_MS = 2_000
/** … and for the others: queries that come to their turns one after the other wait for each of these. */
const DOWN_OTHERS_MS = 500
/** After so long without a failure it is trusted as at first. */
const FORGET_MS = 30_000

export interface Wait {
  readonly policy: RetryPolicy
  readonly sinceMs: number
  readonly end: () => void
}

export class StoreHealth {
  readonly #policy: RetryPolicy
  /** When somebody last waited in vain; null: it has answered since. */
  #failed: { readonly atMs: number; readonly cause: QueryError } | null = null
  #answeredMs = -Infinity
  /** Somebody waits a little longer for it. */
  #isTried = false

  constructor(policy: RetryPolicy) {
    this.#policy = policy
  }

  /** How long who asks now may wait. `waitedMs`: what he has waited elsewhere already. `end`: to be called once. */
  begin(nowMs: number, waitedMs = 0): Wait {
    const { deadlineMs, attemptMs } = this.#policy
    const brief = (ms: number): RetryPolicy =>
      ({ ...this.#policy, deadlineMs: Math.min(ms, deadlineMs), attemptMs: Math.min(ms, attemptMs) })
    const wait = (policy: RetryPolicy, end = (): void => undefined): Wait => ({ policy, sinceMs: nowMs, end })
    if (this.#failed !== null && nowMs - this.#failed.atMs < FORGET_MS) {
      if (this.#isTried) return wait(brief(DOWN_OTHERS_MS))
      this.#isTried = true
      return wait(brief(DOWN_MS), () => { this.#isTried = false })
    }
    if (waitedMs === 0) return wait(this.#policy)
    return wait({ ...this.#policy, deadlineMs: Math.max(Math.min(DOWN_MS, deadlineMs), deadlineMs - waitedMs) })
  }

  /** It said something, be it a refusal. */
  answered(nowMs: number): void {
    this.#failed = null
    this.#answeredMs = nowMs
  }

  /** Somebody has waited in vain, and nobody else has been answered since he began. */
  failed({ sinceMs }: Wait, nowMs: number, cause: QueryError): void {
    if (this.#answeredMs < sinceMs) this.#failed = { atMs: nowMs, cause }
  }

  /** What somebody waited in vain for since `sinceMs`: who has stood in line all the while has waited with them. */
  failedSince(sinceMs: number): QueryError | null {
    return this.#failed !== null && this.#failed.atMs >= sinceMs ? this.#failed.cause : null
  }
}
