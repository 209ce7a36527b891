/**
 * Which files and row groups of a table can hold rows that satisfy a filter: by the Hive keys of their paths, then by
 * the minimum, maximum and null count of their row groups, and by their Bloom filters as far as those are at hand.
 * Conservative: what is not known is kept. A filter is asked of all row groups at once, column by column.
 */

import { type BloomFilter, valueHashes } from '../cache/bloom-filter.ts'

import { type StatValue, compareStats, hasSurrogate } from '../cache/statistics.ts'
import { unreachable } from '../proto/errors.ts'
import { type BoundColumn, FileIndex } from './file-index.ts'
import { hiveStat } from './hive-types.ts'
import { filenameOf, type DataFile, type Table } from './table.ts'

/** Columns are positions in the table; values are of the column's type and never NULL. */
export type PruneFilter =
  | { readonly kind: 'compare'; readonly column: number; readonly op: PruneOp; readonly value: StatValue }
  | { readonly kind: 'in'; readonly column: number; readonly values: readonly StatValue[] }
  | { readonly kind: 'is-null' | 'is-not-null'; readonly column: number }
  | { readonly kind: 'and' | 'or'; readonly filters: readonly PruneFilter[] }

export type PruneOp = '=' | '<' | '<=' | '>' | '>='

export interface PrunedFile {
  readonly file: DataFile
  /** Positions in `file.rowGroups`, ascending; empty for files that have none (CSV, JSON). */
  readonly rowGroups: readonly number[]
  /** Rows of those row groups, or of the file. */
  readonly rowCount: number
  /** Bytes of the chosen columns in them; of CSV and JSON, of the whole file. */
  readonly sizeBytes: number
  /** Of the file, in the table. */
  readonly position: number
}

/** The Bloom filter of a row group, counted over the table, and a column by its position; undefined: not at hand. */
export type FiltersAtHand = (group: number, column: number) => BloomFilter | undefined

/** Files in the table's order; all of `filters` must hold. `columns`: positions whose bytes count, default all. */
export function pruneFiles(
  table: Table, filters: readonly PruneFilter[], columns: readonly number[] = table.columns.map((_, i) => i),
  atHand?: FiltersAtHand,
): PrunedFile[] {
  const index = indexOf(table)
  const mask = filters.length === 0 ? null : new Masks(table, index, atHand).of({ kind: 'and', filters })
  const isParquet = table.format === 'parquet'
  const kept: PrunedFile[] = []
  for (let position = 0; position < index.fileCount; position++) {
    const [from, to] = index.range(position)
    let some: number[] | null = null
    let rowCount = 0
    let sizeBytes = 0
    for (let group = from; group < to; group++) {
      const rows = index.rowCounts[group] ?? 0
      if (mask?.[group] === 0 || (isParquet && rows === 0)) continue
      if (some === null) some = [group - from]
      else some.push(group - from)
      rowCount += rows
      sizeBytes += index.sizeBytes(group, columns)
    }
    const rowGroups = some?.length === to - from ? allGroups(to - from) : some
    const file = table.files[position]
    if (rowGroups === null || file === undefined) continue
    kept.push(isParquet ? { file, rowGroups, rowCount, sizeBytes, position }
      : { file, rowGroups: [], rowCount, sizeBytes: file.file.sizeBytes, position })
  }
  return kept
}

/** One list for all files of so many row groups that keep all of them: most do. */
const all = new Map<number, readonly number[]>()

function allGroups(count: number): readonly number[] {
  const known = all.get(count) ?? Array.from({ length: count }, (_, i) => i)
  all.set(count, known)
  return known
}

/** Of tables that came without one. */
const made = new WeakMap<Table, FileIndex>()

export function indexOf(table: Table): FileIndex {
  if (table.index !== undefined) return table.index
  const known = made.get(table) ?? new FileIndex(table.files)
  made.set(table, known)
  return known
}

/** By row group: 1 if it may hold a row that satisfies the filter, else 0. */
type Mask = Uint8Array

class Masks {
  readonly #table: Table
  readonly #index: FileIndex
  readonly #atHand: FiltersAtHand | undefined
  /** Position in `hiveValues` by position of the column. */
  readonly #hive: ReadonlyMap<number, number>
  /** Position of the column that has the file's name; -1: there is none. */
  readonly #filename: number

  constructor(table: Table, index: FileIndex, atHand: FiltersAtHand | undefined) {
    this.#atHand = atHand
    const keys = new Map(table.hiveKeys.map((key, i) => [key.toLowerCase(), i]))
    this.#table = table
    this.#index = index
    this.#filename = table.columns.findIndex(({ name }) => name === table.filename?.column)
    this.#hive = new Map(table.columns.flatMap((column, position) => {
      const key = keys.get(column.name.toLowerCase())
      return key === undefined ? [] : [[position, key] as const]
    }))
  }

  of(filter: PruneFilter): Mask {
    switch (filter.kind) {
      case 'and': return this.#joined(filter.filters, 1)
      case 'or': return this.#joined(filter.filters, 0)
      default: break
    }
    if (filter.column === this.#filename) return this.#byPath(filter, file => filenameOf(this.#table, file))
    const key = this.#hive.get(filter.column)
    return key === undefined ? this.#byStatistics(filter)
      : this.#byPath(filter, ({ hiveValues }) => hiveValues[key] ?? null)
  }

  /** `neutral`: what a row group has if there is nothing to join; the other value decides alone. */
  #joined(filters: readonly PruneFilter[], neutral: 0 | 1): Mask {
    const mask = this.#all(neutral)
    for (const filter of filters) {
      this.of(filter).forEach((value, group) => { if (value !== neutral) mask[group] = value })
    }
    return mask
  }

  #all(value: 0 | 1): Mask {
    return new Uint8Array(this.#index.groupCount).fill(value)
  }

  #byStatistics(filter: ColumnFilter): Mask {
    const column = this.#index.columns[filter.column]
    if (column === undefined) return this.#all(1)
    const { rowCounts } = this.#index
    const { nullCounts, min, max } = column
    const mask = this.#all(1)
    // NaN, not known, is neither 0 nor the number of rows
    const onlyNull = (group: number): boolean => nullCounts[group] === rowCounts[group]
    switch (filter.kind) {
      case 'is-null': return mask.map((_, group) => nullCounts[group] === 0 ? 0 : 1)
      case 'is-not-null': return mask.map((_, group) => onlyNull(group) ? 0 : 1)
      case 'compare': {
        const test = mayCompare(filter.op, filter.value, min, max)
        const isThere = filter.op === '=' ? this.#mayHold(filter.column, filter.value) : always
        return keep(mask, onlyNull, group => test(group) && isThere(group))
      }
      case 'in': {
        const tests = filter.values.map(value => ({
          test: mayCompare('=', value, min, max), isThere: this.#mayHold(filter.column, value),
        }))
        return keep(mask, onlyNull, group => tests.some(({ test, isThere }) => test(group) && isThere(group)))
      }
      default: return unreachable(filter)
    }
  }

  /** By the Bloom filters that are at hand. */
  #mayHold(column: number, value: StatValue): Test {
    const atHand = this.#atHand
    const filters = this.#index.columns[column]?.filters ?? null
    if (atHand === undefined || filters === null) return always
    const hashes = filters.kinds.map(as => valueHashes(value, as))
    return group => {
      const own = hashes[filters.kindOf[group] ?? 0] ?? null
      const filter = own === null ? undefined : atHand(group, column)
      return own === null || filter === undefined || own.some(hash => filter.mayHold(hash))
    }
  }

  /** All rows of a file have one value; an uncertain one bounds nothing. */
  #byPath(filter: ColumnFilter, valueOf: (file: DataFile) => string | null): Mask {
    const { files, columns } = this.#table
    const mask = this.#all(1)
    const type = columns[filter.column]?.type ?? ''
    const known = new Map<string | null, boolean>()
    files.forEach((file, position) => {
      const text = valueOf(file)
      const holds = known.get(text) ?? pathMayHold(filter, text, type)
      known.set(text, holds)
      if (!holds) mask.fill(0, ...this.#index.range(position))
    })
    return mask
  }
}

type ColumnFilter = Exclude<PruneFilter, { readonly kind: 'and' | 'or' }>
type Test = (group: number) => boolean

const always: Test = () => true

function keep(mask: Mask, onlyNull: Test, mayHold: Test): Mask {
  return mask.map((_, group) => !onlyNull(group) && mayHold(group) ? 1 : 0)
}

function pathMayHold(filter: ColumnFilter, text: string | null, type: string): boolean {
  if (text === null) return filter.kind === 'is-null'
  const value = hiveStat(text, type)
  const only: BoundColumn = value === null ? { kind: 'unknown' } : { kind: 'values', values: [value] }
  switch (filter.kind) {
    case 'is-null': return false
    case 'is-not-null': return true
    case 'compare': return mayCompare(filter.op, filter.value, only, only)(0)
    case 'in': return filter.values.some(of => mayCompare('=', of, only, only)(0))
    default: return unreachable(filter)
  }
}

function mayCompare(op: PruneOp, value: StatValue, min: BoundColumn, max: BoundColumn): Test {
  const low = signOf(min, value)
  const high = signOf(max, value)
  switch (op) {
    case '=': return group => !(low(group) > 0) && !(high(group) < 0)
    case '<': return group => !(low(group) >= 0)
    case '<=': return group => !(low(group) > 0)
    // NaN is greater than every number and in no maximum
    case '>': return typeof value === 'number' ? () => true : group => !(high(group) <= 0)
    case '>=': return typeof value === 'number' ? () => true : group => !(high(group) < 0)
    default: return unreachable(op)
  }
}

/** How a bound compares with the value: below 0, 0, above; NaN if it is not known, which no test above holds for. */
function signOf(bound: BoundColumn, value: StatValue): (group: number) => number {
  if (bound.kind === 'unknown') return () => NaN
  if (bound.kind === 'numbers') {
    if (typeof value !== bound.of) return () => NaN
    const { values } = bound
    // bounds are exact; beyond what is exact the value is beyond all of them, and rounding keeps it there
    const number = Number(value)
    return group => (values[group] ?? NaN) - number
  }
  if (bound.kind === 'texts' && typeof value === 'string' && !hasSurrogate(value)) {
    const { values } = bound
    return group => {
      const known = values[group] ?? null
      return known === null ? NaN : known === value ? 0 : known < value ? -1 : 1
    }
  }
  const { values } = bound
  return group => {
    const known = values[group] ?? null
    return known === null ? NaN : compareStats(known, value) ?? NaN
  }
}
