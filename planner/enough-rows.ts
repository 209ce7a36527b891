/**
 * What a LIMIT without an order leaves unread where nobody knows how many rows of a table it takes, because there is a
 * filter or a join in between: the table is read in steps, until there are so many rows of the fragment.
 *
 * A scan may be, if the fragment gives no row of its beginning that it does not give of all of it. It is streamed then;
 * whatever else the fragment reads is read whole:
 *
 *   Filter, Project, Unnest, Lateral    of the input
 *   Join                                of the side whose rows decide what comes out (see join-sides.ts)
 *   Join INNER, CrossProduct            of either side, but not of both: too few rows of two beginnings would meet
 *   UNION ALL                           of every input
 *   what looks at rows together         of none
 *
 * To find out whether a beginning is enough the fragment runs, and then once more for its rows: so all of it has to
 * give the same rows each time. A LIMIT inside it may not, nor may floats that are summed in another order.
 *
 * Where the sides of a join are hashed to meet, the stages before it make all of both. So under a LIMIT one of them is
 * copied, however large it is (see cut/join.ts).
 */

import type { DuckType } from '../proto/types.ts'
import { typeOf } from './cut/expressions.ts'
import { LEFT_COPIES, RIGHT_COPIES } from './cut/join-sides.ts'
import type { Expression } from './expression.ts'
import { dependsOnOrder, isVolatile } from './order-sensitivity.ts'
import { inputs, type Join, type Plan, type Scan } from './plan.ts'

/** Of scans, by what stands for them. */
export type Streamed<S> =
  | { readonly kind: 'scan'; readonly scan: S }
  /** All of them at a time, or some. */
  | { readonly kind: 'every'; readonly of: readonly Streamed<S>[] }
  /** One of them at a time. */
  | { readonly kind: 'either'; readonly of: readonly Streamed<S>[] }

export interface Enough<S> {
  readonly rows: number
  readonly streamed: Streamed<S>
}

/** The same by what else stands for the scans. */
export function mapStreamed<S, T>(streamed: Streamed<S>, of: (scan: S) => T): Streamed<T> {
  return streamed.kind === 'scan' ? { kind: 'scan', scan: of(streamed.scan) }
    : { kind: streamed.kind, of: streamed.of.map(one => mapStreamed(one, of)) }
}

/** null: the fragment needs all rows of its scans. */
export function enoughRows(root: Plan, volatileFunctions: ReadonlySet<string>): Enough<Scan> | null {
  if (root.kind === 'Project') return enoughRows(root.input, volatileFunctions)
  if (root.kind !== 'Limit' || root.limit?.kind !== 'rows' || root.limit.value === 0) return null
  if (!isRepeatable(root.input, volatileFunctions)) return null
  const streamed = streamedIn(root.input, standingOnce(root.input))
  return streamed === null ? null : { rows: root.limit.value, streamed }
}

/** True of a side of a join of which a task can read the beginning, as long as no row of it moves. */
export function mayStream(side: Plan, volatileFunctions: ReadonlySet<string>): boolean {
  return isRepeatable(side, volatileFunctions) && streamedIn(side, standingOnce(side)) !== null
}

/** A LIMIT takes no more than this part of the rows that are estimated: of a larger one no beginning may be enough. */
const FEW_ROWS = 1 / 8

/** Joins of whose rows a LIMIT takes the first few that come, in a plan without exchanges. */
export function joinsUnderLimits(root: Plan): ReadonlySet<Plan> {
  const found = new Set<Plan>()
  const visit = (plan: Plan, isLimited: boolean): void => {
    if (plan.kind === 'Join' && isLimited) found.add(plan)
    const streams = plan.kind === 'Limit' ? [plan.input] : streamedInputs(plan)
    const isBelow = plan.kind === 'Limit' ? takesFew(plan) : isLimited
    for (const input of inputs(plan)) visit(input, isBelow && streams.includes(input))
  }
  visit(root, false)
  return found
}

function takesFew({ limit, offset, input }: Extract<Plan, { kind: 'Limit' }>): boolean {
  return limit?.kind === 'rows' && limit.value > 0 && limit.value + offset <= FEW_ROWS * input.rows
}

/** Of a scan that is read in two places nothing is left out. */
function standingOnce(plan: Plan): ReadonlySet<Scan> {
  const [once, more] = [new Set<Scan>(), new Set<Scan>()]
  const visit = (below: Plan): void => {
    if (below.kind === 'Scan') (once.has(below) ? more : once).add(below)
    if (below.kind !== 'Exchange') inputs(below).forEach(visit)
  }
  visit(plan)
  for (const scan of more) once.delete(scan)
  return once
}

function streamedIn(plan: Plan, scans: ReadonlySet<Scan>): Streamed<Scan> | null {
  if (plan.kind === 'Scan') return scans.has(plan) ? { kind: 'scan', scan: plan } : null
  const of = streamedInputs(plan).flatMap(input => streamedIn(input, scans) ?? [])
  return combined(plan.kind === 'SetOperation' ? 'every' : 'either', of)
}

/** Of an operator, those that give it no row of their beginnings that they do not give of all they have. */
function streamedInputs(plan: Plan): readonly Plan[] {
  switch (plan.kind) {
    case 'Filter': case 'Project': case 'Unnest': case 'Lateral': return [plan.input]
    case 'Cte': return [plan.query]
    case 'Join': return decidingSides(plan)
    case 'CrossProduct': return [plan.left, plan.right]
    case 'SetOperation': return isConcatenation(plan) ? plan.inputs : []
    default: return []
  }
}

function combined<S>(kind: 'every' | 'either', of: readonly Streamed<S>[]): Streamed<S> | null {
  const [first, ...more] = of
  return first === undefined ? null : more.length === 0 ? first : { kind, of }
}

function decidingSides({ type, left, right }: Join): readonly Plan[] {
  return [...RIGHT_COPIES.has(type) ? [left] : [], ...LEFT_COPIES.has(type) ? [right] : []]
}

function isConcatenation(plan: Plan): boolean {
  return plan.kind === 'SetOperation' && plan.op === 'UNION' && plan.all
}

/** True if it is sure to give the same rows of the same rows, in whatever order they come. */
function isRepeatable(plan: Plan, volatileFunctions: ReadonlySet<string>): boolean {
  if (plan.kind === 'Exchange') return true // what has been written stays
  return isSettled(plan) && !isVolatile(plan, volatileFunctions)
    && inputs(plan).every(input => isRepeatable(input, volatileFunctions))
}

/** Of one operator. An ASOF JOIN gives rows whose left value is NULL a partner or none by how many rows there are. */
function isSettled(plan: Plan): boolean {
  switch (plan.kind) {
    case 'Scan': case 'TableFunction': case 'OneRow': case 'Empty': case 'Values': case 'Project': case 'Filter':
    case 'Lateral': case 'Unnest': case 'CrossProduct': case 'Sort': case 'Cte': case 'CteScan': return true
    case 'Join': return !plan.asof
    case 'SetOperation': return isConcatenation(plan)
    case 'Distinct': return !dependsOnOrder(plan) && plan.targets.every(isExact)
    case 'Aggregate':
      return !dependsOnOrder(plan) && [...plan.groups, ...plan.calls.flatMap(argumentsOf)].every(isExact)
    default: return false
  }
}

function argumentsOf(call: Expression): readonly Expression[] {
  return call.kind === 'AggregateCall' ? call.children : []
}

/** Values that are equal are the same, and sums of them do not depend on their order. */
function isExact(expression: Expression): boolean {
  return isExactType(typeOf(expression))
}

const EXACT: ReadonlySet<string> = new Set([
  'BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT',
  'UHUGEINT', 'VARCHAR', 'BLOB', 'UUID', 'DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS',
  'TIMESTAMP WITH TIME ZONE',
])

function isExactType(type: DuckType): boolean {
  switch (type.kind) {
    case 'scalar': return EXACT.has(type.name)
    case 'decimal': case 'enum': return true
    case 'list': case 'array': case 'map': case 'struct': case 'union': return false
  }
}
