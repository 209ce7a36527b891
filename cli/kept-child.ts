/**
 * A child process that is started again when it dies, with its folder, so that it comes back with its id and what it
 * kept; with a pause that grows with each death in a row.
 */

import type { ChildProcess } from 'node:child_process'
import { delay, type Clock } from '../proto/clock.ts'
import { asQueryError } from '../proto/errors.ts'
import type { ExecutorChange, ExecutorLaunch } from '../proto/launch.ts'
import { Child } from './child.ts'

/** Pause before one that died is started again; doubled with each death in a row, up to the second. */
const RESTART_MS = 200
const RESTART_MAX_MS = 10_000
/** One that lived so long died of something new. */
const HEALTHY_MS = 60_000

export interface KeptChildOptions {
  readonly launch: ExecutorLaunch
  /** How it is called in notices. */
  readonly name: string
  readonly clock: Clock
  readonly onNotice: (line: string) => void
}

export class KeptChild {
  readonly #options: KeptChildOptions
  #launch: ExecutorLaunch
  #child: Child | null = null
  #starting: ChildProcess | null = null
  #stopping = false

  constructor(options: KeptChildOptions) {
    this.#options = options
    this.#launch = options.launch
  }

  /** The running process; null while there is none. */
  get child(): Child | null {
    return this.#child
  }

  /** Resolves when it is ready for the first time; rejects if it does not get there. */
  async start(): Promise<Child> {
    try {
      const launch = this.#launch
      const child = await Child.start(launch, this.#options.clock, process => { this.#starting = process })
      if (this.#launch !== launch) await child.reload(this.#launch)
      this.#child = child
      return child
    } finally {
      this.#starting = null
    }
  }

  /** From now on it is started again; resolves when it is told to stop. */
  async keep(): Promise<void> {
    const { clock, name, onNotice } = this.#options
    let pauseMs = RESTART_MS
    while (!this.#stopping) {
      const startedMs = clock.nowMs()
      const how = this.#child === null ? 'no process' : await this.#child.ended
      if (this.#stopping) return
      pauseMs = clock.nowMs() - startedMs > HEALTHY_MS ? RESTART_MS : Math.min(pauseMs * 2, RESTART_MAX_MS)
      onNotice(`${name} ended (${how}); starting it again`)
      this.#child = null
      await delay(clock, pauseMs)
      if (this.#stopping) return
      await this.start().catch((reason: unknown) => {
        if (!this.#stopping) onNotice(`${name} did not start: ${asQueryError(reason).message}`)
      })
    }
  }

  /** Also for those that are started later. Rejects with what the running one says, and nothing is changed for them. */
  async reload(change: ExecutorChange): Promise<void> {
    const before = this.#launch
    this.#launch = { ...before, ...change }
    const child = this.#child
    if (child === null) return
    try {
      await Promise.race([child.reload(change), child.ended])
    } catch (error) {
      this.#launch = before
      throw error
    }
  }

  /** Back to what was before a reload that others have refused; one that is silent reads it later. */
  async restore(change: ExecutorChange): Promise<void> {
    this.#launch = { ...this.#launch, ...change }
    await this.#child?.reload(change).catch(() => undefined)
  }

  /** It finishes what it has, for so long at most. */
  async leave(withinMs: number): Promise<void> {
    this.#stopping = true
    await this.#child?.leave(withinMs)
    await this.stop()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#starting?.kill('SIGKILL')
    await this.#child?.stop()
  }
}
