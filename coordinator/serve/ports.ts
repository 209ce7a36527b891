/** What the faces need of the rest of the coordinator. main.ts gives the real ones, tests their own. */

import type { CatalogNames, LoadedTable } from '../../catalog/catalog.ts'
import type { QueryId } from '../../proto/ids.ts'
import type { ExecutorView } from '../fleet-actor.ts'
import type { RunningQuery } from '../running-query.ts'

/** A query as the log knows it. */
export interface LoggedQuery extends RunningQuery {
  readonly query?: {
    /** By the clock's nowMs. */
    readonly startedMs: number
  }
}

export interface QueryLog {
  /** Running, or among the last that ended. */
  get(id: QueryId): LoggedQuery | null
}

export interface QueryAdmin {
  /** Running ones and the last that ended, newest first. */
  list(): readonly LoggedQuery[]
  /** False if no such query is running. */
  kill(id: QueryId): boolean
  executors(): readonly ExecutorView[]
  readonly load: { readonly running: number; readonly waiting: number }
  /** NOT_FOUND for an executor that is not heard. */
  setDraining(executor: string, draining: boolean): Promise<void>
}

export interface CatalogLister {
  /** Without looking at any file. */
  list(): CatalogNames
  tables(): Promise<readonly LoadedTable[]>
}
