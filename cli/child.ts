/**
 * A process of ours: started with its launch parameters on standard input, ready once it says so on standard output.
 * Its standard input stays open; when this process dies, however it dies, the pipe ends and the child stops itself.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { delay, type Clock } from '../proto/clock.ts'
import { errorCode, QueryError } from '../proto/errors.ts'
import type {
  CoordinatorChange, CoordinatorLaunch, ExecutorChange, ExecutorLaunch, Order, Ready, ReloadOutcome, Report,
} from '../proto/launch.ts'
import { changedKeys, outcomeOf } from '../proto/parent.ts'

/** A process that says nothing for so long will not get ready. */
const READY_WITHIN_MS = 60_000
/** After being told to stop. Beyond it the process is killed: together under the 10 s that SIGTERM may take. */
const STOP_WITHIN_MS = 7_000
/** It makes what its new parameters need, and asks nobody. */
const RELOAD_WITHIN_MS = 10_000
/** DuckDB holds one libuv thread a running query, and file system calls need some too. */
const UV_THREADS = 32
/**
 * Of DuckDB's allocator in executors. Free memory is kept for a while, and then for another in which the system takes
 * it back only if it is short of it. Of itself DuckDB gives all back after a second, and the next query has every page
 * made anew: 5 to 7 % of the CPU of short ones.
 */
const ALLOCATOR = 'dirty_decay_ms:10000,muzzy_decay_ms:60000'
const ALLOCATOR_VARIABLE = 'DUCKDB_JE_MALLOC_CONF'

type Started = Extract<Ready, { ready: true }>
type Change = CoordinatorChange | ExecutorChange

export class Child {
  readonly ready: Started
  /** Resolves when the process has ended, for whatever reason, to a text that says how. */
  readonly ended: Promise<string>
  readonly #process: ChildProcess
  readonly #clock: Clock
  /** Orders that it has not answered yet, in their order. */
  readonly #ordered: ((outcome: ReloadOutcome) => void)[] = []
  #reload: (() => Promise<readonly string[]>) | null = null

  private constructor(process: ChildProcess, lines: Interface, ready: Started, ended: Promise<string>, clock: Clock) {
    this.#process = process
    this.#clock = clock
    this.ready = ready
    this.ended = ended
    lines.on('line', line => this.#told(JSON.parse(line) as Report))
  }

  /** Rejects with the child's own error, or UNAVAILABLE if it ends or stays silent. */
  static async start(
    launch: CoordinatorLaunch | ExecutorLaunch, clock: Clock, onStart: (process: ChildProcess) => void,
  ): Promise<Child> {
    const entry = fileURLToPath(new URL(`../${launch.role}/main.js`, import.meta.url))
    const child = spawn(process.execPath, ['--enable-source-maps', entry], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: environment(launch.role, process.env),
      detached: true, // Ctrl-C reaches the parent alone, which then stops its children in order
    })
    onStart(child)
    const ended = new Promise<string>(resolve => {
      child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
      child.once('error', error => resolve(error.message))
    })
    child.stdin?.on('error', () => undefined) // it ended before it read its parameters: `ended` tells
    child.stdin?.write(`${JSON.stringify(launch)}\n`)
    const lines = createInterface({ input: child.stdout })
    const answer = await Promise.race([firstLine(lines), silence(child, launch.role, clock), ended.then(how => {
      throw new QueryError('UNAVAILABLE', `the ${launch.role} ended at its start: ${how}`)
    })])
    if (answer.ready) return new Child(child, lines, answer, ended, clock)
    throw new QueryError(errorCode(answer.code) ?? 'INTERNAL', answer.message)
  }

  /** What it may ask for: the file is read again, by `reload`. */
  serve(reload: () => Promise<readonly string[]>): void {
    this.#reload = reload
  }

  /** Rejects with its own error, or UNAVAILABLE if it ends or stays silent. */
  async reload(change: Change): Promise<void> {
    const outcome = new Promise<ReloadOutcome>(resolve => { this.#ordered.push(resolve) })
    this.#order({ order: 'reload', change })
    const { role } = this.ready
    const late = delay(this.#clock, RELOAD_WITHIN_MS).then(() => `does not answer within ${RELOAD_WITHIN_MS} ms`)
    const how = this.ended.then(text => `ended: ${text}`)
    changedKeys(await Promise.race([outcome, Promise.race([how, late]).then((why): ReloadOutcome =>
      ({ code: 'UNAVAILABLE', message: `the ${role} ${why}` }))]))
  }

  #told(report: Report): void {
    if (report.report === 'reloaded') return this.#ordered.shift()?.(report.outcome)
    const refused = (): Promise<never> =>
      Promise.reject(new QueryError('UNSUPPORTED_STATEMENT', 'this cluster has no file that could be read again'))
    void outcomeOf((this.#reload ?? refused)()).then(outcome => this.#order({ order: 'reloaded', outcome }))
  }

  #order(order: Order<Change>): void {
    this.#process.stdin?.write(`${JSON.stringify(order)}\n`)
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

/** The allocator's last word on a key counts, so whoever starts us may have another. */
function environment(role: Child['ready']['role'], own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const common = { ...own, UV_THREADPOOL_SIZE: String(UV_THREADS) }
  if (role === 'coordinator') return common
  return { ...common, [ALLOCATOR_VARIABLE]: [ALLOCATOR, own[ALLOCATOR_VARIABLE]].filter(Boolean).join(',') }
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

/** Stays open if there is none: it ended, and the other racer says so. */
function firstLine(lines: Interface): Promise<Ready> {
  return new Promise(resolve => { lines.once('line', line => resolve(JSON.parse(line) as Ready)) })
}
