/**
 * Which DuckDB instance runs what:
 *
 *   shared       two for the life of the process: one keeps the order of rows (queries of one stage), one does not
 *                (fragments, which order by themselves). Emitted SQL of small and middle tasks.
 *   leased       a query with a task that needs more than LEASE_BYTES has one of its own, with that memory, until the
 *                query is released. A task that failed there, or on a shared one, for memory gets a larger one.
 *   principal's  the user's own text: its catalogs, views and settings are seen by the whole instance, so it is made
 *                for the task, may read the files of its scans and no other, and ends with the task.
 *
 *   session's    a session with objects of its own: temporary ones, its catalog `memory`. Lives as long as the session.
 *
 * All of them together never get more than the executor's memory: what is leased is taken from the shared ones, down to
 * a floor, and a lease waits until it can be. Every instance is fenced before it runs what came from elsewhere. A task
 * has a connection to itself: session settings are seen by their own connection alone.
 */

import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { delay, type Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import type { QueryId, SessionId, TaskId } from '../proto/ids.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { Fence } from './fence.ts'
import type { DuckConnection } from './instances.ts'
import { ManagedInstance, type Use } from './managed-instance.ts'

/** A task that needs more than this does not share an instance: DuckDB keeps budgets by instance alone. */
export const LEASE_BYTES = 256 * 1024 * 1024
/** DuckDB cannot work with less. */
const MIN_MEMORY_BYTES = 64 * 1024 * 1024
/** Of the executor's memory: what each shared instance keeps whatever is leased. */
const SHARED_FLOOR = 1 / 8
/** Of a session's own instance, for as long as it lives; what does not fit spills. */
const SESSION_BYTES = 128 * 1024 * 1024
/** At least: with one, DuckDB's ASOF RIGHT and FULL joins can wait for ever. */
const SESSION_THREADS = 2
/** An interrupt is lost on a statement that has not quite begun, so it is repeated. */
const INTERRUPT_EVERY_MS = 50
/** How long a lease waits for memory that other tasks hold, and how often it looks. */
const LEASE_WAIT_MS = 30_000
const LEASE_LOOK_MS = 50

export interface InstanceSetOptions {
  readonly clock: Clock
  /** Folders of the local buckets and of this executor's exchange files; absolute, free of links. */
  readonly directories: readonly string[]
  /** What instances spill goes below it; removed when they end. */
  readonly spillFolder: string
  /** Shared with exchange files and spools. */
  readonly disk: ByteBudget
  /** Of all instances together. */
  readonly memoryBytes: number
  readonly threads: number
}

/** Of a session's own instance. */
export interface SessionConnections {
  /** Runs the session's statements; its temporary objects are seen here alone. */
  readonly user: DuckConnection
  /** Makes the cluster's tables, beside the session's transaction. */
  readonly admin: DuckConnection
  /** Calls back once, after the pause between two interrupts. */
  readonly later: (callback: () => void) => () => void
  close(): Promise<void>
}

export interface TaskConnection {
  readonly connection: DuckConnection
  /** What was seen of the task so far. */
  readonly use: Readonly<Use>
  /** The task is over. `isClean`: it succeeded, so another may use the connection. */
  done(isClean: boolean): Promise<void>
}

type Order = 'ordered' | 'unordered'

interface Lease {
  /** null: until its task ends. */
  readonly queryId: QueryId | null
  readonly wantBytes: number
  instance: ManagedInstance | null
}

export class InstanceSet {
  readonly #options: InstanceSetOptions
  readonly #totalBytes: number
  readonly #floorBytes: number
  readonly #shared = new Map<Order, Promise<ManagedInstance>>()
  /** By query, order and size; open, or waiting for memory. */
  readonly #leases = new Map<string, { readonly lease: Lease; readonly opened: Promise<ManagedInstance> }>()
  readonly #open = new Set<ManagedInstance>()
  /** Limits change one after another, so that their sum holds at any time. */
  #turn: Promise<unknown> = Promise.resolve()
  #countedSpillBytes = 0

  private constructor(options: InstanceSetOptions) {
    this.#options = options
    // two shared instances and one more must be able to work
    this.#totalBytes = Math.max(options.memoryBytes, 4 * MIN_MEMORY_BYTES)
    this.#floorBytes = Math.max(MIN_MEMORY_BYTES, Math.floor(this.#totalBytes * SHARED_FLOOR))
  }

  /** Makes the shared instances, so that a wrong setting shows at start. */
  static async open(options: InstanceSetOptions): Promise<InstanceSet> {
    await rm(options.spillFolder, { recursive: true, force: true })
    await mkdir(options.spillFolder, { recursive: true })
    const set = new InstanceSet(options)
    await Promise.all([set.#sharedInstance('ordered'), set.#sharedInstance('unordered')])
    return set
  }

  get totalBytes(): number {
    return this.#totalBytes
  }

  /** What leases may have together, and so the most that one can. */
  get leasableBytes(): number {
    return this.#totalBytes - 2 * this.#floorBytes
  }

  /** For a user's own text, of which the planner may not know what it needs: so that every thread can run one. */
  get #ownTextBytes(): number {
    return Math.min(LEASE_BYTES, Math.floor(this.leasableBytes / this.#options.threads))
  }

  /** Something is to be looked at. */
  get busy(): boolean {
    return [...this.#open].some(({ uses, spilledBytes }) => uses.size > 0 || spilledBytes > 0)
  }

  /** What DuckDB may use in all instances now; never above what the executor has. */
  get memoryBytes(): number {
    return sum([...this.#open].map(instance => instance.memoryBytes))
  }

  /** For emitted SQL of a task that needs `memoryBytes` (0: unknown), with the settings that `setup` makes. */
  async emitted(
    queryId: QueryId, preserveOrder: boolean, memoryBytes: number, setup: string, signal: AbortSignal,
  ): Promise<TaskConnection> {
    const order: Order = preserveOrder ? 'ordered' : 'unordered'
    const instance = await (memoryBytes > LEASE_BYTES
      ? this.#leasedInstance(queryId, order, memoryBytes, signal)
      : this.#sharedInstance(order))
    const use = await instance.take(queryId, setup)
    return { connection: use.connection, use, done: async isClean => instance.done(use, isClean) }
  }

  /** For a user's own text that reads `files`. */
  async original(
    queryId: QueryId, taskId: TaskId, files: readonly string[], memoryBytes: number, signal: AbortSignal,
  ): Promise<TaskConnection> {
    const key = `task-${taskId}`
    const fence = { ...this.#fence(true, key), directories: [], files }
    const lease: Lease = { queryId: null, wantBytes: Math.max(memoryBytes, this.#ownTextBytes), instance: null }
    const instance = await this.#lease(key, lease, fence, signal)
    const use = await instance.take(queryId, '')
    return {
      connection: use.connection,
      use,
      done: async () => {
        instance.done(use, false)
        await this.#end(key)
      },
    }
  }

  /** For a session that may read `directories`, until it is closed. Waits for its memory, as a lease does. */
  async session(id: SessionId, directories: readonly string[], signal: AbortSignal): Promise<SessionConnections> {
    const key = `session-${createHash('sha256').update(id).digest('hex')}`
    const own = this.#fence(true, key)
    const fence = { ...own, directories, threads: Math.max(SESSION_THREADS, own.threads) }
    const instance = await this.#lease(key, { queryId: null, wantBytes: SESSION_BYTES, instance: null }, fence, signal)
    const owner = key as QueryId
    const [user, admin] = [await instance.take(owner, ''), await instance.take(owner, '')]
    return {
      user: user.connection, admin: admin.connection,
      later: callback => this.#options.clock.after(INTERRUPT_EVERY_MS, callback),
      close: async () => {
        instance.done(user, false)
        instance.done(admin, false)
        await this.#end(key)
      },
    }
  }

  /** The shared instances refuse everything after a fatal error: the next task gets new ones. */
  replaceShared(): void {
    for (const instance of this.#shared.values()) void instance.then(one => this.#close(one), () => undefined)
    this.#shared.clear()
  }

  /** All tasks of the query must have ended. */
  async releaseQuery(queryId: QueryId): Promise<void> {
    for (const [key, { lease }] of this.#leases) if (lease.queryId === queryId) await this.#end(key)
  }

  /** Looks at what instances use, and gives the disk's free bytes to those that spill. */
  async look(): Promise<void> {
    const { disk } = this.#options
    const used = [...this.#open].filter(({ uses, spilledBytes }) => uses.size > 0 || spilledBytes > 0)
    await Promise.all(used.map(instance => instance.look()))
    this.#countSpill()
    await Promise.all(used.map(one => one.limitSpill(one.spilledBytes + disk.freeBytes / used.length)))
    await this.#exclusive(() => this.#divide())
  }

  async close(): Promise<void> {
    for (const key of [...this.#leases.keys()]) await this.#end(key)
    const shared = [...this.#shared.values()]
    this.#shared.clear()
    await Promise.all(shared.map(instance => instance.then(one => this.#close(one), () => undefined)))
    await rm(this.#options.spillFolder, { recursive: true, force: true })
  }

  #sharedInstance(order: Order): Promise<ManagedInstance> {
    const known = this.#shared.get(order)
    if (known !== undefined) return known
    const made = this.#opened({ ...this.#fence(order === 'ordered', order), memoryBytes: this.#sharedBytes() })
    this.#shared.set(order, made)
    made.catch(() => this.#shared.delete(order))
    return made
  }

  /** A larger one than the query has is another one. */
  #leasedInstance(queryId: QueryId, order: Order, memoryBytes: number, signal: AbortSignal): Promise<ManagedInstance> {
    const key = `query-${queryId}-${order}-${memoryBytes}`
    const lease: Lease = { queryId, wantBytes: memoryBytes, instance: null }
    return this.#lease(key, lease, this.#fence(order === 'ordered', key), signal)
  }

  #lease(key: string, lease: Lease, fence: Fence, signal: AbortSignal): Promise<ManagedInstance> {
    const known = this.#leases.get(key)
    if (known !== undefined) return known.opened
    const opened = this.#openLease(lease, fence, signal)
    this.#leases.set(key, { lease, opened })
    opened.catch(() => this.#leases.delete(key))
    return opened
  }

  /** Waits for its memory, of which the shared instances give what they can at once. */
  async #openLease(lease: Lease, fence: Fence, signal: AbortSignal): Promise<ManagedInstance> {
    const { clock } = this.#options
    const wantBytes = Math.min(Math.max(MIN_MEMORY_BYTES, lease.wantBytes), this.leasableBytes)
    const untilMs = clock.nowMs() + LEASE_WAIT_MS
    const checkWanted = (): void => {
      if (signal.aborted) throw new QueryError('CANCELLED', 'the task was cancelled')
    }
    for (;;) {
      checkWanted()
      const instance = await this.#exclusive(async () => {
        await this.#shrinkShared(wantBytes)
        if (this.#totalBytes - this.memoryBytes < wantBytes) return null
        return this.#opened({ ...fence, memoryBytes: wantBytes })
      })
      if (instance !== null) {
        lease.instance = instance
        return instance
      }
      if (clock.nowMs() >= untilMs) {
        checkWanted()
        const message = `${wantBytes} bytes of memory were not free within ${LEASE_WAIT_MS / 1000} s`
        throw new QueryError('EXECUTOR_FULL', message)
      }
      await delay(clock, LEASE_LOOK_MS)
    }
  }

  async #end(key: string): Promise<void> {
    const entry = this.#leases.get(key)
    this.#leases.delete(key)
    const instance = await entry?.opened.catch(() => undefined)
    if (instance === undefined) return
    await this.#close(instance)
    await this.#exclusive(() => this.#divide())
  }

  async #opened(fence: Fence): Promise<ManagedInstance> {
    const instance = await ManagedInstance.open(fence, this.#options.clock)
    this.#open.add(instance)
    return instance
  }

  async #close(instance: ManagedInstance): Promise<void> {
    await instance.close()
    this.#open.delete(instance)
    this.#countSpill()
  }

  #countSpill(): void {
    const spilled = sum([...this.#open].map(({ spilledBytes }) => spilledBytes))
    this.#options.disk.overdraw(spilled - this.#countedSpillBytes)
    this.#countedSpillBytes = spilled
  }

  /** Each shared instance's part of what is not leased. */
  #sharedBytes(moreBytes = 0): number {
    const leased = sum([...this.#leases.values()].map(({ lease }) => lease.instance?.memoryBytes ?? 0))
    return Math.max(this.#floorBytes, Math.floor((this.#totalBytes - leased - moreBytes) / 2))
  }

  async #shrinkShared(wantBytes: number): Promise<void> {
    const target = this.#sharedBytes(wantBytes)
    for (const instance of await this.#sharedInstances()) {
      if (instance.memoryBytes > target) await instance.limitMemory(target)
    }
  }

  /** Back to what is not leased: first who has too much, then who has too little. */
  async #divide(): Promise<void> {
    await this.#shrinkShared(0)
    for (const instance of await this.#sharedInstances()) {
      const free = this.#totalBytes - this.memoryBytes
      const target = Math.min(this.#sharedBytes(), instance.memoryBytes + free)
      if (target > instance.memoryBytes) await instance.limitMemory(target)
    }
  }

  async #sharedInstances(): Promise<readonly ManagedInstance[]> {
    const all = await Promise.all([...this.#shared.values()].map(one => one.catch(() => null)))
    return all.filter(instance => instance !== null)
  }

  #exclusive<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(run)
    this.#turn = next.catch(() => undefined)
    return next
  }

  #fence(preserveOrder: boolean, name: string): Fence {
    const { directories, disk, threads, spillFolder } = this.#options
    return {
      directories, files: [], spillFolder: join(spillFolder, name), spillBytes: disk.freeBytes,
      memoryBytes: this.#totalBytes / 2, threads, preserveOrder,
    }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
