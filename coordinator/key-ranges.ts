/**
 * The bounds of what a task needs of the relations that all tasks of its stage read whole: where its own splits of a
 * table lie in a column, by the footers of their row groups. Pure.
 *
 * A task whose splits cover most of the column anyway, or of which a bound is not known, is told nothing.
 */

import type { FileKey } from '../cache/key.ts'
import type { ColumnChunk } from '../catalog/table.ts'
import type { FragmentRestriction } from '../planner/fragment.ts'
import type { ScanSplit } from './place.ts'
import type { PrunedFile } from './query-ports.ts'
import type { Split } from './splits.ts'

/** Both included. */
export interface KeyRange {
  readonly low: bigint
  readonly high: bigint
}

/** Of the relation, as the fragment's text names it: rows whose column is in one of the ranges. */
export interface TaskRestriction {
  readonly relation: string
  readonly column: number
  /** Ascending, apart; few. */
  readonly ranges: readonly KeyRange[]
  /** The same, closer: files are chosen by them. */
  readonly fileRanges: readonly KeyRange[]
  /** What part of the relation's rows is in them, about. */
  readonly share: number
}

/** Every row is compared with each of them. The closest ones become one. */
const MAX_RANGES = 4
/** Of what the ranges span: what lies between two that are closer is not worth a comparison. */
const CLOSE_SHARE = 1 / 64
/** Every row group is. */
const MAX_FILE_RANGES = 64
/** Of a table of more files everything is read: to look at their footers would hold up the coordinator. */
const MAX_FILES = 1000
/** Ranges that hold more of the column than that leave out too little to be worth a comparison. */
const WORTH_SHARE = 0.75

/** By scan of a fragment. */
type ScanFiles = ReadonlyMap<number, readonly PrunedFile[]>

/** What a task with these splits needs. */
export function restrictTasks(
  restrictions: readonly FragmentRestriction[], files: ScanFiles,
): (splits: readonly ScanSplit[]) => readonly TaskRestriction[] {
  const columns = new Map<string, KeyColumn>()
  const keyed = restrictions.map(({ relation, column, by }) => {
    const key = `${by.scan} ${by.column}`
    const known = columns.get(key) ?? new KeyColumn(by, files.get(by.scan) ?? [])
    columns.set(key, known)
    return { relation, column, by: known }
  })
  return splits => keyed.flatMap(({ relation, column, by }) => {
    const own = by.rangesOf(splits)
    if (own === null) return []
    const { ranges: fileRanges, share } = own
    return [{ relation, column, ranges: fewer(apart(fileRanges), MAX_RANGES), fileRanges, share }]
  })
}

/** Without the files in which no row group may hold a key of the ranges. */
export function filesInRanges(
  files: readonly PrunedFile[], { column, fileRanges: ranges }: Pick<TaskRestriction, 'column' | 'fileRanges'>,
): readonly PrunedFile[] {
  if (files.length > MAX_FILES) return files
  const mayHold = (chunk: ColumnChunk | undefined): boolean => {
    const range = boundsOf(chunk)
    return range === null || ranges.some(({ low, high }) => low <= range.high && range.low <= high)
  }
  return files.filter(({ file, rowGroups: kept }) => {
    const { rowGroups } = file
    return kept.length === 0 || kept.some(group => mayHold(rowGroups[group]?.columns[column]))
  })
}

/**
 * The same with the share of the rows of these files; null if nearly all are in the ranges anyway: to compare each
 * would cost more than it saves.
 */
export function restrictedIn(files: readonly PrunedFile[], restriction: TaskRestriction): TaskRestriction | null {
  const { column, ranges } = restriction
  if (files.length > MAX_FILES) return restriction
  let [rows, inRanges] = [0, 0]
  for (const { fromRow, toRow, range } of files.flatMap(file => stretches(file, column))) {
    if (range === null) continue
    const rowCount = toRow - fromRow
    const share = ranges.reduce((sum, one) => sum + overlap(one, range), 0)
    rows += rowCount
    inRanges += rowCount * Math.min(1, share)
  }
  if (rows === 0) return restriction
  return inRanges < WORTH_SHARE * rows ? { ...restriction, share: inRanges / rows } : null
}

/** The part of `range` that lies in `one`. */
function overlap(one: KeyRange, range: KeyRange): number {
  const [low, high] = [one.low > range.low ? one.low : range.low, one.high < range.high ? one.high : range.high]
  return high < low ? 0 : Number(high - low + 1n) / Number(range.high - range.low + 1n)
}

/** Rows of a file. */
export interface Stretch {
  readonly fromRow: number
  readonly toRow: number
  /** Whether any of them has a value in the column; true if that is not known. */
  readonly hasValues: boolean
  /** The same of NULL. */
  readonly hasNulls: boolean
  /** Where their values lie; null: not known. */
  readonly range: KeyRange | null
}

const UNKNOWN: Stretch = { fromRow: 0, toRow: Infinity, hasValues: true, hasNulls: true, range: null }

/** A column of a scan, over all of its files. */
class KeyColumn {
  readonly #scan: number
  readonly #stretches: ReadonlyMap<FileKey, readonly Stretch[]>
  /** Of all files; null: not all bounds are known. */
  readonly #all: readonly KeyRange[] | null

  constructor({ scan, column }: FragmentRestriction['by'], files: readonly PrunedFile[]) {
    this.#scan = scan
    const looked = files.length > MAX_FILES ? [] : files
    this.#stretches = new Map(looked.map(file => [file.file.file, stretches(file, column)]))
    this.#all = looked.length < files.length ? null : merged(boundsIn([...this.#stretches.values()].flat()), 1)
  }

  /** Null: it may be anything, or nearly so. `share`: of all values that the column may have. */
  rangesOf(splits: readonly ScanSplit[]): { readonly ranges: readonly KeyRange[]; readonly share: number } | null {
    if (this.#all === null) return null
    const own = splits.filter(({ scan }) => scan === this.#scan).flatMap(({ split }) =>
      within(split, this.#stretches.get(split.file) ?? [UNKNOWN]))
    const ranges = merged(boundsIn(own), MAX_FILE_RANGES)
    const share = ranges === null ? 1 : width(ranges) / width(this.#all)
    return ranges === null || share > WORTH_SHARE ? null : { ranges, share }
  }
}

/** Those that a split reads. */
export function within({ fromRow, toRow }: Split, stretches: readonly Stretch[]): readonly Stretch[] {
  return stretches.filter(stretch => toRow === 0 || (stretch.fromRow < toRow && stretch.toRow > fromRow))
}

function boundsIn(stretches: readonly Stretch[]): readonly (KeyRange | null)[] {
  return stretches.filter(({ hasValues }) => hasValues).map(({ range }) => range)
}

/** The row groups that are left. */
export function stretches({ file, rowGroups: kept }: PrunedFile, column: number): readonly Stretch[] {
  if (kept.length === 0) return [UNKNOWN]
  const left = new Set(kept)
  const found: Stretch[] = []
  let row = 0
  file.rowGroups.forEach(({ rowCount, columns }, group) => {
    const chunk = columns[column]
    const hasValues = chunk?.nullCount !== rowCount
    const range = hasValues ? boundsOf(chunk) : null
    const hasNulls = chunk?.nullCount !== 0
    if (left.has(group) && rowCount > 0) {
      found.push({ fromRow: row, toRow: row + rowCount, hasValues, hasNulls, range })
    }
    row += rowCount
  })
  return found
}

function boundsOf(chunk: ColumnChunk | undefined): KeyRange | null {
  const { min = null, max = null } = chunk ?? {}
  return typeof min === 'bigint' && typeof max === 'bigint' ? { low: min, high: max } : null
}

/** Ascending and apart, at most `count`; null if a bound is not known. */
function merged(bounds: readonly (KeyRange | null)[], count: number): readonly KeyRange[] | null {
  const known = bounds.filter(range => range !== null)
  if (known.length < bounds.length) return null
  const ranges: KeyRange[] = []
  for (const range of known.sort((a, b) => a.low < b.low ? -1 : a.low > b.low ? 1 : 0)) {
    const last = ranges.at(-1)
    if (last === undefined || range.low > last.high + 1n) ranges.push(range)
    else ranges[ranges.length - 1] = { low: last.low, high: range.high > last.high ? range.high : last.high }
  }
  return fewer(ranges, count)
}

/** Without the gaps that are small. */
function apart(ranges: readonly KeyRange[]): readonly KeyRange[] {
  const span = Number((ranges.at(-1)?.high ?? 0n) - (ranges[0]?.low ?? 0n))
  return ranges.reduce<KeyRange[]>((joined, range) => {
    const last = joined.at(-1)
    if (last === undefined || Number(range.low - last.high) > CLOSE_SHARE * span) return [...joined, range]
    return [...joined.slice(0, -1), { low: last.low, high: range.high }]
  }, [])
}

/** At most `count` ranges: the closest are joined. */
function fewer(ranges: readonly KeyRange[], count: number): readonly KeyRange[] {
  if (ranges.length <= count) return ranges
  const gaps = ranges.slice(1).map((range, i) => range.low - (ranges[i]?.high ?? range.low))
  const widest = new Set(gaps.map((gap, i) => ({ gap, i })).sort((a, b) => a.gap > b.gap ? -1 : 1)
    .slice(0, count - 1).map(({ i }) => i))
  return ranges.reduce<KeyRange[]>((joined, range, i) => {
    const last = joined.at(-1)
    if (last === undefined || widest.has(i - 1)) return [...joined, range]
    return [...joined.slice(0, -1), { low: last.low, high: range.high }]
  }, [])
}

function width(ranges: readonly KeyRange[]): number {
  return ranges.reduce((sum, { low, high }) => sum + Number(high - low + 1n), 0)
}
