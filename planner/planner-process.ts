/** The planner's child process, as its parent holds it: start, talk, end. One is started anew for every restart. */

import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { FromProcess, ProcessOptions, PruneOutcome, Question, ToProcess } from './messages.ts'

export interface ProcessEvents {
  onMessage(message: FromProcess): void
  /** It has ended, and not by `kill`; how, in words. */
  onEnd(how: string): void
}

/** DuckDB's calls hold a thread of Node's pool each: two a planner thread (its own, and a bind), and some for files. */
const POOL_THREADS_SPARE = 4

export class PlannerProcess {
  readonly #child: ChildProcess
  #killed = false

  constructor(options: ProcessOptions, events: ProcessEvents) {
    const entry = fileURLToPath(new URL('./process.js', import.meta.url))
    this.#child = fork(entry, [JSON.stringify(options)], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, UV_THREADPOOL_SIZE: String(2 * options.threads + POOL_THREADS_SPARE) },
    })
    this.#child.on('message', message => {
      if (!this.#killed) events.onMessage(message as FromProcess)
    })
    const ended = (how: string): void => {
      if (this.#killed) return
      this.#killed = true
      events.onEnd(how)
    }
    this.#child.once('error', error => ended(error.message))
    this.#child.once('exit', (status, signal) => ended(signal ?? `exit status ${status}`))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  ask(id: number, question: Question): void {
    this.#send({ kind: 'ask', id, question })
  }

  pruned(id: number, outcome: PruneOutcome): void {
    this.#send({ kind: 'pruned', id, outcome })
  }

  /** At once, whatever it does; no event comes after. */
  kill(): void {
    this.#killed = true
    this.#child.kill('SIGKILL')
  }

  /** A channel that has closed already is told by `onEnd`. */
  #send(message: ToProcess): void {
    this.#child.send(message, () => undefined)
  }
}
