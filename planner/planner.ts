/**
 * The planner as the rest of the coordinator calls it. It owns a child process in which planning happens, because only
 * the end of a process stops a planning for certain.
 *
 *   past its deadline              that call fails; others that ran beside it are asked again
 *   memory over the limit, or      the only call that ran fails; of several it is not known which one it was, so each
 *   the process died               is asked again, alone in the process
 *
 * Calls wait here, in order, until a thread is free: a call's deadline starts when it does.
 */

import type { FileDescription } from '../catalog/table-loader.ts'
import type { Clock } from '../proto/clock.ts'
import { QueryError, unreachable } from '../proto/errors.ts'
import { BoundedCache, type CacheLimits } from './bounded-cache.ts'
import type { CompletionRequest, Suggestion } from './completion.ts'
import type { DialectName } from './dialect/dialect.ts'
import { ofTranslation } from './dialect/of-translation.ts'
import type { FilesToDescribe } from './describe-files.ts'
import type { HidingRequest } from './hidden-columns.ts'
import {
  errorData, errorFrom, type Answer, type FromProcess, type NamedTable, type ProcessOptions, type Question,
} from './messages.ts'
import { DEFAULT_PLAN_CACHE, PlanCache } from './plan-cache.ts'
import type { PlannedQuery, PlanRequest, PruneScans } from './planned-query.ts'
import type { Statement } from './statement-list.ts'
import type { PreparedQuery, PrepareRequest } from './prepare-query.ts'
import type { Edit } from './text-edits.ts'
import { PlannerProcess } from './planner-process.ts'

export interface PlannerOptions {
  /** All that planning may read. */
  readonly skeletonDirectory: string
  readonly clock: Clock
  /** Plannings at once; default 2. */
  readonly threads?: number
  /** Default 10 s. */
  readonly deadlineMs?: number
  /** Of the child process, resident; default 1 GiB. */
  readonly memoryLimitBytes?: number
  /** null: no plan is kept. */
  readonly planCache?: CacheLimits | null
}

const DEFAULT_THREADS = 2
const DEFAULT_DEADLINE_MS = 10_000
const DEFAULT_MEMORY_LIMIT_BYTES = 1024 * 1024 * 1024
/** Calls that wait at most; more are a client's fault or a stuck planner. */
const MAX_WAITING = 10_000
/** A call whose process was ended so often for the sake of others is given up. */
const MAX_ATTEMPTS = 5
/** A process that ends so often before it was ready will not start. */
const MAX_FAILED_STARTS = 3
/** Tables named by a text, what its statements are, and its translation, kept by text. */
const NAMES_CACHE: CacheLimits = { maxEntries: 4096, maxBytes: 8 * 1024 * 1024 }

interface Call {
  readonly id: number
  readonly question: Question
  readonly prune: PruneScans | null
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: QueryError) => void
  attempts: number
  /** No other call may run beside it. */
  alone: boolean
  cancelDeadline: () => void
}

export class Planner {
  readonly #clock: Clock
  readonly #options: ProcessOptions
  readonly #deadlineMs: number
  readonly #plans: PlanCache | null
  readonly #names = new BoundedCache<readonly NamedTable[]>(NAMES_CACHE)
  readonly #statements = new BoundedCache<readonly Statement[]>(NAMES_CACHE)
  readonly #hiding = new BoundedCache<readonly Edit[]>(NAMES_CACHE)
  readonly #translations = new BoundedCache<string>(NAMES_CACHE)
  readonly #waiting: Call[] = []
  readonly #running = new Map<number, Call>()
  #process: PlannerProcess | null = null
  #isReady = false
  #failedStarts = 0
  #nextId = 1
  #isClosed = false

  constructor(options: PlannerOptions) {
    this.#clock = options.clock
    this.#deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS
    this.#options = {
      skeletonDirectory: options.skeletonDirectory,
      threads: options.threads ?? DEFAULT_THREADS,
      memoryLimitBytes: options.memoryLimitBytes ?? DEFAULT_MEMORY_LIMIT_BYTES,
    }
    this.#plans = options.planCache === null ? null : new PlanCache(options.planCache ?? DEFAULT_PLAN_CACHE)
    this.#start()
  }

  /** Of the child at this moment. */
  get processId(): number | undefined {
    return this.#process?.pid
  }

  /** Every table that the text may mean, CTEs included. Rejects with SYNTAX_ERROR; a text that may not run has none. */
  async names(sql: string): Promise<readonly NamedTable[]> {
    const known = this.#names.get(sql)
    if (known !== undefined) return known
    const names = await this.#ask({ kind: 'names', sql }, null) as readonly NamedTable[]
    this.#names.put(sql, names, JSON.stringify(names).length)
    return names
  }

  /** DuckDB's text of one in a foreign dialect. Rejects with what has no translation. */
  async translate(dialect: DialectName, sql: string): Promise<string> {
    const key = `${dialect} ${sql}`
    const known = this.#translations.get(key)
    if (known !== undefined) return known
    const text = await this.#ask({ kind: 'translate', dialect, sql }, null) as string
    this.#translations.put(key, text, text.length)
    return text
  }

  /**
   * The statements of a text, in order, and what each asks for. Rejects with SYNTAX_ERROR if one does not parse. Of a
   * text in a foreign dialect they are those of its translation.
   */
  async statements(sql: string, dialect: DialectName | null = null): Promise<readonly Statement[]> {
    if (dialect !== null) {
      const text = await this.translate(dialect, sql)
      return this.statements(text).catch((thrown: unknown) => { throw ofTranslation(thrown, text) })
    }
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statements = await this.#ask({ kind: 'statements', sql }, null) as readonly Statement[]
    this.#statements.put(sql, statements, JSON.stringify(statements).length)
    for (const { kind, text, ...more } of statements) {
      if (kind === 'query' && 'names' in more) this.#names.put(text, more.names, JSON.stringify(more.names).length)
    }
    return statements
  }

  /** What to write so that nothing means a hidden column but its name; see hidden-columns. */
  async hiding(request: HidingRequest): Promise<readonly Edit[]> {
    const key = JSON.stringify(request)
    const known = this.#hiding.get(key)
    if (known !== undefined) return known
    const edits = await this.#ask({ kind: 'hiding', request }, null) as readonly Edit[]
    this.#hiding.put(key, edits, key.length)
    return edits
  }

  /** Rejects with the error that the user shall see; PLANNING_LIMIT if planning took too long or too much memory. */
  async plan(request: PlanRequest, prune: PruneScans): Promise<PlannedQuery> {
    const kept = this.#plans?.get(request)
    if (kept !== undefined) return kept
    const planned = await this.#ask({ kind: 'plan', request }, prune) as PlannedQuery
    this.#plans?.put(request, planned)
    return planned
  }

  /** Columns and parameters of a statement that reads; it is bound and does not run. Rejects as `plan` does. */
  async prepare(request: PrepareRequest): Promise<PreparedQuery> {
    return await this.#ask({ kind: 'prepare', request }, null) as PreparedQuery
  }

  /** Columns and reading options of data files; see describe-files. */
  async describeFiles(files: FilesToDescribe): Promise<FileDescription> {
    return await this.#ask({ kind: 'describe', files }, null) as FileDescription
  }

  /** What may stand at the end of a text; see completion. */
  async complete(request: CompletionRequest): Promise<readonly Suggestion[]> {
    return await this.#ask({ kind: 'complete', request }, null) as readonly Suggestion[]
  }

  close(): void {
    this.#isClosed = true
    this.#stop()
    for (const call of this.#waiting.splice(0)) call.reject(new QueryError('UNAVAILABLE', 'the planner has stopped'))
  }

  #ask(question: Question, prune: PruneScans | null): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new QueryError('UNAVAILABLE', 'the planner has stopped'))
      if (this.#waiting.length >= MAX_WAITING) {
        return reject(new QueryError('QUERY_QUEUE_FULL', `${MAX_WAITING} statements wait to be planned`))
      }
      const id = this.#nextId++
      const cancelDeadline = (): void => undefined
      this.#waiting.push({ id, question, prune, resolve, reject, attempts: 0, alone: false, cancelDeadline })
      if (this.#process === null) this.#start()
      this.#dispatch()
    })
  }

  #dispatch(): void {
    for (;;) {
      const next = this.#waiting[0]
      const others = [...this.#running.values()]
      if (!this.#isReady || next === undefined || others.length >= this.#options.threads) return
      if (others.length > 0 && (next.alone || others.some(call => call.alone))) return
      this.#waiting.shift()
      next.attempts++
      next.cancelDeadline = this.#clock.after(this.#deadlineMs, () => this.#pastDeadline(next))
      this.#running.set(next.id, next)
      this.#process?.ask(next.id, next.question)
    }
  }

  #start(): void {
    const process = new PlannerProcess(this.#options, {
      onMessage: message => this.#receive(message, process),
      onEnd: how => this.#ended(how),
    })
    this.#process = process
  }

  /** Ends the process; what ran in it is asked again, before all that waits. */
  #stop(): void {
    this.#process?.kill()
    this.#process = null
    this.#isReady = false
    const interrupted = [...this.#running.values()]
    this.#running.clear()
    for (const call of interrupted.reverse()) {
      call.cancelDeadline()
      if (call.attempts < MAX_ATTEMPTS) this.#waiting.unshift(call)
      else call.reject(new QueryError('UNAVAILABLE', `other statements have ended the planning ${MAX_ATTEMPTS} times`))
    }
  }

  #restart(): void {
    this.#stop()
    this.#start()
  }

  #receive(message: FromProcess, process: PlannerProcess): void {
    switch (message.kind) {
      case 'ready':
        this.#isReady = true
        this.#failedStarts = 0
        this.#dispatch()
        return
      case 'prune': this.#prune(message.id, message.scans, process); return
      case 'answered':
        this.#finish(message.id)?.resolve(message.answer)
        this.#settle(message.residentBytes)
        return
      case 'failed':
        this.#finish(message.id)?.reject(errorFrom(message.error))
        this.#settle(message.residentBytes)
        return
      case 'over-limit': {
        const { memoryLimitBytes } = this.#options
        this.#suspect(`planning took more than ${Math.round(memoryLimitBytes / (1024 * 1024))} MB of memory`)
        this.#restart()
        return
      }
      default: unreachable(message)
    }
  }

  #prune(id: number, scans: Parameters<PruneScans>[0], process: PlannerProcess): void {
    const prune = this.#running.get(id)?.prune
    if (prune === null || prune === undefined) return
    prune(scans).then(
      estimates => process.pruned(id, { estimates }),
      (reason: unknown) => process.pruned(id, { error: errorData(reason) }),
    )
  }

  #finish(id: number): Call | undefined {
    const call = this.#running.get(id)
    call?.cancelDeadline()
    this.#running.delete(id)
    return call
  }

  /** An idle process that has grown is replaced before it costs a later statement its planning. */
  #settle(residentBytes: number): void {
    if (this.#running.size === 0 && residentBytes > this.#options.memoryLimitBytes / 2) this.#restart()
    this.#dispatch()
  }

  #pastDeadline(call: Call): void {
    this.#finish(call.id)
    call.reject(new QueryError('PLANNING_LIMIT', `planning took more than ${this.#deadlineMs} ms`))
    this.#restart()
  }

  #ended(how: string): void {
    const wasReady = this.#isReady
    this.#suspect(`planning ended its process (${how})`)
    this.#stop()
    this.#failedStarts += wasReady ? 0 : 1
    if (this.#failedStarts < MAX_FAILED_STARTS) return this.#start()
    // the next call tries again
    this.#failedStarts = 0
    const error = new QueryError('UNAVAILABLE', `the planner does not start (${how})`)
    for (const call of this.#waiting.splice(0)) call.reject(error)
  }

  /** The only running call is to blame; of several, the next attempts, each alone, will tell. */
  #suspect(message: string): void {
    const running = [...this.#running.values()]
    const [only] = running
    if (running.length === 1 && only !== undefined) {
      this.#finish(only.id)?.reject(new QueryError('PLANNING_LIMIT', message))
    }
    for (const call of running) call.alone = true
  }
}
