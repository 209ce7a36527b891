/**
 * How many values the columns of a Parquet table have, from what writers counted in each row group. Between the largest
 * count (every row group has the same values) and the sum (no two share one); the geometric mean of both is off by at
 * most the square root of the number of row groups either way. For choosing plans only.
 */

import { columnSources } from './parquet-table.ts'
import type { HiveLayout } from './hive.ts'
import type { ParquetFiles } from './parquet-files.ts'

export function distinctCounts(joined: ParquetFiles, hive: HiveLayout): (number | null)[] {
  return columnSources(joined.columns, hive).map(source => source.from === 'path'
    ? new Set(hive.values.map(values => values[source.key])).size
    : ofColumn(joined, source.position))
}

function ofColumn({ files }: ParquetFiles, position: number): number | null {
  let largest = 0
  let sum = 0
  for (const { rowGroups } of files) {
    for (const { columns, rowCount } of rowGroups) {
      const count = columns[position]?.distinctCount ?? null
      if (count === null && rowCount > 0) return null
      largest = Math.max(largest, count ?? 0)
      sum += count ?? 0
    }
  }
  return Math.ceil(Math.sqrt(largest * sum))
}
