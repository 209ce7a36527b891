/**
 * When a query may start: as long as the memory and the slots that it claims are there, and its group and its user may
 * run one more. Who of those that wait is next: the group that has had the least for its weight (fair-use.ts), in it
 * the user who has had the least, of his the oldest.
 *
 * Claims of more than an eighth of the memory are large. Large ones leave an eighth of everything to the small, and
 * keep their order among themselves; small ones pass them. Once the first large one has waited for OVERDUE_MS, small
 * ones keep to their eighth until it runs, so neither waits without limit. Small ones pass each other, where the next
 * one does not fit, until that one has waited for OVERDUE_MS or the others have had a little more. A claim that is
 * larger than all that its kind may have counts as that much, so it runs alone among them. Pure: values in, values out.
 */

import type { ResourceGroup } from '../proto/resource-group.ts'
import type { QueryId } from '../proto/ids.ts'
import { charge, compareUse, noUse, turnsOf, type FairUse, type Holder, type Turn } from './fair-use.ts'

/** Of memory and slots; and up to this part of the memory, a claim is small. */
const SMALL_SHARE = 1 / 8
export const OVERDUE_MS = 5_000
/** Of the whole cluster, over the weight: who has had so much more than another passes none of his claims. */
const PASS_MS = 1_000

export interface Admission {
  readonly budget: Budget
  readonly admitted: readonly Claim[]
  /** Oldest first. */
  readonly waiting: readonly WaitingClaim[]
  readonly use: FairUse
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

export const noQueries: Admission = { budget: { memoryBytes: 0, slots: 0 }, admitted: [], waiting: [], use: noUse }

export function ask(state: Admission, claim: WaitingClaim): Decision {
  const { sinceMs } = claim
  const charged = chargedUntil(state, sinceMs)
  return settle({ ...charged, waiting: [...charged.waiting, claim] }, sinceMs)
}

/** A query has ended, or its client has gone while it waited. */
export function leave(state: Admission, query: QueryId, nowMs: number): Decision {
  const others = (claim: Claim): boolean => claim.query !== query
  const { admitted, waiting } = state
  return settle({
    ...chargedUntil(state, nowMs), admitted: admitted.filter(others), waiting: waiting.filter(others),
  }, nowMs)
}

/** It was seen to use more than it claimed. */
export function observe(state: Admission, query: QueryId, memoryBytes: number, nowMs: number): Admission {
  const grown = (claim: Claim): Claim =>
    claim.query === query && claim.memoryBytes < memoryBytes ? { ...claim, memoryBytes } : claim
  return { ...chargedUntil(state, nowMs), admitted: state.admitted.map(grown) }
}

export function withBudget(state: Admission, budget: Budget, nowMs: number): Decision {
  return settle({ ...chargedUntil(state, nowMs), budget }, nowMs)
}

/** Time has passed. */
export function expire(state: Admission, nowMs: number): Decision {
  const expired = state.waiting.filter(({ untilMs }) => untilMs <= nowMs).map(({ query }) => query)
  const waiting = state.waiting.filter(({ untilMs }) => untilMs > nowMs)
  const decision = settle({ ...chargedUntil(state, nowMs), waiting }, nowMs)
  return { ...decision, expired }
}

export function isSmall({ memoryBytes }: Budget, budget: Budget): boolean {
  return memoryBytes <= budget.memoryBytes * SMALL_SHARE
}

/** What was held meanwhile counts. */
function chargedUntil(state: Admission, nowMs: number): Admission {
  if (state.waiting.length === 0) return { ...state, use: { ...noUse, atMs: nowMs } }
  const use = new Use(state)
  return { ...state, use: charge(state.use, holders(state), state.waiting.filter(claim => use.mayRun(claim)), nowMs) }
}

/** What each has of memory or of slots, whichever part is larger. */
function holders({ admitted, budget }: Admission): Holder[] {
  return admitted.map(({ group, user, memoryBytes, slots }) =>
    ({ group, user, part: Math.max(partOf(memoryBytes, budget.memoryBytes), partOf(slots, budget.slots)) }))
}

function partOf(held: number, whole: number): number {
  return held < whole ? held / whole : 1
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
  const order = turnsOf(state.use, holders(state))
  const waiting = state.waiting.filter(claim => use.mayRun(claim)).map(claim => ({ claim, ...order(claim) }))
  const small = earliest(waiting.filter(({ claim }) => isSmall(claim, budget)))
  const large = earliest(waiting.filter(({ claim }) => !isSmall(claim, budget)))
  const isOverdue = (one: Waiting | null): boolean => one !== null && nowMs - one.claim.sinceMs >= OVERDUE_MS
  const mayPassSmall = (one: Waiting): boolean =>
    one === small || small === null || (!isOverdue(small) && compareUse(one, small) <= PASS_MS)
  const starts = earliest(waiting.filter(one => isSmall(one.claim, budget)
    ? mayPassSmall(one) && use.fitsSmall(one.claim, isOverdue(large))
    : one === large && use.fitsLarge(one.claim)))
  return starts?.claim ?? null
}

type Waiting = Turn & { readonly claim: WaitingClaim }

function earliest(waiting: readonly Waiting[]): Waiting | null {
  const least = (a: Waiting, b: Waiting): Waiting =>
    (compareUse(a, b) || a.claim.sinceMs - b.claim.sinceMs) <= 0 ? a : b
  return waiting.length === 0 ? null : waiting.reduce(least)
}

/** What those that are admitted hold. */
class Use {
  readonly #budget: Budget
  readonly #admitted: readonly Claim[]
  /** How many of each group and user; null: nobody has asked. */
  #running: ReadonlyMap<string, number> | null = null
  readonly #small = { memoryBytes: 0, slots: 0 }
  readonly #large = { memoryBytes: 0, slots: 0 }

  constructor({ budget, admitted }: Admission) {
    this.#budget = budget
    this.#admitted = admitted
    for (const claim of admitted) {
      const sum = isSmall(claim, budget) ? this.#small : this.#large
      sum.memoryBytes += claim.memoryBytes
      sum.slots += claim.slots
    }
  }

  mayRun(claim: Claim): boolean {
    const { maxRunning, maxRunningPerUser } = claim.group
    if (maxRunning === null && maxRunningPerUser === null) return true
    const running = this.#running ??= countRunning(this.#admitted)
    return (running.get(groupKey(claim)) ?? 0) < (maxRunning ?? Infinity)
      && (running.get(userKey(claim)) ?? 0) < (maxRunningPerUser ?? Infinity)
  }

  /** `reserveOnly`: a large one is to find room. */
  fitsSmall(claim: Claim, reserveOnly: boolean): boolean {
    const most = reserveOnly ? part(this.#budget, SMALL_SHARE) : this.#budget
    return fits(least(claim, most), reserveOnly ? this.#small : add(this.#small, this.#large), most)
  }

  fitsLarge(claim: Claim): boolean {
    const most = part(this.#budget, 1 - SMALL_SHARE)
    const clamped = least(claim, most)
    return fits(clamped, this.#large, most) && fits(clamped, add(this.#small, this.#large), this.#budget)
  }
}

function countRunning(admitted: readonly Claim[]): ReadonlyMap<string, number> {
  const running = new Map<string, number>()
  for (const claim of admitted) {
    for (const key of [groupKey(claim), userKey(claim)]) running.set(key, (running.get(key) ?? 0) + 1)
  }
  return running
}

function fits(claim: Budget, held: Budget, budget: Budget): boolean {
  return held.memoryBytes + claim.memoryBytes <= budget.memoryBytes && held.slots + claim.slots <= budget.slots
}

function add(a: Budget, b: Budget): Budget {
  return { memoryBytes: a.memoryBytes + b.memoryBytes, slots: a.slots + b.slots }
}

function least(a: Budget, b: Budget): Budget {
  return { memoryBytes: Math.min(a.memoryBytes, b.memoryBytes), slots: Math.min(a.slots, b.slots) }
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
