/** The files that one session has attached as catalogs, for a statement or for its transaction. */

import { QueryError } from '../../proto/errors.ts'
import type { Database } from '../../proto/gen/session_pb.js'
import { quoteName, quoteText } from '../../proto/sql-text.ts'
import type { SessionConnections } from '../instance-set.ts'
import { taskError } from '../duck-error.ts'
import { isThere, type DatabaseFiles, type HeldFile } from './database-files.ts'

/** For others that use it: some statements of a person's work. A list does not wait for so long. */
const WAIT_MS = 30_000
const LIST_WAIT_MS = 1_000

export class SessionDatabases {
  readonly #files: DatabaseFiles
  readonly #connections: SessionConnections
  readonly #held = new Map<string, HeldFile>()

  constructor(files: DatabaseFiles, connections: SessionConnections) {
    this.#files = files
    this.#connections = connections
  }

  get isEmpty(): boolean {
    return this.#held.size === 0
  }

  has(catalog: string): boolean {
    return this.#held.has(catalog.toLowerCase())
  }

  /** Those that are there to be listed; what is busy, or cannot be opened, is left out. */
  async attachForList(databases: readonly Database[], signal: AbortSignal): Promise<void> {
    for (const database of databases) {
      if (!this.has(database.catalog)) await this.#attach(database, false, LIST_WAIT_MS, signal).catch(() => undefined)
    }
  }

  /** `changes`: those that may be written are. Always in the same order, so that two sessions cannot wait in a ring. */
  async attach(databases: readonly Database[], changes: boolean, signal: AbortSignal): Promise<void> {
    for (const database of databases.toSorted((a, b) => a.file < b.file ? -1 : 1)) {
      if (!this.has(database.catalog)) await this.#attach(database, changes && database.writable, WAIT_MS, signal)
    }
  }

  /** All of them, once nothing uses them. */
  async detach(): Promise<void> {
    await this.#connections.user.run('USE memory')
    for (const [catalog, { release }] of this.#held) {
      await this.#connections.admin.run(`DETACH DATABASE IF EXISTS ${quoteName(catalog)}`)
      this.#held.delete(catalog)
      await release()
    }
  }

  /** The instance has ended, and with it all that it had attached. */
  async ended(): Promise<void> {
    for (const { release } of this.#held.values()) await release()
    this.#held.clear()
  }

  async #attach(
    { catalog, file, name }: Database, writes: boolean, waitMs: number, signal: AbortSignal,
  ): Promise<void> {
    const key = catalog.toLowerCase()
    const isNew = !await isThere(file)
    const turn = writes || isNew ? 'write' : 'read'
    const held = await this.#files.hold(file, `catalog ${catalog}`, { turn, waitMs, signal })
    this.#held.set(key, held)
    const mode = turn === 'write' ? '' : ' (READ_ONLY)'
    try {
      await this.#connections.admin.run(`ATTACH ${quoteText(held.path)} AS ${quoteName(catalog)}${mode}`)
    } catch (thrown) {
      this.#held.delete(key)
      await held.release()
      const { code, message } = taskError(thrown, [])
      throw new QueryError(code, `catalog ${catalog}: ${message.replaceAll(held.path, name)}`, { cause: thrown })
    }
  }
}
