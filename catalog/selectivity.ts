/**
 * What part of the rows of some row groups satisfies filters, estimated: values lie evenly between the least and the
 * greatest of their row group, and those of different columns have nothing to do with each other. Of several filters of
 * one column the strictest counts: DuckDB derives some from others. Decides only how something is done, never what
 * comes out.
 */

import type { StatValue } from '../cache/statistics.ts'
import { unreachable } from '../proto/errors.ts'
import type { PruneFilter } from './prune.ts'
import type { ColumnChunk, RowGroup, Table } from './table.ts'

/** What DuckDB takes for every filter of a file, and what is taken here where nothing is known. */
export const GUESSED_SELECTIVITY = 0.2

type Comparison = Extract<PruneFilter, { readonly kind: 'compare' }>

/** From 0 to 1; all of `filters` must hold. 1 of no rows. */
export function selectivity(
  filters: readonly PruneFilter[], groups: readonly RowGroup[], { distinctCounts }: Pick<Table, 'distinctCounts'>,
): number {
  let [rows, matching] = [0, 0]
  for (const group of groups) {
    rows += group.rowCount
    matching += group.rowCount * new GroupSelectivity(group, distinctCounts).every(filters)
  }
  return rows === 0 ? 1 : matching / rows
}

/** Of the values of one column, as numbers. */
interface Bounds {
  readonly min: number
  readonly max: number
  readonly areIntegers: boolean
}

class GroupSelectivity {
  readonly #group: RowGroup
  /** As Table.distinctCounts. */
  readonly #distinct: readonly (number | null)[]

  constructor(group: RowGroup, distinct: readonly (number | null)[]) {
    this.#group = group
    this.#distinct = distinct
  }

  every(filters: readonly PruneFilter[]): number {
    const flat = filters.flatMap(filter => filter.kind === 'and' ? filter.filters : [filter])
    const byColumn = new Map<number | null, PruneFilter[]>()
    for (const filter of flat) byColumn.set(columnOf(filter), [...byColumn.get(columnOf(filter)) ?? [], filter])
    let part = 1
    for (const [column, own] of byColumn) {
      const parts = own.map(filter => this.#one(filter))
      const bounds = own.filter(isBound)
      if (column === null) part *= parts.reduce((product, one) => product * one, 1)
      else part *= Math.min(...parts, bounds.length > 1 ? this.#range(column, bounds) : 1)
    }
    return part
  }

  #one(filter: PruneFilter): number {
    switch (filter.kind) {
      case 'and': return this.every(filter.filters)
      case 'or': return 1 - filter.filters.reduce((none, one) => none * (1 - this.#one(one)), 1)
      case 'compare': return filter.op === '=' ? this.#equal(filter.column, [filter.value])
        : this.#range(filter.column, [filter])
      case 'in': return this.#equal(filter.column, filter.values)
      case 'is-null': return this.#nulls(filter.column)
      case 'is-not-null': return 1 - this.#nulls(filter.column)
      default: return unreachable(filter)
    }
  }

  #nulls(column: number): number {
    const part = (this.#group.columns[column]?.nullCount ?? NaN) / this.#group.rowCount
    return part >= 0 && part <= 1 ? part : 0
  }

  /** To be one of these: of the different values of the column, or of the integers in between. */
  #equal(column: number, values: readonly StatValue[]): number {
    const bounds = boundsOf(this.#group.columns[column])
    const integers = bounds?.areIntegers === true ? bounds.max - bounds.min + 1 : null
    const distinct = this.#distinct[column] ?? integers
    const within = bounds === null ? values : values.filter(value => {
      const number = numberOf(value)
      return number === null || (number >= bounds.min && number <= bounds.max)
    })
    if (within.length === 0) return 0
    return distinct === null ? GUESSED_SELECTIVITY : Math.min(1, within.length / Math.max(1, distinct))
  }

  #range(column: number, comparisons: readonly Comparison[]): number {
    const bounds = boundsOf(this.#group.columns[column])
    if (bounds === null) return GUESSED_SELECTIVITY
    const { min, max, areIntegers } = bounds
    // an integer stands for itself up to the next one
    const one = areIntegers ? 1 : 0
    let [low, high] = [min, max + one]
    for (const { op, value } of comparisons) {
      const number = numberOf(value)
      if (number === null) return GUESSED_SELECTIVITY
      if (op === '>=') low = Math.max(low, number)
      else if (op === '>') low = Math.max(low, number + one)
      else if (op === '<') high = Math.min(high, number)
      else high = Math.min(high, number + one)
    }
    const width = max + one - min
    const part = width > 0 ? Math.max(0, high - low) / width : high >= low ? 1 : 0
    return part * (1 - this.#nulls(column))
  }
}

/** Null: not known, or no numbers. */
function boundsOf(chunk: ColumnChunk | undefined): Bounds | null {
  const { min = null, max = null } = chunk ?? {}
  const [least, greatest] = [min === null ? null : numberOf(min), max === null ? null : numberOf(max)]
  if (least === null || greatest === null || least > greatest) return null
  return { min: least, max: greatest, areIntegers: typeof min === 'bigint' }
}

/** The one column that it is about; null: several. */
function columnOf(filter: PruneFilter): number | null {
  switch (filter.kind) {
    case 'and': case 'or': {
      const [first = null, ...others] = filter.filters.map(columnOf)
      return others.every(column => column === first) ? first : null
    }
    case 'compare': case 'in': case 'is-null': case 'is-not-null': return filter.column
    default: return unreachable(filter)
  }
}

function isBound(filter: PruneFilter): filter is Comparison {
  return filter.kind === 'compare' && filter.op !== '='
}

function numberOf(value: StatValue): number | null {
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : null
}
