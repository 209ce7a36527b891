/**
 * One DuckDB instance with connections that wait for their next task: making one and setting it up takes as much CPU
 * as a small task's own SQL. A connection is only for tasks with the same settings, and only emitted SQL runs on it,
 * which leaves nothing behind: no temporary object, no setting, no open transaction.
 */

import type { DuckConnection, DuckInstance } from './instances.ts'

/** More than tasks run at once on any executor; the rest is closed. */
const MAX_WAITING = 64

export class ConnectionPool {
  readonly #instance: DuckInstance
  /** By the text that set them up, the one used last at the end. */
  readonly #waiting: { readonly setup: string; readonly connection: DuckConnection }[] = []
  #closed = false

  constructor(instance: DuckInstance) {
    this.#instance = instance
  }

  /** `setup` is run on a new connection; empty: nothing. */
  async take(setup: string): Promise<DuckConnection> {
    const at = this.#waiting.findLastIndex(waiting => waiting.setup === setup)
    const [known] = at < 0 ? [] : this.#waiting.splice(at, 1)
    if (known !== undefined) return known.connection
    const connection = await this.#instance.connect()
    try {
      if (setup !== '') await connection.run(setup)
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

  /** Its task has succeeded on it. */
  give(setup: string, connection: DuckConnection): void {
    if (this.#closed) return connection.close()
    this.#waiting.push({ setup, connection })
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()?.connection.close()
  }

  /** Connections that are out must be closed by whoever has them. */
  close(): void {
    this.#closed = true
    for (const { connection } of this.#waiting.splice(0)) connection.close()
    this.#instance.close()
  }
}
