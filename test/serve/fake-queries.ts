/** A query service by hand: a test says what each statement gives. Frames are made by apache-arrow. */

import { tableToIPC, type Table } from 'apache-arrow'
import type { TableColumn } from '../../catalog/table.ts'
import type { LoggedQuery, QueryLog } from '../../coordinator/serve/ports.ts'
import type { OrderedOffer } from '../../coordinator/result-offer.ts'
import type { QueryRequest, QueryState, TaskReport } from '../../coordinator/running-query.ts'
import { readStream } from '../../proto/arrow-stream.ts'
import { asQueryError, QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { QueryId } from '../../proto/ids.ts'

export interface Script {
  readonly columns: readonly TableColumn[]
  /** The messages of the result; may wait and may throw. */
  readonly frames: () => AsyncIterable<RawFlightData>
  /** Absent: it is read in one piece. */
  readonly offer?: OrderedOffer
}

/** The messages of a table, the schema first. */
export async function* framesOf(table: Table): AsyncGenerator<RawFlightData> {
  yield* readStream(chunksOf(tableToIPC(table, 'stream')))
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

export class FakeQuery implements LoggedQuery {
  readonly id: QueryId
  readonly request: QueryRequest
  readonly columns: Promise<readonly TableColumn[]>
  readonly query = { startedMs: 1000 }
  readonly offer: () => Promise<OrderedOffer | null>
  cancelled: string | undefined
  released = false
  /** Calls of `frames`. */
  reads = 0
  readonly #frames: Script['frames']
  #state: QueryState = 'planning'
  #error: QueryError | null = null
  #stop: (error: QueryError) => void = () => undefined
  readonly #stopped: Promise<never>

  constructor(request: QueryRequest, script: Promise<Script>) {
    this.id = request.queryId ?? `q${Math.floor(performance.now() * 1000)}` as QueryId
    this.request = request
    this.#stopped = new Promise((_, reject) => { this.#stop = reject })
    this.#stopped.catch(() => undefined)
    this.columns = Promise.race([script.then(({ columns }) => {
      this.#state = 'running'
      return columns
    }), this.#stopped])
    this.columns.catch((error: unknown) => this.#fail(error))
    this.offer = async () => request.parallel === true ? (await script).offer ?? null : null
    this.#frames = async function* () {
      yield* (await script).frames()
    }
  }

  async *frames(): AsyncGenerator<RawFlightData> {
    this.reads++
    const iterator = this.#frames()[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await Promise.race([iterator.next(), this.#stopped])
        if (next.done === true) break
        yield next.value
      }
      this.#state = 'finished'
    } catch (error) {
      throw this.#fail(error)
    }
  }

  #fail(thrown: unknown): QueryError {
    this.#error ??= asQueryError(thrown)
    this.#state = this.#error.code === 'CANCELLED' ? 'cancelled' : 'failed'
    return this.#error
  }

  state(): QueryState { return this.#state }
  progress(): number { return this.#state === 'finished' ? 1 : 0.25 }
  isReadable(): boolean { return this.#state !== 'planning' && this.#state !== 'running' }
  error(): QueryError | null { return this.#error }

  stats() {
    return {
      query_id: this.id, stages: 2, tasks: 3, executors: 1, whole_reason: null, result_cache: 'off' as const,
      bytes_fetched: 10, bytes_cached: 20,
      exchange_bytes: 30, plan_ms: 4, elapsed_ms: 500,
    }
  }

  tasks(): readonly TaskReport[] {
    return [{
      stage: 0, partition: 1, attempt: 0, executor: 'e1', state: 'succeeded', files: ['a.parquet'], rows: 7,
      outputBytes: 1, bytesFetched: 2, bytesCached: 3, exchangeBytes: 4, runMs: 5,
      progress: 1, peakBytes: 0, spilled: false, cpuMs: 0, queuedMs: 0,
    }]
  }

  cancel(reason: string): void {
    this.cancelled ??= reason
    this.#stop(this.#fail(new QueryError('CANCELLED', reason)))
  }

  release(): void {
    this.released = true
    if (this.#state === 'planning' || this.#state === 'running') this.cancel('released')
  }
}

export class FakeQueries implements QueryLog {
  readonly submitted: FakeQuery[] = []
  /** Of every statement from now on. */
  refusal: QueryError | null = null
  readonly #script: (request: QueryRequest) => Promise<Script> | Script

  /** Rejecting is an error of planning; throwing refuses the statement. */
  constructor(script: (request: QueryRequest) => Promise<Script> | Script) {
    this.#script = script
  }

  checkRoom(): void {
    if (this.refusal !== null) throw this.refusal
  }

  submit(request: QueryRequest): FakeQuery {
    const query = new FakeQuery(request, Promise.resolve(this.#script(request)))
    this.submitted.push(query)
    return query
  }

  get(id: QueryId): FakeQuery | null {
    return this.submitted.find(query => query.id === id) ?? null
  }

  list(): readonly FakeQuery[] {
    return this.submitted.toReversed()
  }

  kill(): boolean {
    return false
  }

  get last(): FakeQuery {
    const query = this.submitted.at(-1)
    if (query === undefined) throw new Error('nothing was submitted')
    return query
  }
}
