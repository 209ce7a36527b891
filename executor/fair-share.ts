/**
 * Whose turn it is, by the slot time that each has had: groups by their weights, the users of a group evenly, the
 * queries of a user evenly. Start-time fair queueing (Goyal, Vin and Cheng, 1996) on each of the three levels: everyone
 * has a clock that runs by the time used, divided by the weight; the slowest is next. Who was idle starts where the
 * slowest of the others stands, so that nobody saves time up. Running work is charged as it goes, not at its end, so a
 * task that never ends cannot hide.
 */

import type { QueryId } from '../proto/ids.ts'

/** Whom a task counts for. */
export interface Share {
  readonly group: string
  /** Of the group, above 0. */
  readonly weight: number
  readonly user: string
  readonly query: QueryId
}

interface Node {
  readonly weight: number
  readonly children: Map<string, Node>
  /** Tasks that wait or run. */
  active: number
  running: number
  /** Sum of the times at which the running ones began. */
  startsMs: number
  /** Time used by those that have ended, over the weight, and what it was lifted by. */
  clockMs: number
  /** No child that becomes active starts below this. */
  floorMs: number
}

export class FairShare {
  readonly #root = newNode(1)

  /** A task waits. */
  arrived(share: Share, nowMs: number): void {
    let parent = this.#root
    for (const [key, weight] of pathOf(share)) {
      const floorMs = raiseFloor(parent, nowMs)
      const node = parent.children.get(key) ?? newNode(weight)
      parent.children.set(key, node)
      if (node.active++ === 0) node.clockMs = Math.max(node.clockMs, floorMs)
      parent = node
    }
  }

  began(share: Share, nowMs: number): void {
    for (const node of this.#nodes(share)) {
      node.running++
      node.startsMs += nowMs
    }
  }

  /** It ran from `startedMs`; null: it never began. */
  left(share: Share, startedMs: number | null, nowMs: number): void {
    let parent = this.#root
    for (const [key] of pathOf(share)) {
      const node = parent.children.get(key)
      if (node === undefined) return
      node.active--
      if (startedMs !== null) {
        node.running--
        node.startsMs -= startedMs
        node.clockMs += (nowMs - startedMs) / node.weight
      }
      if (node.active === 0) forgetIdle(parent, nowMs)
      parent = node
    }
  }

  /** The same shares, whose turn it is first; of equals the earlier one. */
  order(shares: readonly Share[], nowMs: number): Share[] {
    return shares.map(share => ({ share, clocks: this.#nodes(share).map(node => clockAt(node, nowMs)) }))
      .sort((a, b) => compare(a.clocks, b.clocks)).map(({ share }) => share)
  }

  #nodes(share: Share): Node[] {
    let parent = this.#root
    return pathOf(share).flatMap(([key]) => {
      const node = parent.children.get(key)
      if (node === undefined) return []
      parent = node
      return [node]
    })
  }
}

function newNode(weight: number): Node {
  return { weight, children: new Map(), active: 0, running: 0, startsMs: 0, clockMs: 0, floorMs: 0 }
}

/** A weight is part of the key: a coordinator that was started with another configuration counts apart. */
function pathOf({ group, weight, user, query }: Share): [string, number][] {
  return [[`${weight} ${group}`, weight], [user, 1], [query, 1]]
}

function clockAt({ clockMs, running, startsMs, weight }: Node, nowMs: number): number {
  return clockMs + (running * nowMs - startsMs) / weight
}

function raiseFloor(parent: Node, nowMs: number): number {
  const busy = [...parent.children.values()].filter(({ active }) => active > 0)
  if (busy.length > 0) parent.floorMs = Math.max(parent.floorMs, Math.min(...busy.map(node => clockAt(node, nowMs))))
  return parent.floorMs
}

/** Idle ones that would start at the floor anyway need not be remembered. */
function forgetIdle(parent: Node, nowMs: number): void {
  const nodes = [...parent.children]
  if (nodes.every(([, { active }]) => active === 0)) {
    parent.floorMs = Math.max(parent.floorMs, ...nodes.map(([, { clockMs }]) => clockMs))
  } else {
    raiseFloor(parent, nowMs)
  }
  for (const [key, { active, clockMs }] of nodes) {
    if (active === 0 && clockMs <= parent.floorMs) parent.children.delete(key)
  }
}

/** Clocks of two paths, level by level. */
function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
