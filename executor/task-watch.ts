/**
 * Looks again and again at what runs, for as long as something runs: what instances use, what spills, how far tasks
 * are. Costs nothing while the executor is idle.
 */

import type { Clock } from '../proto/clock.ts'

/** DuckDB fills some 100 MB of memory or disk meanwhile. A look takes about a millisecond of CPU an instance. */
const LOOK_MS = 250

export interface TaskWatchOptions {
  readonly clock: Clock
  readonly look: () => Promise<void>
  /** There is something to look at. */
  readonly busy: () => boolean
  readonly onFault: (reason: unknown) => void
}

export class TaskWatch {
  readonly #options: TaskWatchOptions
  #cancel: (() => void) | null = null
  #stopped = false

  constructor(options: TaskWatchOptions) {
    this.#options = options
  }

  /** Something runs now. */
  wake(): void {
    if (this.#cancel !== null || this.#stopped) return
    this.#cancel = this.#options.clock.after(LOOK_MS, () => { void this.#look() })
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  async #look(): Promise<void> {
    const { look, busy, onFault } = this.#options
    await look().catch(onFault)
    this.#cancel = null
    if (busy()) this.wake()
  }
}
