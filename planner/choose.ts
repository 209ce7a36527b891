/**
 * Whether a query runs whole, and why: as one fragment in one task that reads all of its tables.
 *
 *   nothing is split      the tables it reads are so small that every task would read all of them
 *   little to read        each fragment costs some milliseconds, more than a second executor saves
 */

import { anyOperator, operators } from './cut/operator.ts'
import type { Plan } from './plan.ts'
import { isSplitTable } from './cut/scan.ts'
import type { PlannerTable, PlanThresholds, PrunableScan, ScanEstimate } from './planned-query.ts'
import { addColumns } from './cut/expressions.ts'
import { scanFilters } from './scan-filters.ts'

export interface Choice {
  readonly tables: readonly PlannerTable[]
  readonly thresholds: PlanThresholds
  /** Of every scan of the plan. */
  readonly estimates: readonly ScanEstimate[]
}

/** What is read of each table, in the order of the plan: to ask what pruning leaves of it. */
export function prunableScans(plan: Plan): readonly PrunableScan[] {
  return [...scanFilters(plan)].map(([scan, filters]) => {
    const columns = new Set(scan.columns.filter(position => position !== null))
    for (const filter of scan.filters) addColumns(filter, columns)
    return { table: scan.table, columns: [...columns], filters }
  })
}

/** The reason to run whole, for EXPLAIN and the result's statistics; null: distribute. */
export function wholeReason(plan: Plan, { tables, thresholds, estimates }: Choice): string | null {
  const isSplit = (operator: Plan): boolean => {
    const table = operator.kind === 'Scan' ? tables[operator.table] : undefined
    return table !== undefined && isSplitTable(table, thresholds)
  }
  if (!anyOperator(plan, isSplit)) return `nothing to split: ${describeTables(plan, tables)}`
  const bytes = estimates.reduce((sum, estimate) => sum + estimate.bytes, 0)
  if (bytes >= thresholds.wholeBytes) return null
  return `small: ${megabytes(bytes)} MB to read, under ${megabytes(thresholds.wholeBytes)} MB`
}

function describeTables(plan: Plan, tables: readonly PlannerTable[]): string {
  const read = new Set([...operators(plan)].flatMap(operator => operator.kind === 'Scan' ? [operator.table] : []))
  if (read.size === 0) return 'it reads no table'
  const rows = [...read].map(table => `${tables[table]?.name.table ?? '?'} has ${tables[table]?.rowCount ?? 0} rows`)
  return rows.join(', ')
}

/** Whole ones without a fraction: 32, 12.3. */
function megabytes(bytes: number): string {
  return String(Math.round(bytes / (1024 * 1024) * 10) / 10)
}
