/** What an operator sees of a cluster, and what lies on its disks: for tests that wait until something is so. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, treeCpuMs } from '../../bench/processes.ts'
import { delay, systemClock } from '../../proto/clock.ts'
import { AdminService, type Executor, type Query, type Task } from '../../proto/gen/admin_pb.js'
import { GrpcChannel } from '../../proto/grpc-channel.ts'
import type { Tls } from '../../proto/tls.ts'
import type { Doors } from './skein.ts'

const ASK_EVERY_MS = 20
const CALL_WITHIN_MS = 5_000
/** An idle executor's heartbeats take well under this share of one core. */
const IDLE_SHARE = 0.3
const IDLE_SAMPLE_MS = 300

export class Operator {
  readonly #channel: GrpcChannel

  constructor({ admin = '' }: Doors, tls: Tls | null = null) {
    this.#channel = new GrpcChannel(new URL(admin.replace('grpc+tls', 'grpc')).host, {}, undefined, tls)
  }

  async executors(): Promise<readonly Executor[]> {
    const { executors } = await this.#channel.service(AdminService).listExecutors({}, { deadlineMs: CALL_WITHIN_MS })
    return executors
  }

  async queries(): Promise<readonly Query[]> {
    const { queries } = await this.#channel.service(AdminService).listQueries({}, { deadlineMs: CALL_WITHIN_MS })
    return queries
  }

  async tasks(id: string): Promise<readonly Task[]> {
    const { tasks } = await this.#channel.service(AdminService).getQuery({ id }, { deadlineMs: CALL_WITHIN_MS })
    return tasks
  }

  /** The newest query whose text holds `part`. */
  async query(part: string): Promise<Query | undefined> {
    return (await this.queries()).find(({ sql }) => sql.includes(part))
  }

  async kill(id: string): Promise<void> {
    await this.#channel.service(AdminService).killQuery({ id }, { deadlineMs: CALL_WITHIN_MS })
  }

  close(): void {
    this.#channel.close()
  }
}

/** How long it took until `check` was true; rejects with `what` if that takes longer than `withinMs`. */
export async function until(what: string, withinMs: number, check: () => boolean | Promise<boolean>): Promise<number> {
  const startMs = systemClock.nowMs()
  while (!await check()) {
    if (systemClock.nowMs() - startMs > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await delay(systemClock, ASK_EVERY_MS)
  }
  return systemClock.nowMs() - startMs
}

/** None of these processes, nor any below them, computes. */
export async function idle(pids: readonly number[]): Promise<boolean> {
  const used = (): number => pids.reduce((sum, pid) => sum + treeCpuMs(pid), 0)
  const [before, startMs] = [used(), systemClock.nowMs()]
  await delay(systemClock, IDLE_SAMPLE_MS)
  return used() - before < IDLE_SHARE * (systemClock.nowMs() - startMs)
}

/** Files of queries below a data directory: exchange files, spools, spilled data. */
export function workFiles(dataDir: string): string[] {
  return readdirSync(dataDir, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && entry.name.startsWith('executor-'))
    .flatMap(({ name }) => ['exchange', 'spool', 'spill'].flatMap(folder => list(join(dataDir, name, folder))))
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(name => name !== 'marker')
      .map(name => join(folder, name))
  } catch {
    return [] // made with the first file
  }
}

/**
 * Living processes that were started with `text` in their environment, by whomever: a process whose parent has died is
 * nobody's child any more, but keeps its environment.
 */
export function processesWith(text: string): number[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number)
    .filter(pid => pid !== process.pid && environmentOf(pid).includes(text) && isAlive(pid))
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return '' // it has ended meanwhile
  }
}
