/**
 * What ran on this coordinator, query by query, also after a restart: told of each at its start and at its end. Texts
 * are kept without their secrets, and long ones not to their end.
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
  readonly #open = new Map<QueryId, LoggedQuery>()

  private constructor(options: QueryLogOptions, files: LogFiles) {
    this.#options = options
    this.#files = files
  }

  static async open(options: QueryLogOptions): Promise<QueryLog> {
    const { folder, onFault, limits } = options
    const died = (start: Row): Row => columns.map(({ name }, i) => name === 'state' ? 'died'
      : name === 'error' ? 'its coordinator ended before the query did' : start[i] ?? null)
    return new QueryLog(options, await LogFiles.open({
      folder, columns, id: ID, died, onFault, ...(limits === undefined ? {} : { limits }),
    }))
  }

  /** Records that the disk did not take. */
  get lost(): number {
    return this.#files.lost
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
  }

  /** Those that run, and behind them what is kept of those that have ended. null: of all users. */
  async *rows(principal: string | null): AsyncGenerator<readonly Row[]> {
    const isTheirs = (row: Row): boolean => principal === null || row[PRINCIPAL] === principal
    const running = [...this.#open.values()].map(query => this.#row(query))
    for await (const rows of this.#files.ended()) yield rows.filter(isTheirs)
    yield running.filter(isTheirs)
  }

  close(): Promise<void> {
    return this.#files.flush()
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
