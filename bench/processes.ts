/**
 * Process trees, their CPU time and their memory, from /proc. Where there is none (not Linux), trees are empty and
 * numbers are 0.
 */

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
  return [pid, ...descendants(pid)].reduce((sum, each) => sum + ownOf(each, all.get(each))
    + (all.get(each)?.endedChildrenMs ?? 0), 0)
}

/** User and system time of `pid` alone. */
export function ownCpuMs(pid: number): number {
  return ownOf(pid, statOf(pid))
}

/** The arguments that a process was started with, or nothing if it has ended. */
export function commandOf(pid: number): readonly string[] {
  return read(`/proc/${pid}/cmdline`).split('\0').filter(argument => argument !== '')
}

/** Memory that is in RAM now, shared libraries included. */
export function residentBytes(pid: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? []
  return Number(kilobytes) * 1024
}

/** Ticks are coarse, but know of threads that ended; the nanoseconds of living threads are exact. */
function ownOf(pid: number, stat: Stat | undefined): number {
  return stat === undefined ? 0 : Math.max(stat.ownMs, threadsMs(pid))
}

function threadsMs(pid: number): number {
  return entries(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [nanoseconds = '0'] = read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')
    return sum + Number(nanoseconds) / 1e6
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

/** Empty if there is no such file, or no longer. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** proc(5): fields after the name, which is in parentheses and may hold spaces. */
function statOf(pid: number): Stat | undefined {
  const text = read(`/proc/${pid}/stat`)
  if (text === '') return undefined // it has ended meanwhile
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = (field: number): number => Number(fields[field - 3])
  return {
    parent: Number(fields[1]), zombie: fields[0] === 'Z',
    ownMs: (ticks(14) + ticks(15)) * TICK_MS, endedChildrenMs: (ticks(16) + ticks(17)) * TICK_MS,
  }
}
