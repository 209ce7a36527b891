/** What decides how a query is cut, as a launch says it, or else by default. */

import type { PlanThresholds } from '../planner/planned-query.ts'
import type { CoordinatorLaunch } from '../proto/launch.ts'

/** Below 32 MB of columns a stage's fixed costs outweigh what it saves; rows: see bench/results.md. */
const DEFAULT_THRESHOLDS = {
  wholeBytes: 32 * 1024 * 1024, broadcastRows: 200_000, replicateRows: 10_000, sortRows: 500_000, skewRows: 200_000,
} as const satisfies PlanThresholds

export function thresholds({ wholeBytes, broadcastRows, sortRows, skewRows }: CoordinatorLaunch): PlanThresholds {
  return {
    wholeBytes: wholeBytes ?? DEFAULT_THRESHOLDS.wholeBytes,
    broadcastRows: broadcastRows ?? DEFAULT_THRESHOLDS.broadcastRows,
    // a table that every task reads is a broadcast too
    replicateRows: broadcastRows === 0 ? 0 : DEFAULT_THRESHOLDS.replicateRows,
    sortRows: sortRows ?? (broadcastRows === 0 ? 0 : DEFAULT_THRESHOLDS.sortRows),
    skewRows: skewRows ?? DEFAULT_THRESHOLDS.skewRows,
  }
}
