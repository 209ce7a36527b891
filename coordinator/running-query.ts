/**
 * A statement that a client sent, as the faces see it: from acceptance to its last row. Whoever serves a client gets
 * one of these from QueryService and knows nothing of stages or executors.
 */

import type { DialectName } from '../planner/dialect/dialect.ts'
import type { Compression } from '../proto/compression.ts'
import type { EnumForm } from '../proto/arrow-schema.ts'
import type { QueryError } from '../proto/errors.ts'
import type { QueryId, SessionId } from '../proto/ids.ts'
import type { TraceContext } from '../proto/trace-context.ts'
import type { TableColumn } from '../catalog/table.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { OrderedOffer } from './result-offer.ts'

export type ClientInterface = 'ArrowFlightSQL' | 'HttpQuery' | 'Postgres'

export interface QueryRequest {
  readonly sql: string
  readonly defaultCatalog: string
  readonly defaultSchema: string
  readonly settings: Readonly<Record<string, string>>
  readonly principal: string
  readonly sessionId: SessionId
  readonly clientInterface: ClientInterface
  /** Absent: as text. */
  readonly enums?: EnumForm
  /** Of the buffers of its Arrow messages; absent: none. */
  readonly compression?: Compression
  /** Names that the text with parameters gave its columns, where the values in `sql` would change them. */
  readonly columnNames?: readonly string[]
  /** Its client can read a large result part by part: see `offer`. Absent: it cannot. */
  readonly parallel?: boolean
  /** False: it runs, whatever was kept, and its result is kept for nobody. Absent: true. */
  readonly cache?: boolean
  /** The client's own id for it, or none: then one is made. */
  readonly queryId?: QueryId
  /** The trace that its client's call belongs to; absent: none. */
  readonly trace?: TraceContext
  /** That `sql` is a translation from; absent: from none. */
  readonly dialect?: DialectName
  /** Its plan is kept, with what people are told of it. */
  readonly explain?: boolean
}

/** off: it may not be answered with another's result. hit: it was, and nothing ran. */
export type ResultCacheUse = 'hit' | 'miss' | 'off'

/** Numbers of one query, complete once it has ended. Bytes of all its tasks. */
export interface QueryStats {
  readonly query_id: string
  readonly stages: number
  readonly tasks: number
  /** Executors that ran a task of it. */
  readonly executors: number
  readonly whole_reason: string | null
  readonly result_cache: ResultCacheUse
  readonly bytes_fetched: number
  readonly bytes_cached: number
  readonly exchange_bytes: number
  readonly plan_ms: number
  readonly elapsed_ms: number
}

/** For pictures: which executor ran which stage over which files. */
export interface TaskReport {
  readonly stage: number
  readonly partition: number
  readonly attempt: number
  readonly executor: string
  /** cancelled: what others have made is enough, or what it reads is to be made again. */
  readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'
  readonly files: readonly string[]
  readonly rows: number
  readonly outputBytes: number
  readonly bytesFetched: number
  readonly bytesCached: number
  readonly exchangeBytes: number
  readonly runMs: number
  /** What is done, 0 to 1, by DuckDB's guess. */
  readonly progress: number
  /** Its share of its instance's memory at most, as far as it was looked at. */
  readonly peakBytes: number
  /** Its instance wrote to disk for want of memory. */
  readonly spilled: boolean
  /** Its share of the CPU time of its process, and how long it waited for a slot there. */
  readonly cpuMs: number
  readonly queuedMs: number
}

export type QueryState = 'planning' | 'running' | 'finished' | 'failed' | 'cancelled'

export interface RunningQuery {
  readonly id: QueryId
  readonly request: QueryRequest
  /** Known once it is planned; rejects with the QueryError of planning. */
  readonly columns: Promise<readonly TableColumn[]>
  /**
   * The Arrow messages of the result, undecoded: the schema first. Throws the query's QueryError if it fails, however
   * late; an end without a throw means that every row was given. May be read more than once until the query is
   * released. The bytes of a message are the reader's until it asks for the next one: then they may be written over.
   */
  frames(): AsyncIterable<RawFlightData>
  /**
   * Of a request that is `parallel`, once it is known: the parts in which the result is read, instead of by `frames`.
   * Null: by `frames`. Absent: it has no parts.
   */
  offer?(): Promise<OrderedOffer | null>
  /** Once all frames were given: how many rows it has changed; null: it reads. Absent: it cannot but read. */
  changedRows?(): bigint | null
  state(): QueryState
  stats(): QueryStats
  tasks(): readonly TaskReport[]
  /** 0 to 1. */
  progress(): number
  /** Rows go out, or an error: `frames` will not wait for the statement to be run. */
  isReadable(): boolean
  error(): QueryError | null
  cancel(reason: string): void
  /**
   * Ends it if it runs, and frees what executors hold of it. The face calls this when the client has its rows or is
   * gone.
   */
  release(): void
}
