/** Holds the state of admission, tells queries that they may start, and lets those that waited too long know. */

import { QueryError, unreachable } from '../proto/errors.ts'
import type { QueryId } from '../proto/ids.ts'
import type { Actor, Address, Context } from './actor/actor.ts'
import { ask, expire, leave, noQueries, withBudget, type Admission, type Claim, type Decision } from './admission.ts'

/** Part of the executors' memory that queries may claim; the rest is for what estimates miss. */
const BUDGET_SHARE = 0.9
const EXPIRY_CHECK_MS = 250

export type AdmissionNews =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'refused'; readonly cause: QueryError }

export type AdmissionMessage =
  | { readonly kind: 'ask'; readonly claim: Claim; readonly waitMs: number; readonly reply: Address<AdmissionNews> }
  | { readonly kind: 'leave'; readonly query: QueryId }
  /** Memory of all executors. */
  | { readonly kind: 'memory'; readonly bytes: number }
  | { readonly kind: 'check' }

export class AdmissionActor implements Actor<AdmissionMessage> {
  #state: Admission = noQueries
  readonly #replies = new Map<QueryId, Address<AdmissionNews>>()
  #checking = false

  receive(message: AdmissionMessage, context: Context<AdmissionMessage>): void {
    switch (message.kind) {
      case 'ask':
        this.#replies.set(message.claim.query, message.reply)
        this.#apply(ask(this.#state, { ...message.claim, untilMs: context.nowMs() + message.waitMs }))
        break
      case 'leave':
        this.#replies.delete(message.query)
        this.#apply(leave(this.#state, message.query))
        break
      case 'memory':
        this.#apply(withBudget(this.#state, message.bytes * BUDGET_SHARE))
        break
      case 'check':
        this.#checking = false
        this.#apply(expire(this.#state, context.nowMs()))
        break
      default: unreachable(message)
    }
    if (this.#state.waiting.length === 0 || this.#checking) return
    this.#checking = true
    context.schedule(EXPIRY_CHECK_MS, { kind: 'check' })
  }

  #apply({ next, admitted, refused, expired }: Decision): void {
    this.#state = next
    for (const query of admitted) this.#tell(query, { kind: 'admitted' })
    for (const query of refused) {
      this.#tell(query, {
        kind: 'refused', cause: new QueryError('QUERY_QUEUE_FULL', `${next.waiting.length} queries wait already`),
      })
    }
    for (const query of expired) {
      const none = next.budgetBytes === 0
      const cause = none ? new QueryError('NO_EXECUTOR', 'no executor is there to run the query')
        : new QueryError('QUERY_QUEUE_FULL', 'waited too long for memory that other queries hold')
      this.#tell(query, { kind: 'refused', cause })
    }
  }

  #tell(query: QueryId, news: AdmissionNews): void {
    this.#replies.get(query)?.send(news)
    this.#replies.delete(query)
  }
}
