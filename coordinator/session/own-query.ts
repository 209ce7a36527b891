/**
 * A statement on the instance that its session owns, as one running query. It runs once: nothing of it is ever tried
 * again, whatever becomes of its executor.
 */

import type { TableColumn } from '../../catalog/table.ts'
import type { Clock } from '../../proto/clock.ts'
import { asQueryError, QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { QueryId } from '../../proto/ids.ts'
import type { Fetch } from '../result-part.ts'
import { ResultRelay } from '../result-relay.ts'
import type { QueryRequest, QueryState, QueryStats, RunningQuery, TaskReport } from '../running-query.ts'
import type { SlowReaders } from '../slow-readers.ts'

/** A statement that has run. */
export interface OwnOutcome {
  /** All messages of a small result, of others none. */
  readonly frames: readonly RawFlightData[]
  /** null: it has only read. */
  readonly changedRows: bigint | null
  readonly bytesFetched: number
  readonly bytesCached: number
}

/** A statement that is about to run. */
export interface OwnRun {
  readonly columns: readonly TableColumn[]
  /** Of buckets, until now. */
  readonly bytesFetched: number
  readonly run: () => Promise<OwnOutcome>
  /** Its rows, from when it has begun to run. */
  readonly fetch: Fetch
  readonly forget: () => void
}

export interface OwnQueryOptions {
  readonly id: QueryId
  readonly request: QueryRequest
  readonly clock: Clock
  readonly holdBytes: number
  readonly slowReaders: SlowReaders
  /** Binds and decides, calls `run`, and resolves when that has. */
  readonly work: (run: (bound: OwnRun) => Promise<void>, signal: AbortSignal) => Promise<void>
}

/** A statement that runs longer is read while it runs: its executor may not have room for all of its rows. */
const READ_AFTER_MS = 200

const WHOLE_REASON = 'objects of the session'

export class OwnQuery implements RunningQuery {
  readonly id: QueryId
  readonly request: QueryRequest
  readonly columns: Promise<readonly TableColumn[]>
  readonly query: { readonly startedMs: number }
  readonly #clock: Clock
  readonly #relay: ResultRelay
  readonly #abort = new AbortController()
  readonly #ran: Promise<void>
  #run: OwnRun | null = null
  #changedRows: bigint | null = null
  #bytesFetched = 0
  #bytesCached = 0
  #isDone = false
  #boundMs: number | null = null
  #endedMs: number | null = null
  #error: QueryError | null = null
  #released = false

  constructor({ id, request, clock, holdBytes, slowReaders, work }: OwnQueryOptions) {
    this.id = id
    this.request = request
    this.#clock = clock
    this.query = { startedMs: clock.nowMs() }
    this.#relay = new ResultRelay({ clock, holdBytes, slowReaders, tell: event => {
      if (event.kind === 'relay-broken') this.#failed(event.cause)
    } })
    let settle: (columns: readonly TableColumn[]) => void = () => undefined
    const bound = new Promise<readonly TableColumn[]>(resolve => { settle = resolve })
    const run = async (bound: OwnRun): Promise<void> => {
      this.#boundMs = clock.nowMs()
      this.#run = bound
      this.#bytesFetched = bound.bytesFetched
      settle(bound.columns)
      await this.#runs(bound)
    }
    this.#ran = work(run, this.#abort.signal).catch((thrown: unknown) => { throw this.#failed(thrown) })
    this.#ran.catch(() => undefined)
    this.columns = Promise.race([bound, this.#ran.then(() => bound)])
    this.columns.catch(() => undefined)
  }

  /** The last row is followed by the statement's own end: what is not done has no complete answer. */
  async *frames(): AsyncGenerator<RawFlightData> {
    yield* this.#relay.frames()
    await this.#ran
  }

  state(): QueryState {
    if (this.#error !== null) return this.#error.code === 'CANCELLED' ? 'cancelled' : 'failed'
    return this.#isDone ? 'finished' : this.#boundMs === null ? 'planning' : 'running'
  }

  stats(): QueryStats {
    const { startedMs } = this.query
    return {
      query_id: this.id, stages: 1, tasks: 1, executors: 1, whole_reason: WHOLE_REASON, result_cache: 'off',
      bytes_fetched: this.#bytesFetched, bytes_cached: this.#bytesCached, exchange_bytes: 0,
      plan_ms: (this.#boundMs ?? this.#clock.nowMs()) - startedMs,
      elapsed_ms: (this.#endedMs ?? this.#clock.nowMs()) - startedMs,
    }
  }

  tasks(): readonly TaskReport[] {
    return []
  }

  progress(): number {
    return this.#isDone ? 1 : 0
  }

  changedRows(): bigint | null {
    return this.#changedRows
  }

  isReadable(): boolean {
    return this.#error !== null || this.#relay.isReadable
  }

  error(): QueryError | null {
    return this.#error
  }

  cancel(reason: string): void {
    if (!this.#isDone) this.#abort.abort(new QueryError('CANCELLED', reason))
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    this.cancel('the client has gone')
    // who still reads it is told what has ended it
    const { aborted, reason } = this.#abort.signal as { readonly aborted: boolean; readonly reason: unknown }
    this.#relay.release(aborted ? asQueryError(reason)
      : new QueryError('NOT_FOUND', `the result of query ${this.id} is not kept any more`))
    if (this.#isDone) this.#run?.forget()
  }

  async #runs({ run, fetch, forget }: OwnRun): Promise<void> {
    let isRead = false
    const read = (): void => {
      isRead = true
      this.#relay.begin(0, 0, fetch)
    }
    const cancelRead = this.#clock.after(READ_AFTER_MS, read)
    try {
      const { frames, changedRows, bytesFetched, bytesCached } = await run()
      this.#changedRows = changedRows
      this.#bytesFetched += bytesFetched
      this.#bytesCached += bytesCached
      if (!isRead && frames.length > 0) this.#relay.give(0, 0, frames)
      else if (!isRead) read()
    } finally {
      cancelRead()
    }
    this.#endedMs = this.#clock.nowMs()
    this.#isDone = true
    if (this.#released) forget()
  }

  #failed(thrown: unknown): QueryError {
    this.#endedMs ??= this.#clock.nowMs()
    const { reason } = this.#abort.signal as { readonly reason: unknown }
    this.#error ??= this.#abort.signal.aborted ? asQueryError(reason) : asQueryError(thrown)
    this.#relay.fail(this.#error)
    return this.#error
  }
}
