/**
 * One box of Skein as a process tree: one coordinator with the embedded store, and executors. An executor that dies is
 * started again on its own folder, so it comes back with its id and its cache; the coordinator's end ends all.
 */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { delay, type Clock } from '../proto/clock.ts'
import { splitAddress } from '../proto/address.ts'
import type { Config } from '../proto/config.ts'
import { QueryError } from '../proto/errors.ts'
import { AdminService } from '../proto/gen/admin_pb.js'
import type { CoordinatorLaunch, ExecutorLaunch, Ready, StoreLaunch } from '../proto/launch.ts'
import { Child } from './child.ts'
import { KeptChild } from './kept-child.ts'
import { operatorChannel } from './operator-channel.ts'

/** From the start of the executors' processes to their first heartbeat at the coordinator. */
const ACTIVE_WITHIN_MS = 15_000
const ASK_EVERY_MS = 10

/** Of the planner; absent: its defaults. */
export interface Thresholds {
  readonly wholeBytes?: number | undefined
  readonly broadcastRows?: number | undefined
  readonly sortRows?: number | undefined
  readonly skewRows?: number | undefined
}

export interface ClusterOptions extends Thresholds {
  readonly config: Config
  readonly executors: number
  readonly clock: Clock
  /** What its processes prove with that they belong together. */
  readonly newSecret: () => string
  /** Told in one line of what a person at the terminal should know. */
  readonly onNotice: (line: string) => void
}

export type CoordinatorReady = Extract<Ready, { role: 'coordinator' }>

export class Cluster {
  readonly doors: CoordinatorReady
  /** Resolves when the coordinator has ended by itself. */
  readonly failed: Promise<string>
  readonly #coordinator: Child
  readonly #executors: readonly KeptChild[]

  /** What it runs with. */
  #config: Config

  private constructor(config: Config, coordinator: Child, executors: readonly KeptChild[]) {
    this.#config = config
    this.#coordinator = coordinator
    this.#executors = executors
    this.doors = coordinator.ready as CoordinatorReady
    this.failed = coordinator.ended
  }

  /**
   * Resolves when the coordinator serves and every executor is registered. Rejects, with nothing left, if one fails.
   */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const { config, clock, onNotice } = options
    if (config.store !== null) {
      throw new QueryError('INVALID_CONFIG', 'store: this command keeps a store of its own; see skein coordinator')
    }
    const secret = options.newSecret()
    await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
    const coordinator = await Child.start(
      coordinatorLaunch(options, join(config.dataDir, 'coordinator'), { kind: 'embedded', secret }),
      clock, () => undefined)
    const { storeAddress: address = '' } = coordinator.ready as CoordinatorReady
    const executors = Array.from({ length: options.executors }, (_, i) => new KeptChild({
      launch: executorLaunch(options, i, { kind: 'remote', secret, address }), name: `executor ${i + 1}`,
      clock, onNotice,
    }))
    const cluster = new Cluster(config, coordinator, executors)
    try {
      await Promise.all(executors.map(executor => executor.start()))
      await allActive(cluster.doors.admin, executors.length, options)
    } catch (error) {
      await cluster.stop()
      throw error
    }
    for (const executor of executors) void executor.keep()
    return cluster
  }

  /**
   * All of it takes this configuration, or none. Executors come first: a table is there when all can read it. Rejects
   * with what one of them says.
   */
  async reload(config: Config): Promise<void> {
    const { buckets } = this.#config
    const taken: KeptChild[] = []
    const tell = async (executor: KeptChild): Promise<void> => {
      await executor.reload({ buckets: config.buckets })
      taken.push(executor)
    }
    try {
      await settled(this.#executors.map(tell))
      await this.#coordinator.reload({ config })
    } catch (error) {
      const restored = this.#executors.map(executor => ({ executor, done: executor.restore({ buckets }) }))
      // one that is silent has both orders before it, and is not waited for once more
      await Promise.all(restored.filter(({ executor }) => taken.includes(executor)).map(({ done }) => done))
      throw error
    }
    this.#config = config
  }

  /** What the coordinator is asked for by operators. */
  serve(reload: () => Promise<readonly string[]>): void {
    this.#coordinator.serve(reload)
  }

  executorPids(): readonly number[] {
    return this.#executors.flatMap(({ child }) => child?.ready.pid ?? [])
  }

  async stop(): Promise<void> {
    await Promise.all(this.#executors.map(executor => executor.stop()))
    await this.#coordinator.stop()
  }
}

export function coordinatorLaunch(
  { config, wholeBytes, broadcastRows, sortRows, skewRows }: Thresholds & { readonly config: Config },
  dataDir: string, store: StoreLaunch,
): CoordinatorLaunch {
  return {
    role: 'coordinator', dataDir, store, config,
    ...(wholeBytes === undefined ? {} : { wholeBytes }), ...(broadcastRows === undefined ? {} : { broadcastRows }),
    ...(sortRows === undefined ? {} : { sortRows }), ...(skewRows === undefined ? {} : { skewRows }),
  }
}

/** An executor is of use once the coordinator hears it. */
async function allActive(address: string, count: number, { clock, config }: ClusterOptions): Promise<void> {
  const channel = operatorChannel(address, config, clock)
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
function executorLaunch(options: ClusterOptions, index: number, store: StoreLaunch): ExecutorLaunch {
  const { config, executors } = options
  const share = (bytes: number): number => Math.floor(bytes / executors)
  const threads = Math.max(1, Math.floor(config.node.threads / executors))
  return {
    role: 'executor', dataDir: join(config.dataDir, `executor-${index + 1}`), listen: '127.0.0.1:0', store,
    storeGraceMs: config.storeGraceMs, drainMs: config.node.drainMs, buckets: config.buckets,
    ...(config.tls === null ? {} : { tls: config.tls }), ...resultsDoor(config, index),
    threads, slots: threads, memoryBytes: share(config.node.memoryBytes),
    spillBytes: share(config.node.spillBytes), cacheBytes: share(config.node.cacheBytes),
    resultCacheBytes: share(config.node.resultCacheBytes), labels: config.node.labels,
  }
}

/** Of the executors of one box each takes a port of its own: the next one, or any. */
export function resultsDoor(
  { listen, node, clientTls }: Config, index = 0,
): Partial<Pick<ExecutorLaunch, 'results'>> {
  if (listen.results === null) return {}
  const { host, port } = splitAddress(listen.results)
  const outside = node.advertise === null ? host : splitAddress(node.advertise).host
  return { results: { listen: `${host}:${port === 0 ? 0 : port + index}`, host: outside, tls: clientTls } }
}

/** Rejects with the first failure, once all have ended. */
async function settled(all: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(all)) if (outcome.status === 'rejected') throw outcome.reason
}
