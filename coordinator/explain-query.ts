/**
 * EXPLAIN as an answer that faces serve like any other: one row of two columns, as DuckDB gives it. EXPLAIN only plans.
 * EXPLAIN ANALYZE is the query itself; its rows are read to the end and dropped, and what was seen is told.
 */

import type { TableColumn } from '../catalog/table.ts'
import { arrowSchemaMessage } from '../proto/arrow-schema.ts'
import { smallTableMessages } from '../proto/arrow-table.ts'
import { QueryError, unreachable } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { QueryId } from '../proto/ids.ts'
import { seenOf } from './explain-actual.ts'
import { explanationMermaid } from './explain-mermaid.ts'
import { explanationText } from './explain-text.ts'
import { explain, type Ground } from './explain.ts'
import type { Explanation } from './explanation.ts'
import type { QueryHandle } from './query-handle.ts'
import type { Answer } from './session/answer.ts'
import type { TimedReport } from './task-board.ts'
import type { QueryRequest, QueryState, QueryStats, RunningQuery, TaskReport } from './running-query.ts'

export type ExplainFormat = 'text' | 'json' | 'mermaid'

export const EXPLAIN_COLUMNS: readonly TableColumn[] = [
  { name: 'explain_key', type: 'VARCHAR' }, { name: 'explain_value', type: 'VARCHAR' },
]

/** A query as QueryService keeps it. */
export interface KeptQuery extends RunningQuery {
  readonly query: { readonly startedMs: number }
  readonly taskCount: number
  timedTasks(): readonly TimedReport[]
}

export function formatExplanation(explanation: Explanation, format: ExplainFormat): string {
  switch (format) {
    case 'text': return explanationText(explanation)
    case 'json': return JSON.stringify(explanation)
    case 'mermaid': return explanationMermaid(explanation)
    default: return unreachable(format)
  }
}

/** The format that a statement asks for; empty: the usual one. */
export function explainFormat(word: string): ExplainFormat {
  switch (word) {
    case '': case 'text': case 'default': return 'text'
    case 'json': case 'mermaid': return word
    default: throw new QueryError('UNSUPPORTED_STATEMENT', `EXPLAIN gives text, json or mermaid, not ${word}`)
  }
}

/** EXPLAIN. */
export function explained(explanation: Explanation, format: ExplainFormat): Answer {
  return { columns: EXPLAIN_COLUMNS, frames: () => rowOf(explanation, format) }
}

async function* rowOf(explanation: Explanation, format: ExplainFormat): AsyncGenerator<RawFlightData> {
  const key = explanation.actual === null ? 'distributed_plan' : 'analyzed_plan'
  const cells = [key, formatExplanation(explanation, format)]
  const columns = EXPLAIN_COLUMNS.map(({ name }, i) =>
    ({ name, kind: 'utf8', nullable: true, values: cells.slice(i, i + 1) } as const))
  let isSchema = true
  for await (const frame of smallTableMessages(columns)) {
    // the schema as results have it, with DuckDB's types
    yield isSchema ? { ...frame, dataHeader: arrowSchemaMessage(EXPLAIN_COLUMNS) } : frame
    isSchema = false
  }
}

/** EXPLAIN ANALYZE: the query `inner`, which was asked to be explained. */
export class Analyzed implements KeptQuery {
  readonly columns: Promise<readonly TableColumn[]>
  readonly #inner: QueryHandle
  readonly #format: ExplainFormat
  readonly #ground: () => Ground
  #explanation: Promise<Explanation> | null = null

  constructor(inner: QueryHandle, format: ExplainFormat, ground: () => Ground) {
    this.#inner = inner
    this.#format = format
    this.#ground = ground
    this.columns = inner.columns.then(() => EXPLAIN_COLUMNS)
    this.columns.catch(() => undefined) // a client that does not ask for them is told by its rows
  }

  get id(): QueryId { return this.#inner.id }
  get request(): QueryRequest { return this.#inner.request }
  get query(): { readonly startedMs: number } { return this.#inner.query }
  get taskCount(): number { return this.#inner.taskCount }
  state(): QueryState { return this.#inner.state() }
  stats(): QueryStats { return this.#inner.stats() }
  tasks(): readonly TaskReport[] { return this.#inner.tasks() }
  timedTasks(): readonly TimedReport[] { return this.#inner.timedTasks() }
  progress(): number { return this.#inner.progress() }
  /** Reading it is what runs it. */
  isReadable(): boolean { return true }
  error(): QueryError | null { return this.#inner.error() }
  cancel(reason: string): void { this.#inner.cancel(reason) }
  release(): void { this.#inner.release() }

  async *frames(): AsyncGenerator<RawFlightData> {
    yield* rowOf(await this.explanation(), this.#format)
  }

  /** Rejects with the query's error. */
  explanation(): Promise<Explanation> {
    this.#explanation ??= this.#run()
    return this.#explanation
  }

  async #run(): Promise<Explanation> {
    const inner = this.#inner
    for await (const _ of inner.frames()) continue
    const { work, query, request } = inner
    if (work === null) throw new Error(`query ${inner.id} has ended without a plan`)
    const stats = inner.stats()
    const seen = seenOf(stats, inner.timedTasks(), query.startedMs)
    return explain(request.sql, work, stats.plan_ms, this.#ground(), { seen, dialect: request.dialect ?? null })
  }
}
