/**
 * What ran on this coordinator, query by query and task by task, also after a restart: told of each query at its start
 * and at its end. Texts are kept without their secrets, and long ones not to their end.
 */

import type { Row } from '../../catalog/row-file.ts'
import type { Clock } from '../../proto/clock.ts'
import { asQueryError } from '../../proto/errors.ts'
import type { QueryId } from '../../proto/ids.ts'
import { messageWithoutSecrets, withoutSecrets } from '../../proto/secret-words.ts'
import type { LoggedQuery } from '../serve/ports.ts'
import { hasEnded, startedAtMs } from '../serve/query-times.ts'
import { rowOf, systemTables } from './columns.ts'
import { LogFiles, type LogFilesOptions } from './log-files.ts'
import { QUERY_OF_TASK, TaskLog, taskRows } from './task-log.ts'

/** Of a text or a message: what people read of it. */
const MAX_CHARACTERS = 4_000
const { columns } = systemTables.queries
const position = (name: string): number => columns.findIndex(column => column.name === name)
const [ID, STATE, PRINCIPAL] = [position('id'), position('state'), position('principal')]

export interface QueryLogOptions extends Pick<LogFilesOptions, 'folder' | 'onFault' | 'limits'> {
  readonly clock: Clock
  readonly coordinator: string
}

export class QueryLog {
  readonly #options: QueryLogOptions
  readonly #files: LogFiles
  readonly #tasks: TaskLog
  readonly #open = new Map<QueryId, LoggedQuery>()

  private constructor(options: QueryLogOptions, files: LogFiles, tasks: TaskLog) {
    this.#options = options
    this.#files = files
    this.#tasks = tasks
  }

  static async open(options: QueryLogOptions): Promise<QueryLog> {
    const { folder, onFault, limits } = options
    const died = (start: Row): Row => columns.map(({ name }, i) => name === 'state' ? 'died'
      : name === 'error' ? 'its coordinator ended before the query did' : start[i] ?? null)
    const files = await LogFiles.open({
      folder, columns, id: ID, died, onFault, ...(limits === undefined ? {} : { limits }),
    })
    return new QueryLog(options, files, await TaskLog.open(options))
  }

  /** Records that the disk did not take. */
  get lost(): number {
    return this.#files.lost + this.#tasks.lost
  }

  /** Once for each id: a text of one statement is a query of the same id. */
  started(query: LoggedQuery): void {
    if (this.#open.has(query.id)) return
    this.#open.set(query.id, query)
    this.#files.start(this.#row(query))
  }

  ended(query: LoggedQuery): void {
    const started = this.#open.get(query.id)
    if (started === undefined) return
    this.#open.delete(query.id)
    const row = this.#row(query, started.request.sql)
    this.#files.end(hasEnded(query) ? row : row.with(STATE, 'cancelled')) // its client has left it
    this.#tasks.ended(query, started.request.principal)
  }

  /** What is kept of those that have ended, and behind it those that run. null: of all users. */
  async *rows(principal: string | null): AsyncGenerator<readonly Row[]> {
    const isTheirs = (row: Row): boolean => principal === null || row[PRINCIPAL] === principal
    const running = [...this.#open.values()].map(query => ({ query, rows: [this.#row(query)].filter(isTheirs) }))
    yield* this.#withoutEnded(this.#files.ended(), ID, running, rows => rows.filter(isTheirs))
  }

  /** The same of their tasks. */
  async *taskRows(principal: string | null): AsyncGenerator<readonly Row[]> {
    const theirs = [...this.#open.values()].filter(({ request }) =>
      principal === null || request.principal === principal)
    const running = theirs.map(query => ({ query, rows: taskRows(query, this.#options.coordinator) }))
    yield* this.#withoutEnded(this.#tasks.rows(principal), QUERY_OF_TASK, running, rows => rows)
  }

  /** A query that ends while the log is read is there once. */
  async *#withoutEnded(
    ended: AsyncIterable<readonly Row[]>, id: number,
    running: readonly { readonly query: LoggedQuery; readonly rows: readonly Row[] }[],
    theirs: (rows: readonly Row[]) => readonly Row[],
  ): AsyncGenerator<readonly Row[]> {
    const seen = new Set<unknown>()
    for await (const rows of ended) {
      for (const row of rows) seen.add(row[id])
      yield theirs(rows)
    }
    for (const { query, rows } of running) {
      if (this.#open.get(query.id) === query || !seen.has(query.id)) yield rows
    }
  }

  async close(): Promise<void> {
    await this.#files.flush()
    await this.#tasks.close()
  }

  #row(query: LoggedQuery, sql = query.request.sql): Row {
    const { clock, coordinator } = this.#options
    const { principal, clientInterface, sessionId } = query.request
    const stats = query.stats()
    const error = query.error()
    const startedMs = startedAtMs(query, clock)
    const text = withoutSecrets(sql)
    const isOver = hasEnded(query)
    return rowOf('queries', {
      coordinator, id: query.id, state: query.state(), principal, client_interface: clientInterface,
      session_id: sessionId, sql: shortened(text), started_at: startedMs,
      ended_at: isOver ? startedMs + stats.elapsed_ms : null, elapsed_ms: stats.elapsed_ms, plan_ms: stats.plan_ms,
      stages: stats.stages, tasks: stats.tasks, executors: stats.executors, whole_reason: stats.whole_reason,
      result_cache: stats.result_cache, bytes_fetched: stats.bytes_fetched, bytes_cached: stats.bytes_cached,
      exchange_bytes: stats.exchange_bytes, progress: query.progress(),
      ...(error === null ? {} : {
        error_code: asQueryError(error).code,
        error: shortened(messageWithoutSecrets(error.message, sql)),
      }),
    })
  }
}

function shortened(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`
}
