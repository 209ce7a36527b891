/** Process trees and their CPU time, from /proc. Where there is none (not Linux), trees are empty and times are 0. */

import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second, whatever its kernel's own clock. */
const TICK_MS = 10

interface Stat {
  readonly parent: number
  /** Of the process itself. */
  readonly ownMs: number
  /** Of its children that have ended and were waited for. */
  readonly endedChildrenMs: number
  readonly zombie: boolean
}

/** Living processes below `pid`, any number of levels down. */
export function descendants(pid: number): number[] {
  const all = stats()
  const below = (parent: number): number[] =>
    [...all].filter(([, stat]) => stat.parent === parent).flatMap(([child]) => [child, ...below(child)])
  return below(pid)
}

export function isAlive(pid: number): boolean {
  const stat = statOf(pid)
  return stat !== undefined && !stat.zombie
}

/** User and system time of `pid` and of all its descendants, those that ended included. */
export function treeCpuMs(pid: number): number {
  const all = stats()
  return [pid, ...descendants(pid)].reduce((sum, each) => {
    const stat = all.get(each)
    return sum + (stat?.ownMs ?? 0) + (stat?.endedChildrenMs ?? 0)
  }, 0)
}

function stats(): Map<number, Stat> {
  const found = new Map<number, Stat>()
  for (const name of entries('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined
    if (stat !== undefined) found.set(Number(name), stat)
  }
  return found
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** proc(5): fields after the name, which is in parentheses and may hold spaces. */
function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = (field: number): number => Number(fields[field - 3])
    return {
      parent: Number(fields[1]), zombie: fields[0] === 'Z',
      ownMs: (ticks(14) + ticks(15)) * TICK_MS, endedChildrenMs: (ticks(16) + ticks(17)) * TICK_MS,
    }
  } catch {
    return undefined // it has ended meanwhile
  }
}
