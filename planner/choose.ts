/**
 * Whether a query runs whole, and why: as one fragment in one task that reads all of its tables.
 *
 *   nothing is split      the tables it reads are so small that every task would read all of them
 *   little to read        each fragment costs some milliseconds, more than a second executor saves
 *
 * The first is known before DuckDB optimises: then it is not asked for its estimates. Nor is the file index asked what
 * pruning leaves where all that the tables hold is little.
 */

import { scannedTables } from './authority.ts'
import { scansIn } from './columns-read.ts'
import { operators } from './cut/operator.ts'
import type { Plan } from './plan.ts'
import { isSplitTable } from './cut/scan.ts'
import type { PlannerTable, PlanThresholds, PrunableScan, ScanEstimate } from './planned-query.ts'
import { addColumns } from './cut/expressions.ts'
import { firstRows } from './first-rows.ts'
import { scanFilters } from './scan-filters.ts'

export interface Choice {
  readonly tables: readonly PlannerTable[]
  readonly thresholds: PlanThresholds
  /** Of every scan of the plan; null: not asked, each may read all of its table. */
  readonly estimates: readonly ScanEstimate[] | null
}

/** `plan`: as bound, and authorised. What a function in FROM gives may be much. */
export function readsNothingSplit(
  plan: unknown, tables: readonly PlannerTable[], thresholds: PlanThresholds,
): boolean {
  return [...scansIn(plan)].every(scan => {
    const table = tables[scannedTables(scan, tables)[0] ?? -1]
    return table !== undefined && !isSplitTable(table, thresholds)
  })
}

/** What is read of each table, in the order of the plan: to ask what pruning leaves of it. */
export function prunableScans(plan: Plan): readonly PrunableScan[] {
  const enough = firstRows(plan)
  return [...scanFilters(plan)].map(([scan, filters]) => {
    const rows = enough.get(scan)
    const columns = new Set(scan.columns.filter(position => position !== null))
    for (const filter of scan.filters) addColumns(filter, columns)
    return { table: scan.table, columns: [...columns], filters, ...(rows === undefined ? {} : { firstRows: rows }) }
  })
}

/** The reason to run whole, for EXPLAIN and the result's statistics; null: distribute. */
export function wholeReason(plan: Plan, { tables, thresholds, estimates }: Choice): string | null {
  const scanned = scannedIn(plan, tables)
  if (!scanned.some(table => isSplitTable(table, thresholds))) return `nothing to split: ${describe(scanned)}`
  const read = estimates?.map(estimate => estimate.bytes) ?? scanned.map(table => table.sizeBytes)
  const bytes = read.reduce((total, one) => total + one, 0)
  if (bytes >= thresholds.wholeBytes) return null
  const most = estimates === null ? 'at most ' : ''
  return `small: ${most}${megabytes(bytes)} MB to read, under ${megabytes(thresholds.wholeBytes)} MB`
}

/** A table as often as it is scanned. */
function scannedIn(plan: Plan, tables: readonly PlannerTable[]): readonly PlannerTable[] {
  return [...operators(plan)].flatMap(operator => {
    const table = operator.kind === 'Scan' ? tables[operator.table] : undefined
    return table === undefined ? [] : [table]
  })
}

function describe(scanned: readonly PlannerTable[]): string {
  if (scanned.length === 0) return 'it reads no table'
  return [...new Set(scanned)].map(({ name, rowCount }) => `${name.table} has ${rowCount} rows`).join(', ')
}

/** Whole ones without a fraction: 32, 12.3. */
function megabytes(bytes: number): string {
  return String(Math.round(bytes / (1024 * 1024) * 10) / 10)
}
