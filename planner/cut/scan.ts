/**
 * How a table is read.
 *
 *   at most `replicateRows` rows in its files    every task reads all of it
 *   otherwise                                    each file or row range is read by one task
 *
 * By the rows of the files, not by what the filters are thought to leave: every task would read all files for those.
 */

import type { PlannerTable, PlanThresholds } from '../planned-query.ts'
import type { Scan } from '../plan.ts'
import { apart, COPIED, type CutContext, type Placed } from './spread.ts'

export function isSplitTable(table: PlannerTable, thresholds: PlanThresholds): boolean {
  return table.rowCount > thresholds.replicateRows
}

export function cutScan(scan: Scan, context: CutContext): Placed {
  return { plan: scan, spread: context.isSplit[scan.table] === true ? apart() : COPIED }
}
