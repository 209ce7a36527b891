/** The processes of a cluster by their roles, and how much memory one of them takes while something runs. */

import { delay, systemClock } from '../../proto/clock.ts'
import type { Skein } from '../../test/cluster/skein.ts'
import { commandOf, residentBytes } from '../processes.ts'

export type Role = 'coordinator' | 'planner' | 'executor'

const entries: Readonly<Record<Role, string>> = {
  coordinator: '/coordinator/main.js', planner: '/planner/process.js', executor: '/executor/main.js',
}

/** The first process of this role. */
export function processOf(skein: Skein, role: Role): number {
  const pid = skein.processes().find(each => commandOf(each).some(argument => argument.endsWith(entries[role])))
  if (pid === undefined) throw new Error(`the cluster has no ${role}`)
  return pid
}

/** host:port of a door. */
export function addressOf(skein: Skein, door: 'flight' | 'http'): string {
  return new URL((skein.doors[door] ?? '').replace(/^grpc:/, 'http:')).host
}

const SAMPLE_EVERY_MS = 20

/** The most resident memory that `pid` has while `work` runs. */
export async function peakDuring(pid: number, work: () => Promise<void>): Promise<number> {
  let peak = residentBytes(pid)
  let isRunning = true
  const sampling = (async () => {
    while (isRunning) {
      await delay(systemClock, SAMPLE_EVERY_MS)
      peak = Math.max(peak, residentBytes(pid))
    }
  })()
  try {
    await work()
  } finally {
    isRunning = false
    await sampling
  }
  return peak
}
