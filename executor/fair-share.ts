/**
 * Whose turn it is, by the slot time that each has had: groups by their weights, the users of a group evenly, the
 * queries of a user evenly. Start-time fair queueing (Goyal, Vin and Cheng, 1996) on each of the three levels: everyone
 * has a clock that runs by the time used, divided by the weight; the slowest is next. Whoever had nothing that waited
 * starts where the slowest of those that wait stands, be it that he was idle or had all that he asked for: so nobody
 * saves time up. Where nobody waits there is nothing to divide, and all stand together. Running work is charged as it
 * goes, not at its end, so a task that never ends cannot hide.
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

/** Where a share counts: its group, its user, its query. */
export type Path = readonly { readonly key: string; readonly weight: number }[]

/** A weight is part of the key: a coordinator that was started with another configuration counts apart. */
export function pathOf({ group, weight, user, query }: Share): Path {
  return [{ key: `${weight} ${group}`, weight }, { key: user, weight: 1 }, { key: query, weight: 1 }]
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
  /** No child that begins to wait starts below this. */
  floorMs: number
}

export class FairShare {
  readonly #root = newNode(1)

  /** A task waits. */
  arrived(path: Path, nowMs: number): void {
    let parent = this.#root
    for (const { key, weight } of path) {
      const floorMs = raiseFloor(parent, nowMs)
      const node = parent.children.get(key) ?? newNode(weight)
      parent.children.set(key, node)
      if (!waits(node)) node.clockMs += Math.max(0, floorMs - clockAt(node, nowMs))
      node.active++
      parent = node
    }
  }

  began(path: Path, nowMs: number): void {
    let parent = this.#root
    for (const { key } of path) {
      const node = parent.children.get(key)
      if (node === undefined) return
      node.running++
      node.startsMs += nowMs
      parent = node
    }
  }

  /** It ran from `startedMs`; null: it never began. */
  left(path: Path, startedMs: number | null, nowMs: number): void {
    let parent = this.#root
    for (const { key } of path) {
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

  /** By how much its group, its user and itself are ahead: of two paths the lesser, by `compareClocks`, is next. */
  clocks(path: Path, nowMs: number): readonly number[] {
    const clocks: number[] = []
    let parent = this.#root
    for (const { key } of path) {
      const node = parent.children.get(key)
      if (node === undefined) break
      clocks.push(clockAt(node, nowMs))
      parent = node
    }
    return clocks
  }
}

/** Level by level. */
export function compareClocks(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function newNode(weight: number): Node {
  return { weight, children: new Map(), active: 0, running: 0, startsMs: 0, clockMs: 0, floorMs: 0 }
}

function clockAt({ clockMs, running, startsMs, weight }: Node, nowMs: number): number {
  return clockMs + (running * nowMs - startsMs) / weight
}

function waits({ active, running }: Node): boolean {
  return active > running
}

/** To the slowest of those that wait; if none does, to the fastest of those that run. */
function raiseFloor(parent: Node, nowMs: number): number {
  let [slowestMs, fastestMs] = [Infinity, -Infinity]
  for (const node of parent.children.values()) {
    if (waits(node)) slowestMs = Math.min(slowestMs, clockAt(node, nowMs))
    else if (node.running > 0) fastestMs = Math.max(fastestMs, clockAt(node, nowMs))
  }
  parent.floorMs = Math.max(parent.floorMs, slowestMs < Infinity ? slowestMs : fastestMs)
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
