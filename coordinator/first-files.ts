/** The beginning of a table, where any rows will do: its first files and row groups that have enough of them. Pure. */

import type { PrunedFile } from './query-ports.ts'
import { rowsOf } from './splits.ts'

/** Of files without row groups it is not known how many rows they have: they count as none. */
export function firstFiles(files: readonly PrunedFile[], rows: number): readonly PrunedFile[] {
  const first: PrunedFile[] = []
  let left = rows
  for (const pruned of files) {
    if (left <= 0) break
    const begun = pruned.rowGroups.length === 0 ? pruned : firstGroups(pruned, left)
    first.push(begun)
    if (begun.rowGroups.length > 0) left -= rowsOf(begun)
  }
  return first
}

function firstGroups(pruned: PrunedFile, rows: number): PrunedFile {
  const { file, rowGroups } = pruned
  let count = 0
  for (let left = rows; left > 0 && count < rowGroups.length; count++) {
    left -= file.rowGroups[rowGroups[count] ?? -1]?.rowCount ?? 0
  }
  return count === rowGroups.length ? pruned : { file, rowGroups: rowGroups.slice(0, count) }
}
