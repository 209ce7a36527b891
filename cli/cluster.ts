/**
 * One box of Skein as a process tree: one coordinator with the embedded store, and executors. An executor that dies is
 * started again on its own folder, so it comes back with its id and its cache; the coordinator's end ends all.
 */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import { delay, type Clock } from '../proto/clock.ts'
import type { Config } from '../proto/config.ts'
import { asQueryError, QueryError } from '../proto/errors.ts'
import { AdminService } from '../proto/gen/admin_pb.js'
import { GrpcChannel } from '../proto/grpc-channel.ts'
import type { ExecutorLaunch, Ready } from '../proto/launch.ts'
import { Child } from './child.ts'

/** Pause before an executor that died is started again; doubled with each death in a row, up to the second. */
const RESTART_MS = 200
const RESTART_MAX_MS = 10_000
/** An executor that lived so long died of something new. */
const HEALTHY_MS = 60_000

/** From the start of the executors' processes to their first heartbeat at the coordinator. */
const ACTIVE_WITHIN_MS = 15_000
const ASK_EVERY_MS = 10

export interface ClusterOptions {
  readonly config: Config
  readonly executors: number
  readonly clock: Clock
  /** What its processes prove with that they belong together. */
  readonly newSecret: () => string
  /** Thresholds of the planner; absent: its defaults. */
  readonly wholeBytes?: number | undefined
  readonly broadcastRows?: number | undefined
  /** Told in one line of what a person at the terminal should know. */
  readonly onNotice: (line: string) => void
}

export type CoordinatorReady = Extract<Ready, { role: 'coordinator' }>

export class Cluster {
  readonly doors: CoordinatorReady
  /** Resolves when the coordinator has ended by itself. */
  readonly failed: Promise<string>
  readonly #options: ClusterOptions
  readonly #coordinator: Child
  readonly #launches: readonly ExecutorLaunch[]
  readonly #executors = new Map<number, Child>()
  readonly #starting = new Set<ChildProcess>()
  #stopping = false

  private constructor(options: ClusterOptions, coordinator: Child, launches: readonly ExecutorLaunch[]) {
    this.#options = options
    this.#coordinator = coordinator
    this.#launches = launches
    this.doors = coordinator.ready as CoordinatorReady
    this.failed = coordinator.ended
  }

  /**
   * Resolves when the coordinator serves and every executor is registered. Rejects, with nothing left, if one fails.
   */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const { config, clock } = options
    const secret = options.newSecret()
    await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
    const coordinator = await Child.start({
      role: 'coordinator', dataDir: join(config.dataDir, 'coordinator'), secret, config,
      ...(options.wholeBytes === undefined ? {} : { wholeBytes: options.wholeBytes }),
      ...(options.broadcastRows === undefined ? {} : { broadcastRows: options.broadcastRows }),
    }, clock, () => undefined)
    const { storeAddress } = coordinator.ready as CoordinatorReady
    const launches = Array.from({ length: options.executors },
      (_, i) => executorLaunch(options, i, secret, storeAddress))
    const cluster = new Cluster(options, coordinator, launches)
    try {
      await Promise.all(launches.map((_, i) => cluster.#startExecutor(i)))
      await allActive(cluster.doors.admin, launches.length, clock)
    } catch (error) {
      await cluster.stop()
      throw error
    }
    for (const i of launches.keys()) void cluster.#keepAlive(i)
    return cluster
  }

  executorPids(): readonly number[] {
    return [...this.#executors.values()].map(child => child.ready.pid)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    for (const process of this.#starting) process.kill('SIGKILL')
    await Promise.all([...this.#executors.values()].map(child => child.stop()))
    await this.#coordinator.stop()
  }

  async #startExecutor(index: number): Promise<void> {
    const launch = this.#launches[index]
    if (launch === undefined) throw new Error(`no executor ${index}`)
    const started: ChildProcess[] = []
    try {
      this.#executors.set(index, await Child.start(launch, this.#options.clock, process => {
        started.push(process)
        this.#starting.add(process)
      }))
    } finally {
      for (const process of started) this.#starting.delete(process)
    }
  }

  async #keepAlive(index: number): Promise<void> {
    const { clock, onNotice } = this.#options
    let pauseMs = RESTART_MS
    while (!this.#stopping) {
      const child = this.#executors.get(index)
      const startedMs = clock.nowMs()
      const how = child === undefined ? 'no process' : await child.ended
      if (this.#stopping) return
      pauseMs = clock.nowMs() - startedMs > HEALTHY_MS ? RESTART_MS : Math.min(pauseMs * 2, RESTART_MAX_MS)
      onNotice(`executor ${index + 1} ended (${how}); starting it again`)
      this.#executors.delete(index)
      await new Promise<void>(resolve => { clock.after(pauseMs, resolve) })
      if (this.#stopping) return
      await this.#startExecutor(index).catch((reason: unknown) => {
        if (!this.#stopping) onNotice(`executor ${index + 1} did not start: ${asQueryError(reason).message}`)
      })
      if (this.#stopping) await this.#executors.get(index)?.stop()
    }
  }
}

/** An executor is of use once the coordinator hears it. */
async function allActive(address: string, count: number, clock: Clock): Promise<void> {
  const channel = new GrpcChannel(address)
  try {
    const deadlineMs = clock.nowMs() + ACTIVE_WITHIN_MS
    for (;;) {
      const { executors } = await channel.service(AdminService).listExecutors({}, { deadlineMs: ACTIVE_WITHIN_MS })
      const active = executors.filter(({ state }) => state === 'active').length
      if (active >= count) return
      if (clock.nowMs() > deadlineMs) {
        throw new QueryError('UNAVAILABLE', `the coordinator hears ${active} of ${count} executors`)
      }
      await delay(clock, ASK_EVERY_MS)
    }
  } finally {
    channel.close()
  }
}

/** An executor's share of the box: threads and bytes divided evenly, at least one thread each. */
function executorLaunch(options: ClusterOptions, index: number, secret: string, storeAddress: string): ExecutorLaunch {
  const { config, executors } = options
  const share = (bytes: number): number => Math.floor(bytes / executors)
  const threads = Math.max(1, Math.floor(config.node.threads / executors))
  return {
    role: 'executor', dataDir: join(config.dataDir, `executor-${index + 1}`), listen: '127.0.0.1:0',
    secret, storeAddress, buckets: config.buckets, threads, slots: threads, memoryBytes: share(config.node.memoryBytes),
    spillBytes: share(config.node.spillBytes), cacheBytes: share(config.node.cacheBytes), labels: config.node.labels,
  }
}
