/**
 * Runs tasks in the order in which they came, so many at once as there are slots, and prepares as many of those that
 * come next. Bounded.
 */

import { QueryError } from '../proto/errors.ts'

/** Far above what one coordinator sends ahead; a task definition is a few kilobytes. */
const MAX_WAITING = 10_000

interface Entry {
  readonly run: () => Promise<void>
  readonly prepare: () => void
  isPrepared: boolean
}

export class TaskQueue {
  readonly #slots: number
  readonly #waiting = new Set<Entry>()
  #running = 0

  constructor(slots: number) {
    this.#slots = slots
  }

  /**
   * `run` must not reject. `prepare` is called at most once, if it has to wait. The returned function takes it out if
   * it has not begun; false: it has.
   */
  push(run: () => Promise<void>, prepare: () => void = () => undefined): () => boolean {
    if (this.#waiting.size >= MAX_WAITING) throw new QueryError('EXECUTOR_FULL', `${MAX_WAITING} tasks are waiting`)
    const entry = { run, prepare, isPrepared: false }
    this.#waiting.add(entry)
    queueMicrotask(() => this.#fill())
    return () => this.#waiting.delete(entry)
  }

  #fill(): void {
    for (const entry of this.#waiting) {
      if (this.#running >= this.#slots) break
      this.#waiting.delete(entry)
      this.#running++
      void entry.run().finally(() => {
        this.#running--
        this.#fill()
      })
    }
    this.#prepareNext()
  }

  #prepareNext(): void {
    let next = 0
    for (const entry of this.#waiting) {
      if (next++ >= this.#slots) return
      if (entry.isPrepared) continue
      entry.isPrepared = true
      entry.prepare()
    }
  }
}
