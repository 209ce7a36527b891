/**
 * Who of those that wait for admission has had the least, over time: groups by their weights, the users of a group
 * evenly. What someone holds while others wait is charged to his clock, over his weight, as in start-time fair queueing
 * (Goyal, Vin and Cheng, 1996). A clock is told as how far it is ahead of the slowest of those that wait: who was idle
 * begins beside that one and saves nothing up, and while nobody waits all stand together. What someone holds now counts
 * as if he kept it for a while, else all that becomes free at one time would go to one. Pure: values in, values out.
 */

import type { ResourceGroup } from '../proto/resource-group.ts'

/** For so long, it is taken, someone will keep what he holds: about as long as a query of some size. */
const KEPT_MS = 5_000
/** Those that wait need no longer to have as much as someone has had; what he had above that is forgiven. */
const CATCH_UP_MS = 20_000

export interface FairUse {
  /** Charged until then. */
  readonly atMs: number
  /** By group: milliseconds of the whole cluster, over the weight. Who is not here is beside the slowest. */
  readonly groups: Clocks
  /** By group and user. */
  readonly users: ReadonlyMap<string, Clocks>
}

type Clocks = ReadonlyMap<string, number>

export interface Sharer {
  readonly group: ResourceGroup
  readonly user: string
}

export interface Holder extends Sharer {
  /** Of the whole cluster, from 0 to 1. */
  readonly part: number
}

export const noUse: FairUse = { atMs: 0, groups: new Map(), users: new Map() }

/** Until `nowMs` those held, and these waited although they were allowed to run. */
export function charge(use: FairUse, holders: readonly Holder[], waiting: readonly Sharer[], nowMs: number): FairUse {
  const passedMs = Math.max(0, nowMs - use.atMs)
  const weights = new Map<string, number>()
  /** By group: its users, all alike. */
  const evenly = new Map<string, Map<string, number>>()
  for (const { group: { name, weight }, user } of waiting) {
    weights.set(name, weight)
    const users = evenly.get(name) ?? new Map<string, number>()
    evenly.set(name, users.set(user, 1))
  }
  const groups = advance(use.groups, heldByGroup(holders), passedMs, weights)
  const users = new Map([...evenly].map(([name, alike]): [string, Clocks] =>
    [name, advance(use.users.get(name) ?? new Map(), heldByUser(holders, name), passedMs, alike)]))
  return { atMs: nowMs, groups, users }
}

/** What someone has had and holds, and his group: milliseconds of the whole cluster, over the weight. */
export interface Turn {
  readonly groupMs: number
  readonly userMs: number
}

export function turnsOf(use: FairUse, holders: readonly Holder[]): (sharer: Sharer) => Turn {
  const groups = heldByGroup(holders)
  const users = new Map<string, Clocks>()
  return ({ group: { name }, user }) => {
    const held = users.get(name) ?? heldByUser(holders, name)
    users.set(name, held)
    return { groupMs: clock(use.groups, groups, name), userMs: clock(use.users.get(name), held, user) }
  }
}

/** By how much the one has had more than the other; the less, the earlier. */
export function compareUse(a: Turn, b: Turn): number {
  return a.groupMs - b.groupMs || a.userMs - b.userMs
}

function clock(aheadMs: Clocks | undefined, held: Clocks, key: string): number {
  return (aheadMs?.get(key) ?? 0) + (held.get(key) ?? 0) * KEPT_MS
}

/** The clocks of one level; `held` is over the weight, `waiting` the weights of those that wait. */
function advance(aheadMs: Clocks, held: Clocks, passedMs: number, waiting: ReadonlyMap<string, number>): Clocks {
  const clocks = new Map(aheadMs)
  for (const [key, part] of held) clocks.set(key, (clocks.get(key) ?? 0) + part * passedMs)
  const slowestMs = Math.min(...[...waiting.keys()].map(key => clocks.get(key) ?? 0))
  const mostMs = CATCH_UP_MS / sum(waiting.values())
  return new Map([...clocks].flatMap(([key, clockMs]): [string, number][] =>
    clockMs > slowestMs ? [[key, Math.min(clockMs - slowestMs, mostMs)]] : []))
}

function heldByGroup(holders: readonly Holder[]): Clocks {
  const held = new Map<string, number>()
  for (const { group: { name, weight }, part } of holders) held.set(name, (held.get(name) ?? 0) + part / weight)
  return held
}

function heldByUser(holders: readonly Holder[], group: string): Clocks {
  const held = new Map<string, number>()
  for (const { group: { name }, user, part } of holders) {
    if (name === group) held.set(user, (held.get(user) ?? 0) + part)
  }
  return held
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0)
}
