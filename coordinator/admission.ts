/**
 * When a query may start: as long as the memory and the slots that it claims are there, and its group and its user may
 * run one more. Who of those that wait is next: the group that holds the least memory for its weight, in it the user
 * who holds the least, of his the oldest.
 *
 * Claims of more than an eighth of the memory are large. Large ones leave an eighth of everything to the small, and
 * keep their order among themselves; small ones pass them. Once the first large one has waited for OVERDUE_MS, small
 * ones keep to their eighth until it runs, so neither waits without limit. A claim that is larger than all that large
 * ones may have counts as that much, so it runs alone among them. Pure: values in, values out.
 */

import type { ResourceGroup } from '../proto/resource-group.ts'
import type { QueryId } from '../proto/ids.ts'

/** Of memory and slots; and up to this part of the memory, a claim is small. */
const SMALL_SHARE = 1 / 8
export const OVERDUE_MS = 5_000

export interface Admission {
  readonly budget: Budget
  readonly admitted: readonly Claim[]
  /** Oldest first. */
  readonly waiting: readonly WaitingClaim[]
}

export interface Budget {
  readonly memoryBytes: number
  readonly slots: number
}

export interface Claim extends Budget {
  readonly query: QueryId
  readonly user: string
  readonly group: ResourceGroup
}

export interface WaitingClaim extends Claim {
  readonly sinceMs: number
  readonly untilMs: number
}

/** What a step decided; queries that it does not name are where they were. */
export interface Decision {
  readonly next: Admission
  readonly admitted: readonly QueryId[]
  /** They waited until their deadline. */
  readonly expired: readonly QueryId[]
}

export const noQueries: Admission = { budget: { memoryBytes: 0, slots: 0 }, admitted: [], waiting: [] }

export function ask(state: Admission, claim: WaitingClaim): Decision {
  return settle({ ...state, waiting: [...state.waiting, claim] }, claim.sinceMs)
}

/** A query has ended, or its client has gone while it waited. */
export function leave(state: Admission, query: QueryId, nowMs: number): Decision {
  const others = (claim: Claim): boolean => claim.query !== query
  return settle({ ...state, admitted: state.admitted.filter(others), waiting: state.waiting.filter(others) }, nowMs)
}

/** It was seen to use more than it claimed. */
export function observe(state: Admission, query: QueryId, memoryBytes: number): Admission {
  const grown = (claim: Claim): Claim =>
    claim.query === query && claim.memoryBytes < memoryBytes ? { ...claim, memoryBytes } : claim
  return { ...state, admitted: state.admitted.map(grown) }
}

export function withBudget(state: Admission, budget: Budget, nowMs: number): Decision {
  return settle({ ...state, budget }, nowMs)
}

/** Time has passed. */
export function expire(state: Admission, nowMs: number): Decision {
  const expired = state.waiting.filter(({ untilMs }) => untilMs <= nowMs).map(({ query }) => query)
  const decision = settle({ ...state, waiting: state.waiting.filter(({ untilMs }) => untilMs > nowMs) }, nowMs)
  return { ...decision, expired }
}

export function isSmall({ memoryBytes }: Budget, budget: Budget): boolean {
  return memoryBytes <= budget.memoryBytes * SMALL_SHARE
}

/** Admits whoever is next for as long as someone may start. */
function settle(state: Admission, nowMs: number): Decision {
  let next = state
  const admitted: QueryId[] = []
  for (let claim = first(next, nowMs); claim !== null; claim = first(next, nowMs)) {
    const { query, user, group, memoryBytes, slots } = claim
    next = {
      ...next,
      admitted: [...next.admitted, { query, user, group, memoryBytes, slots }],
      waiting: next.waiting.filter(other => other.query !== query),
    }
    admitted.push(query)
  }
  return { next, admitted, expired: [] }
}

/** Who starts now. */
function first(state: Admission, nowMs: number): WaitingClaim | null {
  const { budget } = state
  if (state.waiting.length === 0 || budget.memoryBytes <= 0) return null
  const use = new Use(state)
  const order = state.waiting.filter(claim => use.mayRun(claim)).sort((a, b) => use.compare(a, b))
  const large = order.find(claim => !isSmall(claim, budget))
  const overdue = large !== undefined && nowMs - large.sinceMs >= OVERDUE_MS
  return order.find(claim => isSmall(claim, budget) ? use.fitsSmall(claim, overdue)
    : claim === large && use.fitsLarge(claim)) ?? null
}

/** What those that are admitted hold. */
class Use {
  readonly #budget: Budget
  readonly #memory = new Map<string, number>()
  readonly #running = new Map<string, number>()
  readonly #small = { memoryBytes: 0, slots: 0 }
  readonly #large = { memoryBytes: 0, slots: 0 }

  constructor({ budget, admitted }: Admission) {
    this.#budget = budget
    for (const claim of admitted) {
      for (const key of [groupKey(claim), userKey(claim)]) {
        this.#memory.set(key, (this.#memory.get(key) ?? 0) + claim.memoryBytes)
        this.#running.set(key, (this.#running.get(key) ?? 0) + 1)
      }
      const sum = isSmall(claim, budget) ? this.#small : this.#large
      sum.memoryBytes += claim.memoryBytes
      sum.slots += claim.slots
    }
  }

  mayRun(claim: Claim): boolean {
    const { maxRunning, maxRunningPerUser } = claim.group
    return (this.#running.get(groupKey(claim)) ?? 0) < (maxRunning ?? Infinity)
      && (this.#running.get(userKey(claim)) ?? 0) < (maxRunningPerUser ?? Infinity)
  }

  compare(a: WaitingClaim, b: WaitingClaim): number {
    const ofGroup = (claim: Claim): number => (this.#memory.get(groupKey(claim)) ?? 0) / claim.group.weight
    const ofUser = (claim: Claim): number => this.#memory.get(userKey(claim)) ?? 0
    return ofGroup(a) - ofGroup(b) || ofUser(a) - ofUser(b) || a.sinceMs - b.sinceMs
  }

  /** `reserveOnly`: a large one is to find room. */
  fitsSmall(claim: Claim, reserveOnly: boolean): boolean {
    if (reserveOnly) return fits(claim, this.#small, part(this.#budget, SMALL_SHARE))
    return fits(claim, add(this.#small, this.#large), this.#budget)
  }

  fitsLarge(claim: Claim): boolean {
    const most = part(this.#budget, 1 - SMALL_SHARE)
    const clamped = {
      memoryBytes: Math.min(claim.memoryBytes, most.memoryBytes), slots: Math.min(claim.slots, most.slots),
    }
    return fits(clamped, this.#large, most) && fits(clamped, add(this.#small, this.#large), this.#budget)
  }
}

function fits(claim: Budget, held: Budget, budget: Budget): boolean {
  return held.memoryBytes + claim.memoryBytes <= budget.memoryBytes && held.slots + claim.slots <= budget.slots
}

function add(a: Budget, b: Budget): Budget {
  return { memoryBytes: a.memoryBytes + b.memoryBytes, slots: a.slots + b.slots }
}

function part({ memoryBytes, slots }: Budget, share: number): Budget {
  return { memoryBytes: memoryBytes * share, slots: slots * share }
}

function groupKey({ group }: Claim): string {
  return `group ${group.name}`
}

function userKey({ group, user }: Claim): string {
  return `user ${group.name} ${user}`
}
