/**
 * How a table is read.
 *
 *   at most `replicateRows` rows in its files    every task reads all of it
 *   otherwise                                    each file or row range is read by one task
 *
 * By the rows of the files, not by what the filters are thought to leave: every task would read all files for those.
 * Where ranges of files share no value of an integer column, rows that are equal in it can stay in one task.
 */

import type { PlannerTable, PlanThresholds } from '../planned-query.ts'
import type { Scan } from '../plan.ts'
import { isKey } from './restrict.ts'
import { apart, COPIED, type CutContext, type Placed } from './spread.ts'

export function isSplitTable(table: PlannerTable, thresholds: PlanThresholds): boolean {
  return table.rowCount > thresholds.replicateRows
}

/** `division`: a number that no other scan has. Nothing stays together when shuffles are forced. */
export function cutScan(scan: Scan, division: number, context: CutContext): Placed {
  const { isSplit, tableDivided, tableTypes, thresholds } = context
  if (isSplit[scan.table] !== true) return { plan: scan, spread: COPIED }
  const at = thresholds.broadcastRows === 0 ? -1 : scan.columns.findIndex(position => {
    const type = position === null ? undefined : tableTypes[scan.table]?.[position]
    return type !== undefined && isKey(type) && tableDivided[scan.table]?.[position ?? -1] === true
  })
  const column = scan.columns[at] ?? null
  if (column === null) return { plan: scan, spread: apart() }
  return { plan: { ...scan, division }, spread: apart([[at]], { scan: division, column }) }
}
