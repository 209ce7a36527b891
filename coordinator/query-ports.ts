/**
 * What running a query needs of the planner and the catalog. main.ts gives the real ones, tests and simulations their
 * own.
 */

import type { DataFile, Table } from '../catalog/table.ts'
import type { Expression } from '../planner/expression.ts'
import type { NamedFiles } from '../planner/file-references.ts'
import type { HidingRequest } from '../planner/hidden-columns.ts'
import type { PlannedQuery, PlanRequest, PruneScans } from '../planner/planned-query.ts'
import type { PreparedQuery, PrepareRequest } from '../planner/prepare-query.ts'
import type { Edit } from '../planner/text-edits.ts'

/** A name as the text has it; null: left out. */
export interface TableReference {
  readonly catalog: string | null
  readonly schema: string | null
  readonly table: string
  /** Files that the text names in this table's place; absent: none. */
  readonly files?: NamedFiles
}

export interface HidingPort {
  /** What to write so that nothing in the text means a hidden column but its name. */
  hiding(request: HidingRequest): Promise<readonly Edit[]>
}

export interface PlannerPort extends HidingPort {
  /** Every table that the text may mean. Rejects with SYNTAX_ERROR and its like. */
  names(sql: string): Promise<readonly TableReference[]>
  /** Rejects with the QueryError that the user shall see. Asks `prune` before it cuts the plan. */
  plan(request: PlanRequest, prune: PruneScans): Promise<PlannedQuery>
}

export interface PreparePort {
  /** Rejects as `plan` does. */
  prepare(request: PrepareRequest): Promise<PreparedQuery>
}

export interface CatalogPort {
  /**
   * One version of each table; names that no table has are left out (the planner says so with its place in the text).
   */
  resolve(names: readonly TableReference[], asking: Asking): Promise<readonly Table[]>
  /** A query met a changed file of one of `tables`: the next one must not be planned for what was known of them. */
  invalidate(tables: readonly Table[]): void
}

export interface NameDefaults {
  readonly catalog: string
  readonly schema: string
}

/** Who asks for tables: some have other rows for others. */
export interface Asking extends NameDefaults {
  readonly principal: string
  /** Which tables come with the columns that only those who name them see; absent: none. */
  readonly hidden?: 'files' | 'all'
}

/**
 * Files that may hold rows satisfying `filters` (over the table's columns by position), and of each the row groups.
 * `columns`: positions whose bytes count.
 */
export type PrunePort =
  (table: Table, filters: readonly Expression[], columns: readonly number[]) =>
    readonly PrunedFile[] | Promise<readonly PrunedFile[]>

export interface PrunedFile {
  readonly file: DataFile
  /** Positions in `file.rowGroups`, ascending; empty for files that have none (CSV, JSON). */
  readonly rowGroups: readonly number[]
  /** Rows of those row groups, or of the file; bytes of the columns in them. Absent: counted when they are wanted. */
  readonly rowCount?: number
  readonly sizeBytes?: number
}
