/**
 * Filters of a plan as filters that files are pruned by: comparisons of a column with a constant of its own type, and
 * what AND, OR, BETWEEN, IN and IS NULL make of them. Everything else says nothing about files; under AND it is left
 * out, under OR the whole OR is.
 */

import type { StatValue } from '../cache/statistics.ts'
import { type PruneFilter, type PruneOp, type PrunedFile, pruneFiles } from '../catalog/prune.ts'
import type { Table } from '../catalog/table.ts'
import type { ComparisonOp, Constant, Expression } from '../planner/expression.ts'
import { type DuckType, sameType } from '../proto/types.ts'

/** The files and row groups of `table` that may hold rows satisfying all of `filters`, over its columns by position. */
export function pruneTable(
  table: Table, filters: readonly Expression[], columns?: readonly number[],
): PrunedFile[] {
  return pruneFiles(table, pruneFilters(filters), columns)
}

export function pruneFilters(filters: readonly Expression[]): PruneFilter[] {
  return filters.flatMap(filter => pruneFilter(filter) ?? [])
}

/** Null: nothing is known of the rows that satisfy it. */
export function pruneFilter(filter: Expression): PruneFilter | null {
  switch (filter.kind) {
    case 'Comparison': return comparison(filter.op, filter.left, filter.right)
    case 'Conjunction': {
      const children = filter.children.map(pruneFilter)
      const known = children.filter(child => child !== null)
      if (filter.op === 'OR') return known.length === children.length ? { kind: 'or', filters: known } : null
      return known.length === 0 ? null : { kind: 'and', filters: known }
    }
    case 'Between': {
      const { input, lower, upper, lowerInclusive, upperInclusive } = filter
      const ends = [
        comparison(lowerInclusive ? '>=' : '>', input, lower), comparison(upperInclusive ? '<=' : '<', input, upper),
      ].filter(end => end !== null)
      return ends.length === 0 ? null : { kind: 'and', filters: ends }
    }
    case 'Operator': {
      const [first, ...rest] = filter.children
      if (first?.kind !== 'ColumnRef') return null
      switch (filter.op) {
        case 'IS NULL': return { kind: 'is-null', column: first.index }
        case 'IS NOT NULL': return { kind: 'is-not-null', column: first.index }
        case 'IN': return membership(first.index, first.type, rest)
        default: return null
      }
    }
    default: return null
  }
}

/** How `value op column` reads as `column op value`. */
const flipped: Readonly<Record<PruneOp, PruneOp>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

function comparison(op: ComparisonOp, left: Expression, right: Expression): PruneFilter | null {
  if (left.kind === 'Constant' && right.kind === 'ColumnRef') return comparison(flip(op), right, left)
  if (left.kind !== 'ColumnRef' || right.kind !== 'Constant' || !sameType(left.type, right.type)) return null
  const { index: column } = left
  if (op === 'IS NOT DISTINCT FROM' && right.value.kind === 'null') return { kind: 'is-null', column }
  const value = statValue(right)
  if (value === null) return null
  switch (op) {
    case '=': case '<': case '<=': case '>': case '>=': return { kind: 'compare', column, op, value }
    case 'IS NOT DISTINCT FROM': return { kind: 'compare', column, op: '=', value }
    default: return null
  }
}

function flip(op: ComparisonOp): ComparisonOp {
  return op in flipped ? flipped[op as PruneOp] : op // `in` has just said that it is one
}

/** NULL in the list is never the one that is equal. */
function membership(column: number, type: DuckType, list: readonly Expression[]): PruneFilter | null {
  const values: StatValue[] = []
  for (const item of list) {
    if (item.kind !== 'Constant' || !sameType(item.type, type)) return null
    if (item.value.kind === 'null') continue
    const value = statValue(item)
    if (value === null) return null
    values.push(value)
  }
  return { kind: 'in', column, values }
}

/** As a column chunk's bounds are; null if its type has none that compare. */
function statValue({ value, type }: Constant): StatValue | null {
  switch (value.kind) {
    case 'boolean': return value.value
    case 'integer': return value.value
    case 'decimal': return value.unscaled
    case 'text': return type.kind === 'scalar' && type.name === 'VARCHAR' ? value.value : null
    case 'date': return BigInt(value.days)
    case 'timestamp': return value.count
    case 'float': {
      const number = Number(value.text.replace(/^(-?)inf$/, '$1Infinity'))
      if (Number.isNaN(number)) return null
      return type.kind === 'scalar' && type.name === 'FLOAT' ? Math.fround(number) : number
    }
    default: return null
  }
}
