/**
 * What the tasks of queries did, also after a restart. They are written when their query has ended: of one that dies
 * with its coordinator there is its row in the log of queries alone.
 */

import { join } from 'node:path'
import type { Row, RowColumn } from '../../catalog/row-file.ts'
import type { LoggedQuery } from '../serve/ports.ts'
import { rowOf, systemTables } from './columns.ts'
import { LogFiles, type LogFilesOptions } from './log-files.ts'

/** Of all Parquet files together: some 24,000 tasks, which take half a second to read. */
const MAX_LOG_BYTES = 1024 * 1024
/** Of one query, by stage and partition: a file is written as a whole. */
const MAX_TASKS_OF_QUERY = 2_000

const { columns } = systemTables.tasks
/** And whose they are. */
const written: readonly RowColumn[] = [...columns, { name: 'principal', type: 'VARCHAR' }]
/** Position of the column that names the query of a task. */
export const QUERY_OF_TASK = columns.findIndex(({ name }) => name === 'query')
const PRINCIPAL = columns.length

export class TaskLog {
  readonly #coordinator: string
  readonly #files: LogFiles

  private constructor(coordinator: string, files: LogFiles) {
    this.#coordinator = coordinator
    this.#files = files
  }

  /** `folder`: of the log of queries. */
  static async open(
    { folder, onFault, coordinator, limits }: Pick<LogFilesOptions, 'folder' | 'onFault' | 'limits'> & {
      readonly coordinator: string
    },
  ): Promise<TaskLog> {
    return new TaskLog(coordinator, await LogFiles.open({
      folder: join(folder, 'tasks'), columns: written, id: QUERY_OF_TASK, died: row => row, onFault,
      limits: { logBytes: MAX_LOG_BYTES, ...limits },
    }))
  }

  /** Rows that the disk did not take. */
  get lost(): number {
    return this.#files.lost
  }

  ended(query: LoggedQuery, principal: string): void {
    for (const row of taskRows(query, this.#coordinator).slice(0, MAX_TASKS_OF_QUERY)) {
      this.#files.end([...row, principal])
    }
  }

  /** Of queries that have ended, oldest first. null: of all users. */
  async *rows(principal: string | null): AsyncGenerator<readonly Row[]> {
    for await (const rows of this.#files.ended()) {
      const theirs = principal === null ? rows : rows.filter(row => row[PRINCIPAL] === principal)
      yield theirs.map(row => row.slice(0, PRINCIPAL))
    }
  }

  close(): Promise<void> {
    return this.#files.flush()
  }
}

export function taskRows(query: LoggedQuery, coordinator: string): Row[] {
  return query.tasks().map(task => rowOf('tasks', {
    coordinator, query: query.id, stage: task.stage, partition: task.partition, attempt: task.attempt,
    executor: task.executor, state: task.state, rows: task.rows, output_bytes: task.outputBytes,
    bytes_fetched: task.bytesFetched, bytes_cached: task.bytesCached, exchange_bytes: task.exchangeBytes,
    run_ms: task.runMs, progress: task.progress, peak_bytes: task.peakBytes, spilled: task.spilled,
  }))
}
