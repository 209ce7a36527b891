/**
 * Which columns of a table its rows lie in order of, nearly: the ranges of the row groups hardly overlap, whatever file
 * they are in. So lie tables that were written as their rows came, by number or day. And by which of them its files can
 * be divided into parts that share no value. For choosing plans only.
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

/** Of more files the ranges of a task's splits would be too many to choose by what it reads besides. */
const MAX_FILES = 128
/** Of fewer files some are cut, between their row groups. */
const FEW_FILES = 4
/** Of the rows: the largest part takes as long as all of them. */
const MAX_SHARE = 1 / 3

/** By position, as above. NULLs are in the way: those of all files would be in one part. */
export function dividedColumns(index: FileIndex): readonly boolean[] {
  const { columns, fileCount } = index
  if (fileCount > MAX_FILES) return columns.map(() => false)
  return columns.map((_, column) => {
    const parts = partRows(index, column)
    const rows = parts.reduce((sum, part) => sum + part, 0)
    return rows > 0 && Math.max(...parts) <= MAX_SHARE * rows
  })
}

/** Rows of each part; none if a bound is not known. */
function partRows(index: FileIndex, column: number): readonly number[] {
  const pieces: Piece[] = []
  for (let file = 0; file < index.fileCount; file++) {
    const groups = groupsOf(index, column, file)
    if (groups === null) return []
    pieces.push(...index.fileCount < FEW_FILES ? groups : together(groups))
  }
  const parts: Piece[] = []
  for (const piece of pieces.sort((a, b) => a.low - b.low)) {
    const last = parts.at(-1)
    if (last === undefined || piece.low > last.high) parts.push(piece)
    else parts.splice(-1, 1, ...together([last, piece]))
  }
  return parts.map(({ rows }) => rows)
}

interface Piece { readonly low: number; readonly high: number; readonly rows: number }

/** Row groups with rows; null if a bound is not known, or something is NULL. */
function groupsOf(index: FileIndex, column: number, file: number): readonly Piece[] | null {
  const { min, max, nullCounts } = index.columns[column] ?? {}
  if (min?.kind !== 'numbers' || max?.kind !== 'numbers' || min.of !== 'bigint') return null
  const pieces: Piece[] = []
  const [from, to] = index.range(file)
  for (let group = from; group < to; group++) {
    const [low, high, rows] = [min.values[group] ?? NaN, max.values[group] ?? NaN, index.rowCounts[group] ?? 0]
    if (rows === 0) continue
    if (Number.isNaN(low) || Number.isNaN(high) || nullCounts?.[group] !== 0) return null
    pieces.push({ low, high, rows })
  }
  return pieces
}

function together(pieces: readonly Piece[]): readonly Piece[] {
  const [first] = pieces
  if (first === undefined) return []
  return [pieces.reduce((all, { low, high, rows }) =>
    ({ low: Math.min(all.low, low), high: Math.max(all.high, high), rows: all.rows + rows }))]
}
