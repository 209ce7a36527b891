/** What the faces need of the rest of the coordinator. main.ts gives the real ones, tests their own. */

import type { TableColumn, TableName } from '../../catalog/table.ts'
import type { ExecutorId, QueryId } from '../../proto/ids.ts'
import type { QueryRequest, RunningQuery } from '../running-query.ts'

/** A query as the log knows it. */
export interface LoggedQuery extends RunningQuery {
  /** The calendar's time of its acceptance, milliseconds since 1970; absent: not kept, then it is reckoned from its age. */
  readonly startedAtMs?: number | undefined
}

export interface QueryService {
  /** Accepts a statement, or throws the QueryError that refuses it. */
  submit(request: QueryRequest): LoggedQuery
  /** Running, or among the last that ended. */
  get(id: QueryId): LoggedQuery | undefined
}

export interface QueryAdmin {
  /** Running ones and the last that ended, newest first. */
  list(): readonly LoggedQuery[]
  /** False if no such query is running. */
  kill(id: QueryId): boolean
  executors(): readonly ExecutorView[]
}

export interface ExecutorView {
  readonly id: ExecutorId
  readonly address: string
  readonly pid: number
  readonly state: 'joining' | 'active' | 'draining' | 'lost'
  readonly slots: number
  readonly runningTasks: number
  readonly memoryBytes: number
  readonly duckdbVersion: string
}

export interface CatalogTable {
  readonly name: TableName
  readonly columns: readonly TableColumn[]
}

/** All that can be named in a query. */
export interface CatalogList {
  readonly catalogs: readonly { readonly name: string; readonly schemas: readonly string[] }[]
  readonly tables: readonly CatalogTable[]
}

export interface CatalogLister {
  list(): Promise<CatalogList>
}
