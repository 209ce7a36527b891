/** How far a query is, as one line of a terminal that is drawn anew, and gone before anything else is written. */

import type { Clock } from '../proto/clock.ts'

export interface ProgressOptions {
  readonly clock: Clock
  /** What ends sooner gets no line. */
  readonly afterMs: number
  /** Stands before the bar. */
  readonly indent: string
  /** 0 to 100; rejects if it is not known. */
  readonly percentage: () => Promise<number>
  readonly write: (text: string) => unknown
}

const AGAIN_MS = 100
const WIDTH = 30
const CLEAR = '\r\u001b[2K'

export class ProgressBar {
  readonly #options: ProgressOptions
  readonly #startMs: number
  #cancel: () => void
  #isDrawn = false
  #isOver = false

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#startMs = options.clock.nowMs()
    this.#cancel = options.clock.after(options.afterMs, () => { void this.#draw() })
  }

  /** Nothing is drawn any more, and nothing is left of it. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancel()
    if (this.#isDrawn) this.#options.write(CLEAR)
  }

  async #draw(): Promise<void> {
    const { clock, indent, percentage, write } = this.#options
    const percent = await percentage().catch(() => 0) // its own answer says what is wrong
    if (this.#isOver) return
    this.#isDrawn = true
    write(`${CLEAR}${indent}${bar(percent, clock.nowMs() - this.#startMs)}`)
    this.#cancel = clock.after(AGAIN_MS, () => { void this.#draw() })
  }
}

function bar(percent: number, elapsedMs: number): string {
  const full = Math.round(WIDTH * Math.min(100, percent) / 100)
  const seconds = (elapsedMs / 1000).toFixed(1)
  return `[${'█'.repeat(full)}${'·'.repeat(WIDTH - full)}] ${Math.floor(percent)} %  ${seconds} s`
}
