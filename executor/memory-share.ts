/**
 * Whose an instance's memory is. DuckDB tells the sum and no more, so it is divided by how long the tasks of each query
 * have run: what has just begun holds little yet, whatever else is there. Pure.
 */

import type { QueryId } from '../proto/ids.ts'

export interface RunningTask {
  readonly queryId: QueryId
  /** By the clock's nowMs. */
  readonly startedMs: number
}

/** Bytes by query; of those that began at this very moment, even parts. */
export function memoryShares(
  tasks: Iterable<RunningTask>, usedBytes: number, nowMs: number,
): ReadonlyMap<QueryId, number> {
  const ages = new Map<QueryId, number>()
  for (const { queryId, startedMs } of tasks) ages.set(queryId, (ages.get(queryId) ?? 0) + nowMs - startedMs)
  const allMs = [...ages.values()].reduce((sum, ageMs) => sum + ageMs, 0)
  return new Map([...ages].map(([query, ageMs]) =>
    [query, Math.round(usedBytes * (allMs > 0 ? ageMs / allMs : 1 / ages.size))]))
}
