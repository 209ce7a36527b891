/**
 * How the rows of a plan are spread over tasks, and the three exchanges that spread them otherwise.
 *
 *   single   one task has all rows
 *   copied   every task can make all rows by itself, without an exchange
 *   apart    each task has some of the rows; rows that are equal in the keys `by` are in one task: they were hashed, or
 *            the splits of their table can be divided so. Who relies on the latter says so in the plan: see `inPlace`
 *
 *   gather     apart          > single     reads all of an exchange that other readers need as it is
 *   broadcast  apart, single  > copied
 *   hash       all of them    > apart, by its keys; of a copied plan one task alone writes
 *
 * `by` is ordered: hash(a, b) and hash(b, a) lead to other tasks. Each key is a list of columns that hold it, more than
 * one after a join on it. An empty `by` promises nothing.
 */

import type { DuckType } from '../../proto/types.ts'
import type { Expression } from '../expression.ts'
import type { Exchange, Partitioning, Plan, Project } from '../plan.ts'
import type { PlanThresholds } from '../planned-query.ts'
import type { DelimSources } from './origin.ts'
import { columnOf, typeOf } from './expressions.ts'

export type Spread =
  | { readonly kind: 'single' }
  | { readonly kind: 'copied' }
  | { readonly kind: 'apart'; readonly by: readonly Key[]; readonly of: Division | null }

/** By whose values rows are apart. */
export interface Division {
  /** Scan.division */
  readonly scan: number
  /** Of its table. */
  readonly column: number
}

/** Columns that are equal in every row. */
export type Key = readonly number[]

export interface Placed {
  readonly plan: Plan
  readonly spread: Spread
}

/** What the rules know besides their operator. */
export interface CutContext {
  /** Types of the columns of each table of the query. */
  readonly tableTypes: readonly (readonly DuckType[])[]
  readonly tableRows: readonly number[]
  /** By table, by column: how many different values, of columns that have a dictionary; null or absent: not known. */
  readonly tableDistinct: readonly (readonly (number | null)[])[]
  /** By table, by column: whether rows lie nearly in order of it; absent: not known. */
  readonly tableOrdered: readonly (readonly boolean[])[]
  /** By table, by column: whether its splits can be divided by it; absent: not known. */
  readonly tableDivided: readonly (readonly boolean[])[]
  /** What the DelimScans around have the keys of, where those are in the same fragment. */
  readonly delims: DelimSources
  /** Joins of whose rows a LIMIT takes the first few. */
  readonly limited: ReadonlySet<Plan>
  /** True for each table that is read in splits, false for those that every task reads whole. */
  readonly isSplit: readonly boolean[]
  readonly thresholds: PlanThresholds
  /** Names of the functions that may give another value at each call. */
  readonly volatileFunctions: ReadonlySet<string>
}

export const SINGLE: Spread = { kind: 'single' }
export const COPIED: Spread = { kind: 'copied' }

/** `of`: null if `by` were hashed. */
export function apart(by: readonly Key[] = [], of: Division | null = null): Spread {
  return { kind: 'apart', by, of: by.length === 0 ? null : of }
}

export function isApart({ spread }: Placed): boolean {
  return spread.kind === 'apart'
}

export function exchange(input: Plan, to: Partitioning, why: string, shared: number | null = null): Exchange {
  return { kind: 'Exchange', input, to, shared, reads: 'own', rows: input.rows, why }
}

/** All rows in one task; nothing to do where they are already, or can be made there. */
export function gather(placed: Placed, why: string): Placed {
  if (!isApart(placed)) return placed
  return { plan: readWhole(placed.plan) ?? exchange(placed.plan, { kind: 'gather' }, why), spread: SINGLE }
}

/** All rows for every task. */
export function broadcast(placed: Placed, why: string): Placed {
  if (placed.spread.kind === 'copied') return placed
  return { plan: readWhole(placed.plan) ?? exchange(placed.plan, { kind: 'broadcast' }, why), spread: COPIED }
}

/** What is written anyway, for readers of its parts, can be read whole; null if the plan is more than such a read. */
function readWhole(plan: Plan): Plan | null {
  if (plan.kind === 'Exchange') return plan.shared === null ? null : { ...plan, reads: 'all' }
  if (plan.kind !== 'Project' || !passesColumns(plan)) return null
  const input = readWhole(plan.input)
  return input === null ? null : { ...plan, input }
}

function passesColumns({ expressions }: Project): boolean {
  return expressions.every(expression => columnOf(expression) !== null)
}

/** Rows equal in `keys` to one task. Partitioning is known afterwards only if all keys are columns. */
export function hash({ plan }: Placed, keys: readonly Expression[], why: string): Placed {
  return { plan: exchange(plan, { kind: 'hash', keys }, why), spread: apart(keysOf(keys)) }
}

function keysOf(expressions: readonly Expression[]): readonly Key[] {
  const by = expressions.map(columnOf).flatMap(position => position === null ? [] : [[position]])
  return by.length === expressions.length ? by : []
}

/** The same plan, for an operator that relies on what its spread says of equal rows. */
export function inPlace({ plan, spread }: Placed): Plan {
  if (spread.kind !== 'apart' || spread.of === null) return plan
  const { scan, column } = spread.of
  return exchange(plan, { kind: 'stay', division: scan, column }, 'rows that are equal in it lie in one task')
}

export function isHashed({ spread }: Placed): boolean {
  return spread.kind === 'apart' && spread.of === null && spread.by.length > 0
}

/** True if rows that are equal in `columns` are in one task: then the operator reads its input `inPlace`. */
export function together(spread: Spread, columns: readonly (number | null)[]): boolean {
  if (spread.kind !== 'apart' || spread.by.length === 0) return false
  return spread.by.every(key => key.some(position => columns.includes(position)))
}

/** The spread after a step that puts input column `from[i]` (null: something else) at position i. */
export function renamed(spread: Spread, from: readonly (number | null)[]): Spread {
  if (spread.kind !== 'apart') return spread
  const by = spread.by.map(key => from.flatMap((position, i) => position !== null && key.includes(position) ? [i] : []))
  return apart(by.some(key => key.length === 0) ? [] : by, spread.of)
}

/**
 * True if hash() sends values that DuckDB holds equal to one task. FLOAT to JSON are known from tests; the others are
 * not, or, as UNION, cannot cross an exchange at all.
 */
export function isHashable(type: DuckType): boolean {
  switch (type.kind) {
    case 'scalar': return !UNHASHABLE.has(type.name)
    case 'decimal': case 'enum': return true
    case 'list': case 'array': return isHashable(type.child)
    case 'struct': return type.fields.every(field => isHashable(field.type))
    case 'map': return isHashable(type.key) && isHashable(type.value)
    case 'union': return false
  }
}

const UNHASHABLE: ReadonlySet<string> = new Set(['VARIANT', 'GEOMETRY'])

export function areHashable(keys: readonly Expression[]): boolean {
  return keys.length > 0 && keys.every(key => isHashable(typeOf(key)))
}
