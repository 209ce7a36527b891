/**
 * When a query may start: as long as its memory fits the budget, else it waits. Who holds the least memory of those
 * that wait goes first, so that one user's many queries do not keep another's single one waiting; within a user the
 * oldest. The queue is bounded, in all and for each user; a full one refuses at once. Pure: values in, values out.
 */

import type { QueryId } from '../proto/ids.ts'

/** Waiting queries, over all users and of one: each holds its text and its plan. */
export const MAX_WAITING = 256
export const MAX_WAITING_OF_ONE = 64

export interface Admission {
  readonly budgetBytes: number
  readonly admitted: readonly Claim[]
  readonly waiting: readonly WaitingClaim[]
}

export interface Claim {
  readonly query: QueryId
  readonly principal: string
  readonly memoryBytes: number
}

export interface WaitingClaim extends Claim {
  readonly untilMs: number
}

/** What a step decided; queries that it does not name are where they were. */
export interface Decision {
  readonly next: Admission
  readonly admitted: readonly QueryId[]
  readonly refused: readonly QueryId[]
  /** They waited until their deadline. */
  readonly expired: readonly QueryId[]
}

export const noQueries: Admission = { budgetBytes: 0, admitted: [], waiting: [] }

export function ask(state: Admission, claim: WaitingClaim): Decision {
  const ofOne = state.waiting.filter(({ principal }) => principal === claim.principal).length
  const decision = settle({ ...state, waiting: [...state.waiting, claim] })
  const waits = decision.next.waiting.some(({ query }) => query === claim.query)
  if (!waits || (state.waiting.length < MAX_WAITING && ofOne < MAX_WAITING_OF_ONE)) return decision
  return { next: state, admitted: [], refused: [claim.query], expired: [] }
}

/** A query has ended, or its client has gone while it waited. */
export function leave(state: Admission, query: QueryId): Decision {
  const others = (claim: Claim): boolean => claim.query !== query
  return settle({ ...state, admitted: state.admitted.filter(others), waiting: state.waiting.filter(others) })
}

export function withBudget(state: Admission, budgetBytes: number): Decision {
  return settle({ ...state, budgetBytes })
}

export function expire(state: Admission, nowMs: number): Decision {
  const expired = state.waiting.filter(({ untilMs }) => untilMs <= nowMs).map(({ query }) => query)
  const decision = settle({ ...state, waiting: state.waiting.filter(({ untilMs }) => untilMs > nowMs) })
  return { ...decision, expired }
}

/** Admits whoever is next for as long as it fits. What is larger than the budget may run alone. */
function settle(state: Admission): Decision {
  let next = state
  const admitted: QueryId[] = []
  for (;;) {
    const claim = first(next)
    if (claim === null || !fits(next, claim)) return { next, admitted, refused: [], expired: [] }
    const { query, principal, memoryBytes } = claim
    next = {
      ...next,
      admitted: [...next.admitted, { query, principal, memoryBytes }],
      waiting: next.waiting.filter(other => other.query !== query),
    }
    admitted.push(query)
  }
}

function fits(state: Admission, claim: Claim): boolean {
  const taken = state.admitted.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
  return taken + claim.memoryBytes <= state.budgetBytes || (state.admitted.length === 0 && state.budgetBytes > 0)
}

function first({ admitted, waiting }: Admission): WaitingClaim | null {
  const held = new Map<string, number>()
  for (const { principal, memoryBytes } of admitted) held.set(principal, (held.get(principal) ?? 0) + memoryBytes)
  const of = (claim: Claim): number => held.get(claim.principal) ?? 0
  return waiting.reduce<WaitingClaim | null>(
    (best, claim) => best === null || of(claim) < of(best) ? claim : best, null,
  )
}
