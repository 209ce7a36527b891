/**
 * Plans by all that planning reads: text, defaults, settings, thresholds, and name and version of every table that the
 * text may mean. Whose query it is, is in that: a principal's rights decide which tables are in the request.
 *
 * Volatile plans are never kept: DuckDB has folded a clock or a variable into them.
 */

import { BoundedCache, type CacheLimits } from './bounded-cache.ts'
import type { PlannedQuery, PlanRequest } from './planned-query.ts'

export const DEFAULT_PLAN_CACHE: CacheLimits = { maxEntries: 1024, maxBytes: 32 * 1024 * 1024 }

export class PlanCache {
  readonly #plans: BoundedCache<PlannedQuery>

  constructor(limits: CacheLimits) {
    this.#plans = new BoundedCache(limits)
  }

  get(request: PlanRequest): PlannedQuery | undefined {
    return this.#plans.get(planKey(request))
  }

  put(request: PlanRequest, planned: PlannedQuery): void {
    if (!planned.volatile) this.#plans.put(planKey(request), planned, textLength(planned))
  }
}

function planKey({ sql, defaultCatalog, defaultSchema, settings, tables, thresholds, explain }: PlanRequest): string {
  const versions = tables.map(({ name: { catalog, schema, table }, version, skeletonPath }) =>
    [catalog, schema, table, version, skeletonPath])
  const { wholeBytes, broadcastRows, replicateRows, sortRows, filterByKeys = '', skewRows = '' } = thresholds
  const limits = [wholeBytes, broadcastRows, replicateRows, sortRows, filterByKeys, skewRows]
  const sorted = Object.entries(settings).sort(([a], [b]) => a < b ? -1 : 1)
  return JSON.stringify([sql, defaultCatalog, defaultSchema, sorted, versions, limits, explain === true])
}

/** Stands for the size in memory. */
function textLength(planned: PlannedQuery): number {
  return JSON.stringify(planned, (_, value: unknown) => typeof value === 'bigint' ? value.toString() : value).length
}
