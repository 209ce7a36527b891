/** Holds the state of admission, tells queries that they may start, and lets those that waited too long know. */

import { QueryError, unreachable } from '../proto/errors.ts'
import type { QueryId } from '../proto/ids.ts'
import type { Actor, Address, Context } from './actor/actor.ts'
import {
  ask, expire, leave, noQueries, observe, withBudget, type Admission, type Claim, type Decision,
} from './admission.ts'

/** Part of the executors' memory that queries may claim; the rest is for what estimates miss. */
const BUDGET_SHARE = 0.9
/** Queries a slot that run at once: a query uses its slots for a part of its time only. */
const QUERIES_PER_SLOT = 8
/** A small box too answers several clients. */
const MIN_QUERY_SLOTS = 32
const EXPIRY_CHECK_MS = 250
/** When others waited as long in vain, it is no use to come back at once. */
const RETRY_AFTER_MS = 5_000

export type AdmissionNews =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'refused'; readonly cause: QueryError }

export type AdmissionMessage =
  | { readonly kind: 'ask'; readonly claim: Claim; readonly waitMs: number; readonly reply: Address<AdmissionNews> }
  | { readonly kind: 'leave'; readonly query: QueryId }
  /** What it was seen to use on all executors together. */
  | { readonly kind: 'observed'; readonly query: QueryId; readonly memoryBytes: number }
  /** Memory and slots of all executors. */
  | { readonly kind: 'budget'; readonly memoryBytes: number; readonly slots: number }
  | { readonly kind: 'check' }

export class AdmissionActor implements Actor<AdmissionMessage> {
  #state: Admission = noQueries
  readonly #replies = new Map<QueryId, Address<AdmissionNews>>()
  #checking = false

  receive(message: AdmissionMessage, context: Context<AdmissionMessage>): void {
    const nowMs = context.nowMs()
    switch (message.kind) {
      case 'ask':
        this.#replies.set(message.claim.query, message.reply)
        this.#apply(ask(this.#state, { ...message.claim, sinceMs: nowMs, untilMs: nowMs + message.waitMs }))
        break
      case 'leave':
        this.#replies.delete(message.query)
        this.#apply(leave(this.#state, message.query, nowMs))
        break
      case 'observed':
        this.#state = observe(this.#state, message.query, message.memoryBytes, nowMs)
        break
      case 'budget': {
        const { memoryBytes, slots } = message
        const querySlots = slots === 0 ? 0 : Math.max(MIN_QUERY_SLOTS, slots * QUERIES_PER_SLOT)
        this.#apply(withBudget(this.#state, { memoryBytes: memoryBytes * BUDGET_SHARE, slots: querySlots }, nowMs))
        break
      }
      case 'check':
        this.#checking = false
        this.#apply(expire(this.#state, nowMs))
        break
      default: unreachable(message)
    }
    if (this.#state.waiting.length === 0 || this.#checking) return
    this.#checking = true
    context.schedule(EXPIRY_CHECK_MS, { kind: 'check' })
  }

  #apply({ next, admitted, expired }: Decision): void {
    this.#state = next
    for (const query of admitted) this.#tell(query, { kind: 'admitted' })
    for (const query of expired) {
      const none = next.budget.memoryBytes === 0
      const cause = none ? new QueryError('NO_EXECUTOR', 'no executor is there to run the query')
        : new QueryError('QUERY_QUEUE_FULL', 'waited too long for memory or slots that other queries hold',
          { retryAfterMs: RETRY_AFTER_MS })
      this.#tell(query, { kind: 'refused', cause })
    }
  }

  #tell(query: QueryId, news: AdmissionNews): void {
    this.#replies.get(query)?.send(news)
    this.#replies.delete(query)
  }
}
