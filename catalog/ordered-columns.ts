/**
 * Which columns of a table its rows lie in order of, nearly: the ranges of the row groups hardly overlap, whatever file
 * they are in. So lie tables that were written as their rows came, by number or day. For choosing plans only.
 */

import type { FileIndex } from './file-index.ts'

/** Row groups over a value, on the average: 1 if none overlap, as many as there are if it may be in each. */
const MAX_DEPTH = 1.5
/** Of fewer row groups there is no part to leave out. */
const MIN_GROUPS = 4

/** By position; of integers alone (of what compares as they do: dates, times). */
export function orderedColumns({ columns, rowCounts, groupCount }: FileIndex): readonly boolean[] {
  return columns.map(({ min, max, nullCounts }) => {
    if (min.kind !== 'numbers' || max.kind !== 'numbers' || min.of !== 'bigint' || groupCount < MIN_GROUPS) return false
    let [least, greatest, widths] = [Infinity, -Infinity, 0]
    for (let group = 0; group < groupCount; group++) {
      const rows = rowCounts[group] ?? 0
      if (rows === 0 || nullCounts[group] === rows) continue
      const [low, high] = [min.values[group] ?? NaN, max.values[group] ?? NaN]
      if (Number.isNaN(low) || Number.isNaN(high)) return false
      least = Math.min(least, low)
      greatest = Math.max(greatest, high)
      widths += high - low
    }
    return greatest > least && widths <= MAX_DEPTH * (greatest - least)
  })
}
