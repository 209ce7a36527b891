/**
 * DuckDB files that are catalogs, as the sessions of this executor share them: each has its own instance attach the
 * file for a statement or a transaction, many that read or one that writes, and detach it after that.
 *
 * Between processes the file is fenced by the kernel: whoever uses it holds DuckDB's own lock on a file beside it
 * (`.owner`), from the first of its sessions that needs it to the last that lets go. Such a lock ends with its process,
 * however that ends, and never before; so there is no time at which two write, and none that must pass after a death.
 */

import { access, lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { delay, type Clock } from '../../proto/clock.ts'
import { asQueryError, QueryError } from '../../proto/errors.ts'
import { quoteName, quoteText } from '../../proto/sql-text.ts'
import { startOptions } from '../fence.ts'
import { DuckInstance, type DuckConnection } from '../instances.ts'
import { TurnLock, type Turn } from './turn-lock.ts'

const LOOK_MS = 50
/** It holds empty files alone. */
const KEEPER_OPTIONS = { ...startOptions, threads: '1', memory_limit: '32MB' }
const LOCKED = /Could not set lock on file/

export interface HeldFile {
  /** Free of links. */
  readonly path: string
  readonly release: () => Promise<void>
}

export interface Wanted {
  readonly turn: Turn
  readonly waitMs: number
  readonly signal: AbortSignal
}

interface SharedFile {
  readonly lock: TurnLock
  users: number
  /** Taking or letting go of the lock between processes, one after another. */
  turn: Promise<unknown>
}

export class DatabaseFiles {
  readonly #clock: Clock
  readonly #directories: readonly string[]
  readonly #shared = new Map<string, SharedFile>()
  #keeper: Promise<{ readonly instance: DuckInstance; readonly connection: DuckConnection }> | null = null

  /** `directories`: of buckets; absolute, free of links. */
  constructor(directories: readonly string[], clock: Clock) {
    this.#directories = directories
    this.#clock = clock
  }

  /**
   * Waits for its turn, in this process and then among all. `name`: what messages call it. Throws CATALOG_BUSY,
   * FILE_NOT_FOUND, PERMISSION_DENIED.
   */
  async hold(file: string, name: string, wanted: Wanted): Promise<HeldFile> {
    const path = await this.#pathOf(file, name)
    const shared = this.#shared.get(path)
      ?? { lock: new TurnLock(name, this.#clock), users: 0, turn: Promise.resolve() }
    this.#shared.set(path, shared)
    const giveBack = await shared.lock.take(wanted.turn, wanted.waitMs, wanted.signal)
    const release = async (): Promise<void> => {
      await this.#next(shared, async () => { if (--shared.users === 0) await this.#letGo(path) })
      giveBack()
      if (shared.lock.isFree) this.#shared.delete(path)
    }
    try {
      await this.#next(shared, async () => { if (shared.users++ === 0) await this.#own(path, name, wanted) })
      return { path, release }
    } catch (error) {
      await release()
      throw error
    }
  }

  async close(): Promise<void> {
    const keeper = await this.#keeper
    this.#keeper = null
    keeper?.connection.close()
    keeper?.instance.close()
  }

  /** Links may lead out of the bucket. */
  async #pathOf(file: string, name: string): Promise<string> {
    const folder = await realpath(dirname(file)).catch((cause: unknown) => {
      throw new QueryError('FILE_NOT_FOUND', `${name}: its folder is not there`, { cause })
    })
    const path = join(folder, basename(file))
    const isLink = await lstat(path).then(found => found.isSymbolicLink(), () => false)
    if (!isLink && this.#directories.some(directory => path.startsWith(directory + sep))) return path
    throw new QueryError('PERMISSION_DENIED', `${name}: is no file inside its bucket`)
  }

  /** Until no other process has it. */
  async #own(path: string, name: string, { waitMs, signal }: Wanted): Promise<void> {
    this.#keeper ??= openKeeper()
    const { connection } = await this.#keeper
    const untilMs = this.#clock.nowMs() + waitMs
    for (;;) {
      try {
        await connection.run(`ATTACH ${quoteText(ownerFile(path))} AS ${quoteName(path)}`)
        return
      } catch (error) {
        if (!LOCKED.test(asQueryError(error).message)) throw error
      }
      if (signal.aborted) throw new QueryError('CANCELLED', 'the statement was cancelled')
      if (this.#clock.nowMs() >= untilMs) {
        throw new QueryError('CATALOG_BUSY', `${name} was in use by another executor for ${waitMs / 1000} s`)
      }
      await delay(this.#clock, LOOK_MS)
    }
  }

  /** Also where taking it has failed. */
  async #letGo(path: string): Promise<void> {
    const { connection } = await (this.#keeper ??= openKeeper())
    await connection.run(`DETACH DATABASE IF EXISTS ${quoteName(path)}`)
  }

  #next(shared: SharedFile, run: () => Promise<void>): Promise<void> {
    const next = shared.turn.then(run)
    shared.turn = next.catch(() => undefined)
    return next
  }
}

/** Whether there is a database yet: one that is only read is not made. */
export function isThere(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false)
}

function ownerFile(path: string): string {
  return `${path}.owner`
}

async function openKeeper() {
  const instance = await DuckInstance.open(KEEPER_OPTIONS)
  return { instance, connection: await instance.connect() }
}
