/**
 * What scanning tasks read: the files that pruning left, cut where that helps. A split is a file or a contiguous range
 * of its row groups, given in rows; ranges follow row groups, because DuckDB skips whole ones. Few, big splits: a file
 * is cut only if it is much larger than the mean, or if there are fewer files than tasks. Pure.
 */

import type { FileKey } from '../cache/key.ts'
import type { RowGroup } from '../catalog/table.ts'
import type { PrunedFile } from './query-ports.ts'

/** A file is cut if it is so many times the mean; below, the last task to end costs less than cutting. */
const LARGE_FILE_FACTOR = 4
/** Ranges of one file: each opens the file and reads its footer once more. */
const MAX_RANGES_PER_FILE = 64

export interface Split {
  readonly file: FileKey
  /** As DataFile.shape. */
  readonly shape: number
  /** Rows [fromRow, toRow); toRow 0: all of the file. */
  readonly fromRow: number
  readonly toRow: number
  /** Bytes of the touched columns in it; estimated for files without row groups. */
  readonly sizeBytes: number
  /** Rows in it, without the row groups that pruning has left out. */
  readonly rowCount: number
  /** As of read-steps.ts; absent: 0. */
  readonly step?: number
}

/** Some rows of a file. */
export type Range = Pick<Split, 'fromRow' | 'toRow' | 'sizeBytes' | 'rowCount'>

/** In the order of the files and their rows. `columns`: positions that the fragment touches. */
export function splits(files: readonly PrunedFile[], columns: readonly number[], targetTasks: number): Split[] {
  const sizes = files.map(file => bytesOf(file, columns))
  const totalBytes = sizes.reduce((total, size) => total + size, 0)
  const meanBytes = totalBytes / Math.max(1, files.length)
  const targetBytes = totalBytes / Math.max(1, targetTasks)
  return files.flatMap((file, i) => {
    const sizeBytes = sizes[i] ?? 0
    const cut = files.length < targetTasks || sizeBytes > LARGE_FILE_FACTOR * meanBytes
    if (!cut || file.rowGroups.length < 2 || file.file.isUncut === true) return [whole(file, sizeBytes)]
    const pieceBytes = files.length < targetTasks ? targetBytes : Math.max(targetBytes, meanBytes)
    return ranges(file, columns, Math.min(MAX_RANGES_PER_FILE, Math.ceil(sizeBytes / Math.max(1, pieceBytes))))
  })
}

/** Of all files together. */
export function touchedBytes(files: readonly PrunedFile[], columns: readonly number[]): number {
  let bytes = 0
  for (const file of files) bytes += bytesOf(file, columns)
  return bytes
}

/** Of the row groups that are left, or of a file that has none. */
export function rowsOf({ file, rowGroups, rowCount }: PrunedFile): number {
  if (rowCount !== undefined || rowGroups.length === 0) return rowCount ?? file.rowCount
  return rowGroups.reduce((rows, group) => rows + (file.rowGroups[group]?.rowCount ?? 0), 0)
}

/** Counting rows touches no column: then row groups weigh the same. */
function bytesOf({ file, rowGroups, sizeBytes }: PrunedFile, columns: readonly number[]): number {
  if (rowGroups.length === 0) return file.file.sizeBytes
  if (sizeBytes !== undefined) return rowGroups.length + sizeBytes
  const groups = file.rowGroups
  return rowGroups.reduce((sum, group) => sum + groupBytes(groups[group], columns), 0)
}

function groupBytes(group: RowGroup | undefined, columns: readonly number[]): number {
  return 1 + columns.reduce((total, column) => total + (group?.columns[column]?.sizeBytes ?? 0), 0)
}

/** A file from its first row group that is left to its last: DuckDB itself skips those in between. */
function whole(pruned: PrunedFile, sizeBytes: number): Split {
  const { file, rowGroups } = pruned
  const [first = 0, last = 0] = [rowGroups[0], rowGroups.at(-1)]
  const rowCount = rowsOf(pruned)
  const all: Split = { file: file.file, shape: file.shape, fromRow: 0, toRow: 0, sizeBytes, rowCount }
  if (rowGroups.length === 0 || file.isUncut === true || rowCount === file.rowCount) return all
  const groups = file.rowGroups
  const rows = (from: number, to: number): number =>
    groups.slice(from, to).reduce((sum, group) => sum + group.rowCount, 0)
  const [fromRow, count] = [rows(0, first), rows(first, last + 1)]
  return count === file.rowCount ? all : { ...all, fromRow, toRow: fromRow + count }
}

/** The row groups of a split, those that pruning has left with their bytes; none: it cannot be cut. */
export function rowGroupsIn(split: Split, { file, rowGroups }: PrunedFile, columns: readonly number[]): Range[] {
  if (rowGroups.length === 0 || file.isUncut === true) return []
  const left = new Set(rowGroups)
  let toRow = 0
  return file.rowGroups.map((group, i) => {
    const fromRow = toRow
    toRow += group.rowCount
    const isLeft = left.has(i)
    return { fromRow, toRow, sizeBytes: isLeft ? groupBytes(group, columns) : 0, rowCount: isLeft ? group.rowCount : 0 }
  }).filter(({ fromRow, toRow }) => split.toRow === 0 || (fromRow >= split.fromRow && toRow <= split.toRow))
}

/** At most `count` ranges of about the same bytes. */
function ranges(pruned: PrunedFile, columns: readonly number[], count: number): Split[] {
  const { file, rowGroups } = pruned
  const [first = 0, last = 0] = [rowGroups[0], rowGroups.at(-1)]
  const left = new Set(rowGroups)
  const all = file.rowGroups
  const groups = all.slice(first, last + 1).map((group, i) => ({
    rows: group.rowCount, sizeBytes: left.has(first + i) ? groupBytes(group, columns) : 0,
    rowCount: left.has(first + i) ? group.rowCount : 0,
  }))
  const totalBytes = groups.reduce((total, group) => total + group.sizeBytes, 0)
  const result: Split[] = []
  let fromRow = all.slice(0, first).reduce((rows, group) => rows + group.rowCount, 0)
  let toRow = fromRow
  let sizeBytes = 0
  let rowCount = 0
  let doneBytes = 0
  groups.forEach((group, i) => {
    toRow += group.rows
    sizeBytes += group.sizeBytes
    rowCount += group.rowCount
    const full = doneBytes + sizeBytes >= (result.length + 1) * totalBytes / count
    if (!full && i < groups.length - 1) return
    result.push({ file: file.file, shape: file.shape, fromRow, toRow, sizeBytes, rowCount })
    doneBytes += sizeBytes
    sizeBytes = 0
    rowCount = 0
    fromRow = toRow
  })
  return result.length === 1 ? [whole(pruned, totalBytes)] : result
}
