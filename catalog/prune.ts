/**
 * Which files and row groups of a table can hold rows that satisfy a filter: by the Hive keys of their paths, then by
 * the minimum, maximum and null count of their row groups. Pure, and conservative: what is not known is kept.
 */

import { type StatValue, compareStats } from '../cache/statistics.ts'
import { unreachable } from '../proto/errors.ts'
import { hiveStat } from './hive-types.ts'
import type { DataFile, Table } from './table.ts'

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
}

/** Files in the table's order; all of `filters` must hold. `columns`: positions whose bytes count, default all. */
export function pruneFiles(
  table: Table, filters: readonly PruneFilter[], columns: readonly number[] = table.columns.map((_, i) => i),
): PrunedFile[] {
  const all: PruneFilter = { kind: 'and', filters }
  const keys = hiveColumns(table)
  return table.files.flatMap(file => {
    const path = pathBounds(table, file, keys)
    if (table.format !== 'parquet') {
      const kept = mayHold(all, 1, column => path.get(column))
      return kept ? [{ file, rowGroups: [], rowCount: file.rowCount, sizeBytes: file.file.sizeBytes }] : []
    }
    const rowGroups: number[] = []
    let rowCount = 0
    let sizeBytes = 0
    file.rowGroups.forEach((group, i) => {
      if (group.rowCount === 0) return
      if (!mayHold(all, group.rowCount, column => path.get(column) ?? group.columns[column])) return
      rowGroups.push(i)
      rowCount += group.rowCount
      sizeBytes += columns.reduce((sum, column) => sum + (group.columns[column]?.sizeBytes ?? 0), 0)
    })
    return rowGroups.length === 0 ? [] : [{ file, rowGroups, rowCount, sizeBytes }]
  })
}

/** What is known of a column in some rows. */
interface Bounds {
  readonly min: StatValue | null
  readonly max: StatValue | null
  readonly nullCount: number | 'all' | null
}

type BoundsOf = (column: number) => Bounds | undefined

function mayHold(filter: PruneFilter, rowCount: number, boundsOf: BoundsOf): boolean {
  switch (filter.kind) {
    case 'and': return filter.filters.every(child => mayHold(child, rowCount, boundsOf))
    case 'or': return filter.filters.some(child => mayHold(child, rowCount, boundsOf))
    default: break
  }
  const bounds = boundsOf(filter.column)
  if (bounds === undefined) return true
  const allNull = bounds.nullCount === 'all' || bounds.nullCount === rowCount
  switch (filter.kind) {
    case 'is-null': return bounds.nullCount !== 0
    case 'is-not-null': return !allNull
    case 'compare': return !allNull && mayCompare(filter.op, filter.value, bounds)
    case 'in': return !allNull && filter.values.some(value => mayCompare('=', value, bounds))
    default: return unreachable(filter)
  }
}

/** A value that cannot be compared with a bound is not known to be beyond it. */
function mayCompare(op: PruneOp, value: StatValue, { min, max }: Bounds): boolean {
  const low = min === null ? undefined : compareStats(min, value)
  const high = max === null ? undefined : compareStats(max, value)
  switch (op) {
    case '=': return !(low !== undefined && low > 0) && !(high !== undefined && high < 0)
    case '<': return !(low !== undefined && low >= 0)
    case '<=': return !(low !== undefined && low > 0)
    // NaN is greater than every number and in no maximum
    case '>': return typeof value === 'number' || !(high !== undefined && high <= 0)
    case '>=': return typeof value === 'number' || !(high !== undefined && high < 0)
    default: return unreachable(op)
  }
}

/** Position in `hiveValues` by position of the column. */
function hiveColumns({ columns, hiveKeys }: Table): ReadonlyMap<number, number> {
  const keys = new Map(hiveKeys.map((key, i) => [key.toLowerCase(), i]))
  return new Map(columns.flatMap((column, position) => {
    const key = keys.get(column.name.toLowerCase())
    return key === undefined ? [] : [[position, key] as const]
  }))
}

/** Of one file all rows have one value; an uncertain one bounds nothing. */
function pathBounds(table: Table, file: DataFile, keys: ReadonlyMap<number, number>): ReadonlyMap<number, Bounds> {
  return new Map([...keys].map(([column, key]) => {
    const text = file.hiveValues[key] ?? null
    const value = text === null ? null : hiveStat(text, table.columns[column]?.type ?? '')
    return [column, { min: value, max: value, nullCount: text === null ? 'all' : 0 }]
  }))
}
