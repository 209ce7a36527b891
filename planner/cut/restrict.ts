/**
 * What a task need not read of the relations that every task of its fragment reads whole. Of a table in splits each
 * task has a part; where another relation is joined to it by an equality, and gives rows only beside rows of it, the
 * task needs of that relation no key that its own part cannot have:
 *
 *   Join INNER l0 = r0 > (… Scan a, split), (… Scan b, repeated, or Exchange broadcast)
 *
 * The planner says which column bounds which; the bounds are the coordinator's, from the footers of each task's splits.
 * It pays where tables lie in the order of their keys, as they do when they were written as they came.
 */

import { sameType, type DuckType } from '../../proto/types.ts'
import type { Exchange, Join, JoinCondition, Plan, Scan } from '../plan.ts'
import { inputs } from '../plan.ts'
import type { Expression } from '../expression.ts'
import type { TableTypes } from './columns.ts'
import { partOf, WHOLE, type Part } from './cost.ts'
import { columnOf, typeOf } from './expressions.ts'
import { LEFT_COPIES, RIGHT_COPIES } from './join-sides.ts'
import { delimSources, originOf, type DelimSources, type Origin } from './origin.ts'
import type { CutContext, Spread } from './spread.ts'

/** Their column chunks have bounds that compare as 64-bit integers. */
const KEY_TYPES: ReadonlySet<string> = new Set([
  'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER',
])

/** Rows of `relation` whose column is outside of what a task's part of `by` holds in its column change nothing. */
export interface Restriction {
  readonly relation: Scan | Exchange
  readonly column: number
  readonly by: Scan
  readonly byColumn: number
}

export interface RestrictOptions {
  readonly tableTypes: TableTypes
  /** Of a relation of at most so many estimated rows everything is read: there is little to save. */
  readonly smallRows: number
  readonly isSplit: (scan: Scan) => boolean
  /** Of the relation of the SQL text that it reads. */
  readonly nameOf: (relation: Scan | Exchange) => string
}

/**
 * Of the root of a fragment whose tasks are made of splits, so that all of them read all that is written for it. None
 * of a relation that is read in more than one place.
 */
export function restrictions(root: Plan, options: RestrictOptions): readonly Restriction[] {
  const places = new Map<string, number>()
  const joins: Join[] = []
  const walk = (plan: Plan): void => {
    if (plan.kind === 'Scan' || plan.kind === 'Exchange') {
      const name = options.nameOf(plan)
      places.set(name, (places.get(name) ?? 0) + 1)
    }
    if (plan.kind === 'Join') joins.push(plan)
    if (plan.kind !== 'Exchange') inputs(plan).forEach(walk)
  }
  walk(root)
  const inside = { ...options, delims: delimSources(root) }
  const pairs = joins.flatMap(join => join.conditions.flatMap(condition => ofCondition(join, condition, inside)))
    .filter(({ relation }) => places.get(options.nameOf(relation)) === 1)
  return followed(pairs, options)
}

/** A relation that is restricted restricts others: what it leaves out they have no partner for. */
function followed(pairs: readonly Pair[], { isSplit }: RestrictOptions): readonly Restriction[] {
  const found: Restriction[] = []
  const add = (pair: Pair, by: Scan, byColumn: number): boolean => {
    const { relation, column } = pair
    const isKnown = found.some(one => one.relation === relation && one.column === column && one.by === by
      && one.byColumn === byColumn)
    if (!isKnown) found.push({ relation, column, by, byColumn })
    return !isKnown
  }
  for (const pair of pairs) if (pair.by.kind === 'Scan' && isSplit(pair.by)) add(pair, pair.by, pair.byColumn)
  for (let isMore = true; isMore;) {
    isMore = false
    for (const pair of pairs) {
      for (const { by, byColumn } of found.filter(one => one.relation === pair.by && one.column === pair.byColumn)) {
        isMore = add(pair, by, byColumn) || isMore
      }
    }
  }
  return found
}

/** What may be left out of `relation` follows from what is left out of `by`, if it is not in splits itself. */
interface Pair extends Omit<Restriction, 'by'> { readonly by: Scan | Exchange }

interface Inside extends RestrictOptions { readonly delims: DelimSources }

function ofCondition(join: Join, condition: JoinCondition, options: Inside): Pair[] {
  const origins = keyOrigins(join, condition, options)
  if (origins === null) return []
  const { left, right } = origins
  return [
    ...isNeededInPart(join, 'right') ? pair(right, left, options) : [],
    ...isNeededInPart(join, 'left') ? pair(left, right, options) : [],
  ]
}

function pair(to: Origin, by: Origin, options: RestrictOptions): Pair[] {
  const isSplit = to.relation.kind === 'Scan' && options.isSplit(to.relation)
  if (isSplit || to.isShared || to.relation.rows <= options.smallRows) return []
  return [{ relation: to.relation, column: to.column, by: by.relation, byColumn: by.column }]
}

interface Origins { readonly left: Origin; readonly right: Origin }

/** What a condition finds equal, if both are integer columns of relations. */
function keyOrigins(
  join: Join, { left, op, right }: JoinCondition, { tableTypes, delims }: Pick<CutContext, 'tableTypes' | 'delims'>,
): Origins | null {
  if (op !== '=' || join.asof || !isKey(typeOf(left)) || !sameType(typeOf(left), typeOf(right))) return null
  const [l, r] = [columnOf(left), columnOf(right)]
  const from = l === null ? null : originOf(join.left, l, tableTypes, delims)
  const to = r === null ? null : originOf(join.right, r, tableTypes, delims)
  return from === null || to === null ? null : { left: from, right: to }
}

/** Rows of the side that meet none of the other change nothing. MARK tells FALSE from NULL by all of them. */
function isNeededInPart({ type }: Join, side: 'left' | 'right'): boolean {
  return side === 'left' ? LEFT_COPIES.has(type) : RIGHT_COPIES.has(type) && type !== 'MARK'
}

export function isKey(type: DuckType): boolean {
  return type.kind === 'scalar' && KEY_TYPES.has(type.name)
}

export interface NeededParts { readonly left: Part; readonly right: Part }

/**
 * How much of each side a task needs if it is copied: a part, where it lies in the order of its keys, and the other
 * side does too, or lies apart by them.
 */
export function neededParts(
  join: Join, spreads: readonly [left: Spread, right: Spread], context: CutContext,
): NeededParts {
  for (const condition of join.conditions) {
    const origins = keyOrigins(join, condition, context)
    if (origins === null) continue
    const [left, right] = [orderedScan(origins.left, context), orderedScan(origins.right, context)]
    const isNarrow = (scan: Scan | null, spread: Spread, key: Expression): boolean =>
      scan !== null || isDividedBy(spread, key)
    if (!isNarrow(left, spreads[0], condition.left) || !isNarrow(right, spreads[1], condition.right)) continue
    const part = (scan: Scan | null, { isShared }: Origin, side: 'left' | 'right'): Part =>
      scan !== null && !isShared && isNeededInPart(join, side) ? partOf(scan, context) : WHOLE
    return { left: part(left, origins.left, 'left'), right: part(right, origins.right, 'right') }
  }
  return { left: WHOLE, right: WHOLE }
}

function isDividedBy(spread: Spread, key: Expression): boolean {
  const position = columnOf(key)
  return spread.kind === 'apart' && spread.of !== null && position !== null
    && spread.by.some(columns => columns.includes(position))
}

function orderedScan({ relation, column }: Origin, { isSplit, tableOrdered }: CutContext): Scan | null {
  if (relation.kind !== 'Scan' || isSplit[relation.table] !== true) return null
  return tableOrdered[relation.table]?.[column] === true ? relation : null
}
