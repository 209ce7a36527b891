/**
 * Which DuckDB instance runs what:
 *
 *   shared       two for the life of the process: one keeps the order of rows (queries of one stage), one does not
 *                (fragments, which order by themselves). Emitted SQL of small and middle tasks.
 *   leased       a query with a task that needs more than LEASE_BYTES has one of its own, with that memory, until the
 *                query is released.
 *   principal's  the user's own text: its catalogs, views and settings are seen by the whole instance, so it is made
 *                for the task, may read the files of its scans and no other, and ends with the task.
 *
 * Every instance is fenced before it runs what came from elsewhere. A task has a connection to itself: session settings
 * are seen by their own connection alone. Those for emitted SQL wait for the next task with the same settings.
 */

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { QueryId, TaskId } from '../proto/ids.ts'
import { ConnectionPool } from './connection-pool.ts'
import { raise, startOptions, type Fence } from './fence.ts'
import { DuckInstance, type DuckConnection } from './instances.ts'

/** A task that needs more than this does not share an instance: DuckDB keeps budgets by instance alone. */
export const LEASE_BYTES = 256 * 1024 * 1024
/** Each shared instance and each principal's may use so much of the executor's memory before it spills. */
const SHARED_SHARE = 0.5
/** DuckDB cannot work with less. */
const MIN_MEMORY_BYTES = 64 * 1024 * 1024

export interface InstanceSetOptions {
  /** Folders of the local buckets and of this executor's exchange files; absolute, free of links. */
  readonly directories: readonly string[]
  /** What instances spill goes below it; removed when they end. */
  readonly spillFolder: string
  readonly spillBytes: number
  readonly memoryBytes: number
  readonly threads: number
}

export interface TaskConnection {
  readonly connection: DuckConnection
  /** The task is over. `isClean`: it succeeded, so another may use the connection. */
  done(isClean: boolean): Promise<void>
}

type Order = 'ordered' | 'unordered'

interface Leased {
  readonly queryId: QueryId
  readonly spill: string
  readonly pool: Promise<ConnectionPool>
}

export class InstanceSet {
  readonly #options: InstanceSetOptions
  readonly #shared = new Map<Order, Promise<ConnectionPool>>()
  readonly #leased = new Map<string, Leased>()

  private constructor(options: InstanceSetOptions) {
    this.#options = options
  }

  /** Makes the shared instances, so that a wrong setting shows at start. */
  static async open(options: InstanceSetOptions): Promise<InstanceSet> {
    await rm(options.spillFolder, { recursive: true, force: true })
    await mkdir(options.spillFolder, { recursive: true })
    const set = new InstanceSet(options)
    await Promise.all([set.#sharedPool('ordered'), set.#sharedPool('unordered')])
    return set
  }

  /** For emitted SQL of a task that needs `memoryBytes` (0: unknown), with the settings that `setup` makes. */
  async emitted(
    queryId: QueryId, preserveOrder: boolean, memoryBytes: number, setup: string,
  ): Promise<TaskConnection> {
    const order: Order = preserveOrder ? 'ordered' : 'unordered'
    const pool = await (memoryBytes > LEASE_BYTES
      ? this.#leasedPool(queryId, order, memoryBytes)
      : this.#sharedPool(order))
    const connection = await pool.take(setup)
    return {
      connection,
      done: isClean => Promise.resolve(isClean ? pool.give(setup, connection) : connection.close()),
    }
  }

  /** For a user's own text that reads `files`. */
  async original(taskId: TaskId, files: readonly string[], memoryBytes: number): Promise<TaskConnection> {
    const spill = join(this.#options.spillFolder, `task-${taskId}`)
    const budget = memoryBytes > LEASE_BYTES ? { memoryBytes: this.#bounded(memoryBytes) } : {}
    const instance = await openFenced({ ...this.#fence(true, spill), directories: [], files, ...budget })
    const connection = await instance.connect()
    return {
      connection,
      done: async () => {
        connection.close()
        instance.close()
        await rm(spill, { recursive: true, force: true })
      },
    }
  }

  /** The shared instances refuse everything after a fatal error: the next task gets new ones. */
  replaceShared(): void {
    for (const pool of this.#shared.values()) void pool.then(one => one.close(), () => undefined)
    this.#shared.clear()
  }

  /** All tasks of the query must have ended. */
  async releaseQuery(queryId: QueryId): Promise<void> {
    for (const [key, lease] of this.#leased) {
      if (lease.queryId !== queryId) continue
      this.#leased.delete(key)
      await lease.pool.then(one => one.close(), () => undefined)
      await rm(lease.spill, { recursive: true, force: true })
    }
  }

  async close(): Promise<void> {
    for (const { queryId } of [...this.#leased.values()]) await this.releaseQuery(queryId)
    this.replaceShared()
    await rm(this.#options.spillFolder, { recursive: true, force: true })
  }

  #sharedPool(order: Order): Promise<ConnectionPool> {
    const known = this.#shared.get(order)
    if (known !== undefined) return known
    const made = openPool(this.#fence(order === 'ordered', join(this.#options.spillFolder, order)))
    this.#shared.set(order, made)
    made.catch(() => this.#shared.delete(order))
    return made
  }

  #leasedPool(queryId: QueryId, order: Order, memoryBytes: number): Promise<ConnectionPool> {
    const key = `${queryId} ${order}`
    const known = this.#leased.get(key)
    if (known !== undefined) return known.pool
    const spill = join(this.#options.spillFolder, `query-${queryId}-${order}`)
    const pool = openPool({ ...this.#fence(order === 'ordered', spill), memoryBytes: this.#bounded(memoryBytes) })
    this.#leased.set(key, { queryId, spill, pool })
    pool.catch(() => this.#leased.delete(key))
    return pool
  }

  #fence(preserveOrder: boolean, spillFolder: string): Fence {
    const { directories, memoryBytes, spillBytes, threads } = this.#options
    const shared = Math.max(MIN_MEMORY_BYTES, memoryBytes * SHARED_SHARE)
    return { directories, files: [], spillFolder, spillBytes, memoryBytes: shared, threads, preserveOrder }
  }

  #bounded(memoryBytes: number): number {
    return Math.max(MIN_MEMORY_BYTES, Math.min(memoryBytes, this.#options.memoryBytes))
  }
}

async function openPool(fence: Fence): Promise<ConnectionPool> {
  return new ConnectionPool(await openFenced(fence))
}

async function openFenced(fence: Fence): Promise<DuckInstance> {
  const instance = await DuckInstance.open(startOptions)
  const connection = await instance.connect()
  try {
    await raise(connection, fence)
  } finally {
    connection.close()
  }
  return instance
}
