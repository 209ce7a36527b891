/**
 * Who may come in: the first thing that happens to a statement, before anything is planned, so that a full house says
 * so at once and says when to come again. Counts the queries that have not been admitted yet, by group and by user.
 */

import { QueryError } from '../proto/errors.ts'
import type { QueryId } from '../proto/ids.ts'
import type { ResourceGroup } from '../proto/resource-group.ts'

/** Bounds of what a refused client is told: nobody comes back sooner, or stays away for longer. */
const MIN_RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** Weight of the newest gap between two admissions in their mean. */
const NEWEST = 0.1

interface Waiting {
  readonly group: string
  readonly user: string
}

export class Intake {
  readonly #waiting = new Map<QueryId, Waiting>()
  readonly #counts = new Map<string, number>()
  #lastAdmittedMs: number | null = null
  #meanGapMs = MIN_RETRY_MS

  get size(): number {
    return this.#waiting.size
  }

  /** Throws QUERY_QUEUE_FULL, with the time after which to try again. */
  check(user: string, group: ResourceGroup): void {
    const [ofGroup, ofUser] = [this.#count(group.name), this.#count(userKey(group.name, user))]
    if (ofGroup >= group.maxQueued) throw this.#full(`${ofGroup} queries of group ${group.name} wait already`, ofGroup)
    if (ofUser >= group.maxQueuedPerUser) throw this.#full(`${ofUser} queries of ${user} wait already`, ofUser)
  }

  /** As `check`; from here on it counts. */
  enter(query: QueryId, user: string, group: ResourceGroup): void {
    this.check(user, group)
    this.#waiting.set(query, { group: group.name, user })
    this.#add(group.name, 1)
    this.#add(userKey(group.name, user), 1)
  }

  admitted(query: QueryId, nowMs: number): void {
    if (!this.#waiting.has(query)) return
    const gapMs = Math.min(MAX_RETRY_MS, nowMs - (this.#lastAdmittedMs ?? nowMs))
    this.#meanGapMs += NEWEST * (gapMs - this.#meanGapMs)
    this.#lastAdmittedMs = nowMs
    this.left(query)
  }

  /** Admitted, or ended before. */
  left(query: QueryId): void {
    const waiting = this.#waiting.get(query)
    if (waiting === undefined) return
    this.#waiting.delete(query)
    this.#add(waiting.group, -1)
    this.#add(userKey(waiting.group, waiting.user), -1)
  }

  /** A QUERY_QUEUE_FULL that says when, after `ahead` others were admitted, there may be room. */
  #full(why: string, ahead: number): QueryError {
    const retryAfterMs = Math.round(Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, ahead * this.#meanGapMs / 2)))
    return new QueryError('QUERY_QUEUE_FULL', why, { retryAfterMs })
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  #add(key: string, change: 1 | -1): void {
    const count = this.#count(key) + change
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
  }
}

/** No name of a group holds a line end. */
function userKey(group: string, user: string): string {
  return `${group}\n${user}`
}
