/**
 * How much DuckDB memory a query is likely to need on each of its executors, from the planner's estimates. Only an
 * estimate: it decides what runs side by side and when a query gets an instance of its own; DuckDB keeps the limit.
 */

import type { PlannedQuery } from '../planner/planned-query.ts'

/** What the smallest query takes: buffers of scans and of the result. */
const FLOOR_BYTES = 32 * 1024 * 1024
/** Rows in hash tables and sorts take about so many times their plain bytes. */
const WORKING_FACTOR = 2

/** `inputBytes`: what its scans read, after pruning. `limitBytes`: the memory of the smallest executor. */
export function memoryEstimate(
  planned: PlannedQuery, inputBytes: number, executorCount: number, limitBytes: number,
): number {
  const perFragment = planned.fragments.map(fragment => {
    const copied = fragment.inputs
      .filter(({ kind }) => kind === 'broadcast' || kind === 'gather' || kind === 'all')
      .reduce((sum, { fragment: from }) => sum + (planned.fragments[from]?.bytes ?? 0), 0)
    const moved = fragment.inputs
      .filter(({ kind }) => kind === 'hash' || kind === 'keep')
      .reduce((sum, { fragment: from }) => sum + (planned.fragments[from]?.bytes ?? 0), 0)
    return copied + (moved + fragment.bytes) / Math.max(1, fragment.tasks === 'one' ? 1 : executorCount)
  })
  // a query of one fragment joins and sorts what it scans
  const scanned = planned.fragments.length === 1 ? inputBytes : 0
  const bytes = WORKING_FACTOR * Math.max(scanned, ...perFragment)
  return Math.round(Math.min(Math.max(FLOOR_BYTES, bytes), Math.max(FLOOR_BYTES, limitBytes / 2)))
}
