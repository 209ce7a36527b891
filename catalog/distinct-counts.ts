/**
 * How many values the columns of a Parquet table have, from what writers counted in each row group. Between the largest
 * count (every row group has the same values) and the sum (no two share one); the geometric mean of both is off by at
 * most the square root of the number of row groups either way. It is the largest where nearly all row groups have the
 * same least and greatest value, and many rows a value. Integers and days have no more values than there are from the
 * least to the greatest. For choosing plans only.
 */

import { columnSources } from './parquet-table.ts'
import type { HiveLayout } from './hive.ts'
import type { ParquetFiles } from './parquet-files.ts'

export function distinctCounts(joined: ParquetFiles, hive: HiveLayout): (number | null)[] {
  return columnSources(joined.columns, hive).map(source => source.from === 'path'
    ? new Set(hive.values.map(values => values[source.key])).size
    : ofColumn(joined, source.position))
}

function ofColumn(joined: ParquetFiles, position: number): number | null {
  const [counted, most] = [countedIn(joined, position), mostIn(joined, position)]
  return counted === null ? most : Math.min(counted, most ?? counted)
}

/** Null: as many as there are rows, or the bounds are not known. */
function mostIn({ files, rowCount }: ParquetFiles, position: number): number | null {
  let [least, greatest]: [bigint | null, bigint | null] = [null, null]
  for (const group of files.flatMap(({ rowGroups }) => rowGroups)) {
    const { min = null, max = null, nullCount = null } = group.columns[position] ?? {}
    if (group.rowCount === 0 || nullCount === group.rowCount) continue
    if (typeof min !== 'bigint' || typeof max !== 'bigint') return null
    if (least === null || min < least) least = min
    if (greatest === null || max > greatest) greatest = max
  }
  const most = least === null || greatest === null ? 0 : Number(greatest - least + 1n)
  return most < rowCount ? most : null
}

function countedIn({ files, rowCount: rows }: ParquetFiles, position: number): number | null {
  let [largest, sum] = [0, 0]
  /** Rows by the bounds of their row group, where a value has many. */
  const alike = new Map<string, number>()
  for (const { rowGroups } of files) {
    for (const { columns, rowCount } of rowGroups) {
      const { distinctCount: count = null, min, max } = columns[position] ?? {}
      if (count === null && rowCount > 0) return null
      largest = Math.max(largest, count ?? 0)
      sum += count ?? 0
      if (MANY_ROWS * (count ?? 0) > rowCount) continue
      const bounds = `${String(min)} ${String(max)}`
      alike.set(bounds, (alike.get(bounds) ?? 0) + rowCount)
    }
  }
  const areAlike = Math.max(0, ...alike.values()) >= NEARLY_ALL * rows
  return areAlike ? largest : Math.ceil(Math.sqrt(largest * sum))
}

/** Of one value: a row group with so many has nearly all values there are. */
const MANY_ROWS = 4
const NEARLY_ALL = 0.9
