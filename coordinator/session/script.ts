/**
 * A text of one statement or more as one running query: the statements run in order, each after the one before it has
 * ended; the answer is the last one's. The first that fails ends the text, with an error that says which one it was;
 * what the ones before it did stays done, as in DuckDB.
 */

import type { TableColumn } from '../../catalog/table.ts'
import { ofTranslation } from '../../planner/dialect/of-translation.ts'
import type { Clock } from '../../proto/clock.ts'
import { asQueryError, QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { QueryId } from '../../proto/ids.ts'
import type { OrderedOffer } from '../result-offer.ts'
import type { QueryRequest, QueryState, QueryStats, RunningQuery, TaskReport } from '../running-query.ts'
import type { Answer } from './answer.ts'

/** One statement of the text, ready to go. */
export interface Step {
  /** Where its errors are in the whole text: their place in what runs plus this. */
  readonly offset: number
  /** What runs instead of a text in a foreign dialect; null: the text itself. */
  readonly translation: string | null
  /** The signal: nobody waits for it any more. */
  run(signal: AbortSignal): Promise<RunningQuery | Answer>
}

export interface ScriptOptions {
  readonly id: QueryId
  /** With the whole text. */
  readonly request: QueryRequest
  readonly clock: Clock
  /** Rejects with what refuses the text, before anything of it has run. */
  readonly steps: () => Promise<readonly Step[]>
  /** Called once: nobody asks for anything any more. */
  readonly onRelease: (failed: boolean) => Promise<void> | void
}

export class Script implements RunningQuery {
  readonly id: QueryId
  readonly columns: Promise<readonly TableColumn[]>
  readonly query: { readonly startedMs: number }
  readonly #options: ScriptOptions
  readonly #answered: Promise<RunningQuery | Answer>
  #current: RunningQuery | null = null
  #answer: RunningQuery | Answer | null = null
  #error: QueryError | null = null
  #offset = 0
  #translation: string | null = null
  /** Of a text with more than one: `statement 2 of 3`. */
  #which = ''
  readonly #abort = new AbortController()
  #cancelled: string | null = null
  #released = false
  #endedMs: number | null = null

  constructor(options: ScriptOptions) {
    const { id, clock } = options
    this.id = id
    this.#options = options
    this.query = { startedMs: clock.nowMs() }
    this.#answered = this.#run().catch((thrown: unknown) => { throw this.#failed(thrown) })
    this.columns = this.#answered.then(answer => answer.columns).catch((thrown: unknown) => {
      throw this.#failed(thrown)
    })
    this.columns.catch(() => undefined) // a client that does not ask for them is told by its rows
  }

  /** Once the last statement runs, with its settings. */
  get request(): QueryRequest {
    const { request } = this.#options
    const last = this.#answer !== null && 'request' in this.#answer ? this.#answer.request : request
    return { ...last, sql: request.sql }
  }

  async *frames(): AsyncGenerator<RawFlightData> {
    const answer = await this.#answered
    try {
      yield* answer.frames()
    } catch (thrown) {
      throw this.#failed(thrown)
    }
    this.#endedMs ??= this.#options.clock.nowMs()
  }

  async offer(): Promise<OrderedOffer | null> {
    const answer = await this.#answered.catch(() => null) // a client is told by its rows
    return answer !== null && 'offer' in answer ? await answer.offer?.() ?? null : null
  }

  state(): QueryState {
    if (this.#error !== null) return this.#error.code === 'CANCELLED' ? 'cancelled' : 'failed'
    if (this.#answer === null) return this.#current === null ? 'planning' : 'running'
    return 'state' in this.#answer ? this.#answer.state() : 'finished'
  }

  stats(): QueryStats {
    const own = this.#inner?.stats()
    const elapsed_ms = (this.#endedMs ?? this.#options.clock.nowMs()) - this.query.startedMs
    if (own !== undefined) return { ...own, query_id: this.id }
    const bytes = this.#answer !== null && 'bytes' in this.#answer ? this.#answer.bytes : undefined
    return {
      query_id: this.id, stages: 0, tasks: 0, executors: 0, whole_reason: null, result_cache: 'off',
      bytes_fetched: bytes?.bytesFetched ?? 0, bytes_cached: bytes?.bytesCached ?? 0, exchange_bytes: 0, plan_ms: 0,
      elapsed_ms: this.#answer === null ? elapsed_ms : 0,
    }
  }

  tasks(): readonly TaskReport[] {
    return this.#inner?.tasks() ?? []
  }

  progress(): number {
    if (this.#answer !== null && !('state' in this.#answer)) return 1
    return this.#answer === null ? 0 : this.#inner?.progress() ?? 0
  }

  changedRows(): bigint | null {
    return this.#answer?.changedRows?.() ?? null
  }

  isReadable(): boolean {
    if (this.#error !== null) return true
    return this.#answer !== null && (!('isReadable' in this.#answer) || this.#answer.isReadable())
  }

  error(): QueryError | null {
    const inner = this.#answer === null ? null : this.#inner?.error() ?? null
    return this.#error ?? (inner === null ? null : this.#placed(inner))
  }

  cancel(reason: string): void {
    this.#cancelled ??= reason
    this.#abort.abort(new QueryError('CANCELLED', this.#cancelled))
    this.#current?.cancel(reason)
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    if (this.#answer === null) this.cancel('the client has gone')
    this.#current?.release()
    const failed = (): void => { void this.#options.onRelease(true) }
    this.#answered.then(() => { void this.#options.onRelease(this.error() !== null) }, failed)
  }

  get #inner(): RunningQuery | null {
    return this.#current
  }

  async #run(): Promise<RunningQuery | Answer> {
    const steps = await this.#options.steps()
    for (const [i, { offset, translation, run }] of steps.entries()) {
      this.#offset = offset
      this.#translation = translation
      if (steps.length > 1) this.#which = `statement ${i + 1} of ${steps.length}: `
      this.#checkCancelled()
      const answer = await run(this.#abort.signal)
      this.#current = 'state' in answer ? answer : null
      if (this.#released || this.#cancelled !== null) this.#current?.cancel(this.#cancelled ?? 'the client has gone')
      if (i === steps.length - 1) {
        this.#answer = answer
        if (this.#released) this.#current?.release()
        return answer
      }
      await this.#drain(answer)
      this.#current = null
    }
    throw new QueryError('SYNTAX_ERROR', 'the text holds no statement')
  }

  /** Its rows are nobody's; that it has them all is what counts. */
  async #drain(answer: RunningQuery | Answer): Promise<void> {
    try {
      for await (const _ of answer.frames()) this.#checkCancelled()
    } finally {
      if ('release' in answer) answer.release()
    }
  }

  #checkCancelled(): void {
    if (this.#cancelled !== null) throw new QueryError('CANCELLED', this.#cancelled)
  }

  #failed(thrown: unknown): QueryError {
    this.#endedMs ??= this.#options.clock.nowMs()
    this.#error ??= this.#placed(asQueryError(thrown))
    return this.#error
  }

  #placed(error: QueryError): QueryError {
    if (this.#translation !== null) return asQueryError(ofTranslation(error, this.#translation))
    const position = error.position === undefined ? undefined : Math.max(0, error.position + this.#offset)
    if (position === error.position && this.#which === '') return error
    return new QueryError(error.code, this.#which + error.message, { cause: error, position })
  }
}
