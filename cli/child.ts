/**
 * A process of ours: started with its launch parameters on standard input, ready once it says so on standard output.
 * Its standard input stays open; when this process dies, however it dies, the pipe ends and the child stops itself.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { delay, type Clock } from '../proto/clock.ts'
import { errorCode, QueryError } from '../proto/errors.ts'
import type { CoordinatorLaunch, ExecutorLaunch, Ready } from '../proto/launch.ts'

/** A process that says nothing for so long will not get ready. */
const READY_WITHIN_MS = 60_000
/** After being told to stop. Beyond it the process is killed: together under the 10 s that SIGTERM may take. */
const STOP_WITHIN_MS = 7_000
/** DuckDB holds one libuv thread a running query, and file system calls need some too. */
const UV_THREADS = 32

type Started = Extract<Ready, { ready: true }>

export class Child {
  readonly ready: Started
  /** Resolves when the process has ended, for whatever reason, to a text that says how. */
  readonly ended: Promise<string>
  readonly #process: ChildProcess
  readonly #clock: Clock

  private constructor(process: ChildProcess, ready: Started, ended: Promise<string>, clock: Clock) {
    this.#process = process
    this.#clock = clock
    this.ready = ready
    this.ended = ended
  }

  /** Rejects with the child's own error, or UNAVAILABLE if it ends or stays silent. */
  static async start(
    launch: CoordinatorLaunch | ExecutorLaunch, clock: Clock, onStart: (process: ChildProcess) => void,
  ): Promise<Child> {
    const entry = fileURLToPath(new URL(`../${launch.role}/main.js`, import.meta.url))
    const child = spawn(process.execPath, ['--enable-source-maps', entry], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, UV_THREADPOOL_SIZE: String(UV_THREADS) },
      detached: true, // Ctrl-C reaches the parent alone, which then stops its children in order
    })
    onStart(child)
    const ended = new Promise<string>(resolve => {
      child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
      child.once('error', error => resolve(error.message))
    })
    child.stdin?.on('error', () => undefined) // it ended before it read its parameters: `ended` tells
    child.stdin?.write(`${JSON.stringify(launch)}\n`)
    const answer = await Promise.race([firstLine(child), silence(child, launch.role, clock), ended.then(how => {
      throw new QueryError('UNAVAILABLE', `the ${launch.role} ended at its start: ${how}`)
    })])
    if (answer.ready) return new Child(child, answer, ended, clock)
    throw new QueryError(errorCode(answer.code) ?? 'INTERNAL', answer.message)
  }

  /** Tells it to take leave; resolves when it has ended, or after so long. */
  async leave(withinMs: number): Promise<void> {
    this.#process.kill('SIGTERM')
    await Promise.race([this.ended, delay(this.#clock, withinMs)])
  }

  /** Ends its standard input, which stops it; kills it if that takes too long. */
  async stop(): Promise<void> {
    this.#process.stdin?.end()
    const cancel = this.#clock.after(STOP_WITHIN_MS, () => this.#process.kill('SIGKILL'))
    await this.ended
    cancel()
  }
}

/** Rejects, and kills the child, if it has neither answered nor ended in time. */
function silence(child: ChildProcess, role: string, clock: Clock): Promise<never> {
  return new Promise((_, reject) => {
    const cancel = clock.after(READY_WITHIN_MS, () => {
      child.kill('SIGKILL')
      reject(new QueryError('UNAVAILABLE', `the ${role} was not ready within ${READY_WITHIN_MS} ms`))
    })
    child.stdout?.once('data', cancel)
    child.once('exit', cancel)
  })
}

async function firstLine(child: ChildProcess): Promise<Ready> {
  if (child.stdout === null) throw new Error('standard output is a pipe')
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) return JSON.parse(line) as Ready
  return new Promise<never>(() => undefined) // it ended: the other racer says so
}
