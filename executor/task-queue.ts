/** Runs tasks in the order in which they came, so many at once as there are slots. Bounded. */

import { QueryError } from '../proto/errors.ts'

/** Far above what one coordinator sends ahead; a task definition is a few kilobytes. */
const MAX_WAITING = 10_000

export class TaskQueue {
  readonly #slots: number
  readonly #waiting = new Set<() => Promise<void>>()
  #running = 0

  constructor(slots: number) {
    this.#slots = slots
  }

  /** `run` must not reject. The returned function takes it out if it has not begun; false: it has. */
  push(run: () => Promise<void>): () => boolean {
    if (this.#waiting.size >= MAX_WAITING) throw new QueryError('EXECUTOR_FULL', `${MAX_WAITING} tasks are waiting`)
    const entry = (): Promise<void> => run()
    this.#waiting.add(entry)
    queueMicrotask(() => this.#fill())
    return () => this.#waiting.delete(entry)
  }

  #fill(): void {
    for (const entry of this.#waiting) {
      if (this.#running >= this.#slots) return
      this.#waiting.delete(entry)
      this.#running++
      void entry().finally(() => {
        this.#running--
        this.#fill()
      })
    }
  }
}
