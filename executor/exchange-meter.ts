/**
 * Watches the files that a COPY makes, as it cannot be asked how much it has written: at every look the bytes are
 * taken from the executor's disk, and when there is no room the COPY is interrupted until it has stopped. Between two
 * looks it may write on: DuckDB writes some 100 to 300 MB/s a thread, so a few ten MB. Short tasks are never looked at.
 */

import type { Clock } from '../proto/clock.ts'
import type { ExchangeFiles, TaskPlace } from './exchange-files.ts'

const LOOK_MS = 200
/** A look at many thousand files takes long: this much of the time at most goes into looking. */
const LOOK_SHARE = 0.05
/** An interrupt is lost on a statement that has not quite begun. */
const INTERRUPT_EVERY_MS = 50

export interface ExchangeMeterOptions {
  readonly files: ExchangeFiles
  readonly place: TaskPlace
  readonly clock: Clock
  readonly interrupt: () => void
}

export class ExchangeMeter {
  readonly #options: ExchangeMeterOptions
  #full = false
  #ended = false
  #cancelTimer: () => void

  constructor(options: ExchangeMeterOptions) {
    this.#options = options
    this.#cancelTimer = options.clock.after(LOOK_MS, () => { void this.#look() })
  }

  /** True once the COPY was interrupted for want of room. */
  get full(): boolean {
    return this.#full
  }

  end(): void {
    this.#ended = true
    this.#cancelTimer()
  }

  async #look(): Promise<void> {
    const { files, place, clock } = this.#options
    const startMs = clock.nowMs()
    const byteCount = await files.measureOutput(place)
    if (this.#ended) return
    if (!files.accountOutput(place, byteCount)) return this.#interrupt()
    const pauseMs = Math.max(LOOK_MS, (clock.nowMs() - startMs) / LOOK_SHARE)
    this.#cancelTimer = clock.after(pauseMs, () => { void this.#look() })
  }

  #interrupt(): void {
    this.#full = true
    this.#options.interrupt()
    this.#cancelTimer = this.#options.clock.after(INTERRUPT_EVERY_MS, () => this.#interrupt())
  }
}
