/**
 * How much DuckDB memory a query is likely to need on each of its executors, from the planner's estimates. Only an
 * estimate: it decides what runs side by side and when a query gets an instance of its own; DuckDB keeps the limit.
 */

import type { PlannedQuery } from '../planner/planned-query.ts'
import type { MemoryLearner } from './memory-learner.ts'

/** What the smallest query takes: pages and vectors of a few columns. More: a small box would answer one at a time. */
const FLOOR_BYTES = 8 * 1024 * 1024
/** Rows in hash tables and sorts take about so many times their plain bytes. */
const WORKING_FACTOR = 2

/** Times what was not enough for a task, for its second try. */
const SECOND_TRY_FACTOR = 4

/** `inputBytes`: what its scans read, after pruning. `memories`: bytes of each executor. */
export function memoryEstimate(
  planned: PlannedQuery, inputBytes: number, memories: readonly number[], learner: MemoryLearner,
): number {
  const executorCount = Math.max(1, memories.length)
  const smallestBytes = memories.length === 0 ? 0 : Math.min(...memories)
  // a query of one fragment joins and sorts what it scans
  const scanned = planned.fragments.length === 1 ? inputBytes : 0
  const perFragment = planned.fragments.map(fragment => {
    const copied = fragment.inputs
      .filter(({ kind }) => kind === 'broadcast' || kind === 'gather' || kind === 'all')
      .reduce((sum, { fragment: from }) => sum + (planned.fragments[from]?.bytes ?? 0), 0)
    const moved = fragment.inputs
      .filter(({ kind }) => kind === 'hash' || kind === 'range' || kind === 'keep')
      .reduce((sum, { fragment: from }) => sum + (planned.fragments[from]?.bytes ?? 0), 0)
    const plain = copied + (moved + fragment.bytes) / (fragment.tasks === 'one' ? 1 : executorCount)
    return learner.estimate(fragment.sql, WORKING_FACTOR * Math.max(scanned, plain))
  })
  const bytes = Math.max(...perFragment)
  return Math.round(Math.min(Math.max(FLOOR_BYTES, bytes), Math.max(FLOOR_BYTES, smallestBytes / 2)))
}

/**
 * For the second try of a task that failed for want of memory, on an instance of its own: half of the executor at
 * least. An executor gives no more than it can.
 */
export function secondTryBytes(firstBytes: number, executorBytes: number): number {
  return Math.max(SECOND_TRY_FACTOR * firstBytes, Math.floor(executorBytes / 2))
}
