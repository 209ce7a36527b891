/**
 * A query as its client holds it: what its actor has published last, and the way to its rows. Also where the query's
 * end is settled if its actor crashed.
 */

import type { TableColumn } from '../catalog/table.ts'
import type { Clock } from '../proto/clock.ts'
import type { QueryError } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { QueryId } from '../proto/ids.ts'
import { withoutContents, type PlannedWork } from './plan-query.ts'
import { advance, elapsedMs, isEnded, publicState, type Query } from './query.ts'
import { OfferDecision, type OrderedOffer } from './result-offer.ts'
import type { ResultRelay } from './result-relay.ts'
import type { QueryRequest, QueryState, QueryStats, RunningQuery, TaskReport } from './running-query.ts'
import type { TaskBoard, TimedReport } from './task-board.ts'

export interface HandleOptions {
  readonly clock: Clock
  readonly relay: ResultRelay
  readonly tasks: TaskBoard
  readonly cancel: (reason: string) => void
  readonly release: () => void
  /** Called once, when the query has ended. */
  readonly onEnd: (query: Query) => void
}

interface ColumnsPromise {
  readonly kept: (columns: readonly TableColumn[]) => void
  readonly broken: (reason: QueryError) => void
}

export class QueryHandle implements RunningQuery {
  readonly columns: Promise<readonly TableColumn[]>
  readonly offering: OfferDecision
  readonly #options: HandleOptions
  #query: Query
  #progress = 0
  #work: PlannedWork | null = null
  #released = false
  readonly #ended: Promise<void>
  #settleEnd: () => void = () => undefined
  #settleColumns: ColumnsPromise | null = null

  constructor(query: Query, options: HandleOptions) {
    this.#query = query
    this.#options = options
    this.offering = new OfferDecision(query.request.parallel === true)
    this.#ended = new Promise(resolve => { this.#settleEnd = resolve })
    this.columns = new Promise((kept, broken) => { this.#settleColumns = { kept, broken } })
    this.columns.catch(() => undefined) // a client that does not ask for them is told by its rows
  }

  get id(): QueryId {
    return this.#query.id
  }

  get request(): QueryRequest {
    return this.#query.request
  }

  get query(): Query {
    return this.#query
  }

  get taskCount(): number {
    return this.#options.tasks.size
  }

  /** The last row is followed by the query's own end, so whoever has all rows finds the numbers complete. */
  async *frames(): AsyncGenerator<RawFlightData> {
    yield* this.#options.relay.frames()
    await this.#ended
    const cause = this.error()
    if (cause !== null) throw cause
  }

  offer(): Promise<OrderedOffer | null> {
    return this.offering.decided
  }

  state(): QueryState {
    return publicState(this.#query)
  }

  stats(): QueryStats {
    const { id, stageCount, wholeReason, resultCache, planMs } = this.#query
    const totals = this.#options.tasks.totals()
    return {
      query_id: id, stages: resultCache === 'hit' ? 0 : stageCount, tasks: totals.tasks, executors: totals.executors,
      whole_reason: wholeReason, result_cache: resultCache, bytes_fetched: totals.bytesFetched,
      bytes_cached: totals.bytesCached, exchange_bytes: totals.exchangeBytes,
      plan_ms: planMs, elapsed_ms: elapsedMs(this.#query, this.#options.clock.nowMs()),
    }
  }

  tasks(): readonly TaskReport[] {
    return this.#options.tasks.reports()
  }

  timedTasks(): readonly TimedReport[] {
    return this.#options.tasks.timed()
  }

  /** Its plan, of a request to explain it; null until it is made. */
  get work(): PlannedWork | null {
    return this.#work
  }

  progress(): number {
    return this.#query.life.state === 'finished' ? 1 : this.#progress
  }

  isReadable(): boolean {
    return this.#options.relay.isReadable || isEnded(this.#query)
  }

  error(): QueryError | null {
    const { life } = this.#query
    return life.state === 'failed' || life.state === 'cancelled' ? life.cause : null
  }

  cancel(reason: string): void {
    this.#options.cancel(reason)
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    this.#options.release()
  }

  // what follows is for the query's actor

  planned(columns: readonly TableColumn[], work: PlannedWork): void {
    this.offering.planned(work)
    if (this.request.explain === true) this.#work = withoutContents(work)
    this.#settleColumns?.kept(columns)
  }

  publish(query: Query, progress: number): void {
    const ended = !isEnded(this.#query) && isEnded(query)
    this.#query = query
    this.#progress = Math.max(this.#progress, progress)
    if (!ended) return
    this.offering.refuse()
    const cause = this.error()
    if (cause !== null) {
      this.#settleColumns?.broken(cause)
      this.#options.relay.fail(cause)
    }
    this.#settleEnd()
    this.#options.onEnd(query)
  }

  /** Its actor is no more. */
  crashed(cause: QueryError): void {
    this.publish(advance(this.#query, { kind: 'failed', atMs: this.#options.clock.nowMs(), cause }), 0)
  }
}
