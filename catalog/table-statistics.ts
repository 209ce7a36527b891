/**
 * Statistics of a whole table: those of all its row groups merged. DuckDB's optimizer folds filters away by minimum
 * and maximum, and answers `count(*)` and `min(x)` from them, so they are given only where every row group of every
 * file has them: the statistics of a part would make wrong answers.
 */

import { type StatValue, compareStats } from '../cache/statistics.ts'

export interface ColumnStatistics {
  readonly min: StatValue | null
  readonly max: StatValue | null
  readonly nullCount: number | null
  /** True if `min` and `max` are values of the column and not only bounds. */
  readonly exact: boolean
}

export interface PartStatistics {
  readonly rowCount: number
  readonly statistics: ColumnStatistics
}

export const unknownStatistics: ColumnStatistics = { min: null, max: null, nullCount: null, exact: false }

/** Parts without rows, and parts without values for the bounds, say nothing against the others. */
export function mergeStatistics(parts: Iterable<PartStatistics>): ColumnStatistics {
  let nullCount: number | null = 0
  let bounds: { min: StatValue; max: StatValue } | null | undefined
  let exact = true
  for (const { rowCount, statistics: part } of parts) {
    if (rowCount === 0) continue
    nullCount = nullCount === null || part.nullCount === null ? null : nullCount + part.nullCount
    if (part.nullCount === rowCount) continue
    exact &&= part.exact
    bounds = bounds === undefined ? boundsOf(part) : widen(bounds, part)
  }
  // a maximum of floats may hide NaN, which is greater: it bounds, but it is not the answer to max(x)
  exact &&= typeof bounds?.max !== 'number'
  return { min: bounds?.min ?? null, max: bounds?.max ?? null, nullCount, exact }
}

type Bounds = { readonly min: StatValue; readonly max: StatValue } | null

function boundsOf({ min, max }: ColumnStatistics): Bounds {
  return min === null || max === null ? null : { min, max }
}

function widen(bounds: Bounds, part: ColumnStatistics): Bounds {
  const other = boundsOf(part)
  if (bounds === null || other === null) return null
  const below = compareStats(other.min, bounds.min)
  const above = compareStats(other.max, bounds.max)
  if (below === undefined || above === undefined) return null
  return { min: below < 0 ? other.min : bounds.min, max: above > 0 ? other.max : bounds.max }
}
