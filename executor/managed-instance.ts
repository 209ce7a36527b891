/**
 * One fenced DuckDB instance with what is known of it: its limits of memory and spill, which may change while it runs,
 * the tasks that are on it, and what it uses. Usage is asked on a connection of its own, beside the tasks', of which
 * those for emitted SQL wait for the next task with the same settings.
 */

import { rm } from 'node:fs/promises'
import type { Clock } from '../proto/clock.ts'
import type { QueryId } from '../proto/ids.ts'
import { ConnectionPool } from './connection-pool.ts'
import { limitMemory, limitSpill, raise, startOptions, type Fence } from './fence.ts'
import { folderBytes } from './folder-size.ts'
import { DuckInstance, type DuckConnection, type PreparedQuery } from './instances.ts'
import { memoryShares, type RunningTask } from './memory-share.ts'

/** One task on an instance, and what was seen of it. */
export interface Use extends RunningTask {
  readonly connection: DuckConnection
  /** What set the connection up. */
  readonly setup: string
  /** The largest share of the instance's memory that fell to its query; 0: never looked at. */
  peakBytes: number
  /** The instance wrote to disk for want of memory meanwhile. */
  spilled: boolean
  /** DuckDB's own guess of what is done, 0 to 1. */
  fraction: number
}

/** How finely spill limits are kept: changing one costs a statement. */
const SPILL_STEP_BYTES = 16 * 1024 * 1024
const USAGE = 'SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()'

export class ManagedInstance {
  readonly uses = new Set<Use>()
  readonly #fence: Fence
  readonly #pool: ConnectionPool
  readonly #control: DuckConnection
  /** On the control connection; bound once, as it is asked several times a second. */
  readonly #usage: PreparedQuery
  readonly #clock: Clock
  #memoryBytes: number
  #spillLimitBytes: number
  #closed = false
  /** The control connection takes one statement at a time, and ends after the last. */
  #last: Promise<unknown> = Promise.resolve()
  /** On disk, when it was last looked at. */
  spilledBytes = 0

  private constructor(
    fence: Fence, clock: Clock, pool: ConnectionPool, control: DuckConnection, usage: PreparedQuery,
  ) {
    this.#fence = fence
    this.#clock = clock
    this.#pool = pool
    this.#control = control
    this.#usage = usage
    this.#memoryBytes = fence.memoryBytes
    this.#spillLimitBytes = fence.spillBytes
  }

  static async open(fence: Fence, clock: Clock): Promise<ManagedInstance> {
    const instance = await DuckInstance.open(startOptions)
    try {
      const control = await instance.connect()
      await raise(control, fence)
      const usage = await control.prepareOne(USAGE)
      return new ManagedInstance(fence, clock, new ConnectionPool(instance), control, usage)
    } catch (error) {
      instance.close()
      throw error
    }
  }

  /** What DuckDB may use now. */
  get memoryBytes(): number {
    return this.#memoryBytes
  }

  /** `setup` has been run on the connection. */
  async take(queryId: QueryId, setup: string): Promise<Use> {
    const connection = await this.#pool.take(setup)
    const startedMs = this.#clock.nowMs()
    const use: Use = { queryId, startedMs, connection, setup, peakBytes: 0, spilled: false, fraction: 0 }
    this.uses.add(use)
    return use
  }

  /** `isClean`: its task has succeeded, so another may use the connection. */
  done(use: Use, isClean: boolean): void {
    this.uses.delete(use)
    if (isClean) this.#pool.give(use.setup, use.connection)
    else use.connection.close()
  }

  /** False if DuckDB holds more than that and cannot let go of it now. */
  limitMemory(byteCount: number): Promise<boolean> {
    return this.#next(true, async control => {
      if (byteCount === this.#memoryBytes) return true
      const done = await limitMemory(control, byteCount).then(() => true, () => false)
      if (done) this.#memoryBytes = byteCount
      return done
    })
  }

  limitSpill(byteCount: number): Promise<void> {
    const limitBytes = Math.max(SPILL_STEP_BYTES, Math.floor(byteCount / SPILL_STEP_BYTES) * SPILL_STEP_BYTES)
    return this.#next(undefined, async control => {
      if (limitBytes === this.#spillLimitBytes) return
      await limitSpill(control, limitBytes)
      this.#spillLimitBytes = limitBytes
    })
  }

  /** Looks at what it uses, and gives each query its share of it. */
  look(): Promise<void> {
    return this.#next(undefined, async () => {
      for (const use of this.uses) use.fraction = Math.max(use.fraction, use.connection.progress())
      const [[text] = []] = await this.#usage.texts([0])
      this.spilledBytes = await folderBytes(this.#fence.spillFolder)
      this.#share(Number(text ?? 0))
    })
  }

  /** Connections of tasks keep DuckDB's part alive until they end. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#last
    this.#usage.close()
    this.#control.close()
    this.#pool.close()
    await rm(this.#fence.spillFolder, { recursive: true, force: true })
  }

  #share(usedBytes: number): void {
    const shares = memoryShares(this.uses, usedBytes, this.#clock.nowMs())
    for (const use of this.uses) {
      use.peakBytes = Math.max(use.peakBytes, shares.get(use.queryId) ?? 0)
      use.spilled ||= this.spilledBytes > 0
    }
  }

  /** Runs after what runs already; `closed` once it is closed. */
  #next<T>(closed: T, run: (control: DuckConnection) => Promise<T>): Promise<T> {
    const next = this.#last.then(() => this.#closed ? closed : run(this.#control))
    this.#last = next.catch(() => undefined)
    return next
  }
}
