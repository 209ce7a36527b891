/** What the planner is asked, and what it answers. Plain data: both cross to another process. */

import type { TableColumn, TableName } from '../catalog/table.ts'
import type { Expression } from './expression.ts'
import type { Fragment } from './fragment.ts'

export interface PlanRequest {
  readonly sql: string
  /** Where unqualified names are looked up. */
  readonly defaultCatalog: string
  readonly defaultSchema: string
  /** Session settings by DuckDB's names, e.g. TimeZone. */
  readonly settings: Readonly<Record<string, string>>
  /** All tables that the text may mean, resolved; plans name them by position. */
  readonly tables: readonly PlannerTable[]
  readonly thresholds: PlanThresholds
  /** True: fragments come with what people are told of them. */
  readonly explain?: boolean
}

/** What planning needs of a table: no file list. */
export interface PlannerTable {
  readonly name: TableName
  readonly version: string
  readonly columns: readonly TableColumn[]
  readonly rowCount: number
  readonly sizeBytes: number
  readonly skeletonPath: string
  /** By position of the column, an estimate; null: not known. Absent: of no column. */
  readonly distinctCounts?: readonly (number | null)[]
  /** By position of the column, whether rows lie nearly in order of it. Absent: of no column. */
  readonly orderedColumns?: readonly boolean[]
  /** By position of the column, whether its files can be divided so that no two parts share a value. Absent: none. */
  readonly dividedColumns?: readonly boolean[]
}

export interface PlanThresholds {
  /** A query that reads fewer estimated bytes runs whole; 0 forces distribution (SKEIN_WHOLE_BYTES). */
  readonly wholeBytes: number
  /** A join side of at most so many estimated rows is broadcast; 0 forces shuffles (SKEIN_BROADCAST_ROWS). */
  readonly broadcastRows: number
  /** A table of at most so many rows is read by every task, and so little is read whole of any relation. */
  readonly replicateRows: number
  /** A result of more estimated rows is sorted by ranges, by several tasks; 0 forces it (SKEIN_SORT_ROWS). */
  readonly sortRows: number
  /** Whether a side of a join that moves is first left without what the other side has no keys of; absent: by cost. */
  readonly filterByKeys?: 'always' | 'never'
  /** A hash partition of so many rows may be divided, if others have far less (SKEIN_SKEW_ROWS); absent: none. */
  readonly skewRows?: number
}

/** What is left of a scan after its filters have pruned files and row groups. */
export interface ScanEstimate {
  readonly rows: number
  readonly bytes: number
}

/** Asked during planning, before the plan is cut: the file index is the caller's. */
export type PruneScans = (scans: readonly PrunableScan[]) => Promise<readonly ScanEstimate[]>

export interface PrunableScan {
  readonly table: number
  readonly columns: readonly number[]
  readonly filters: readonly Expression[]
  /** As FragmentScan.firstRows. */
  readonly firstRows?: number
}

export interface PlannedQuery {
  /** Names and DuckDB types of the result, as preparing the text gives them. */
  readonly columns: readonly TableColumn[]
  /** In execution order; the last is the result's. */
  readonly fragments: readonly Fragment[]
  /** Why the query runs whole on one executor; null when it is distributed. */
  readonly wholeReason: string | null
  /**
   * emitted: fragments hold SQL made from the plan. original: the one fragment holds the user's text, which runs on an
   * instance where the tables have their own names (what cannot be decoded).
   */
  readonly sqlKind: 'emitted' | 'original'
  /** Positions in PlanRequest.tables of the tables that the statement really reads. */
  readonly tablesRead: readonly number[]
  /**
   * True if the same text may give another answer over the same files (now(), random(), …): no plan or result is kept.
   */
  readonly volatile: boolean
}
