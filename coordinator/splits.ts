/**
 * What scanning tasks read: the files that pruning left, cut where that helps. A split is a file or a contiguous range
 * of its row groups, given in rows; ranges follow row groups, because DuckDB skips whole ones. Few, big splits: a file
 * is cut only if it is much larger than the mean, or if there are fewer files than tasks. Pure.
 */

import type { FileKey } from '../cache/key.ts'
import type { DataFile, RowGroup } from '../catalog/table.ts'
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
}

/** In the order of the files and their rows. `columns`: positions that the fragment touches. */
export function splits(files: readonly PrunedFile[], columns: readonly number[], targetTasks: number): Split[] {
  const spans = files.map(file => spanOf(file, columns))
  const totalBytes = spans.reduce((total, span) => total + span.sizeBytes, 0)
  const meanBytes = totalBytes / Math.max(1, spans.length)
  const targetBytes = totalBytes / Math.max(1, targetTasks)
  return spans.flatMap(span => {
    const cut = spans.length < targetTasks || span.sizeBytes > LARGE_FILE_FACTOR * meanBytes
    if (!cut || span.groups.length < 2) return [whole(span)]
    const pieceBytes = spans.length < targetTasks ? targetBytes : Math.max(targetBytes, meanBytes)
    return ranges(span, Math.min(MAX_RANGES_PER_FILE, Math.ceil(span.sizeBytes / Math.max(1, pieceBytes))))
  })
}

/** A file from its first row group that is left to its last: DuckDB itself skips those in between. */
interface Span {
  readonly file: DataFile
  readonly fromRow: number
  readonly groups: readonly { readonly rowCount: number; readonly sizeBytes: number }[]
  readonly sizeBytes: number
}

function spanOf({ file, rowGroups }: PrunedFile, columns: readonly number[]): Span {
  const from = rowGroups[0]
  const last = rowGroups.at(-1)
  if (from === undefined || last === undefined) return { file, fromRow: 0, groups: [], sizeBytes: file.file.sizeBytes }
  const before = file.rowGroups.slice(0, from).reduce((rows, group) => rows + group.rowCount, 0)
  const left = new Set(rowGroups)
  const groups = file.rowGroups.slice(from, last + 1)
    .map((group, i) => ({ rowCount: group.rowCount, sizeBytes: left.has(from + i) ? bytesOf(group, columns) : 0 }))
  return { file, fromRow: before, groups, sizeBytes: groups.reduce((total, group) => total + group.sizeBytes, 0) }
}

/** Counting rows touches no column: then row groups weigh the same. */
function bytesOf(group: RowGroup, columns: readonly number[]): number {
  return 1 + columns.reduce((total, column) => total + (group.columns[column]?.sizeBytes ?? 0), 0)
}

function whole({ file, fromRow, groups, sizeBytes }: Span): Split {
  const rows = groups.reduce((total, group) => total + group.rowCount, 0)
  const all = rows === 0 || rows === file.rowCount
  return { file: file.file, shape: file.shape, fromRow: all ? 0 : fromRow, toRow: all ? 0 : fromRow + rows, sizeBytes }
}

/** At most `count` ranges of about the same bytes. */
function ranges(span: Span, count: number): Split[] {
  const result: Split[] = []
  let fromRow = span.fromRow
  let toRow = span.fromRow
  let sizeBytes = 0
  let doneBytes = 0
  span.groups.forEach((group, i) => {
    toRow += group.rowCount
    sizeBytes += group.sizeBytes
    const full = doneBytes + sizeBytes >= (result.length + 1) * span.sizeBytes / count
    if (!full && i < span.groups.length - 1) return
    result.push({ file: span.file.file, shape: span.file.shape, fromRow, toRow, sizeBytes })
    doneBytes += sizeBytes
    sizeBytes = 0
    fromRow = toRow
  })
  return result.length === 1 ? [whole(span)] : result
}
