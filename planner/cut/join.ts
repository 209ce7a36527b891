/**
 * Where the exchanges of a join go, the first that fits:
 *
 *   no side is apart                              Join > l, r
 *   a side is copied and may be                   Join > l, r
 *   both are apart by matching keys               Join > l, r
 *   a side may be copied, and that is cheapest    Join > l, Exchange broadcast > r     (or left and right changed)
 *   or there is no equality to hash on            the same, whatever its size
 *   one side is apart by some of the keys         Join > l, Exchange hash > r          (or left and right changed)
 *   only one side is apart, and it is small       Join > Exchange gather > l, r
 *   there are equalities                          Join > Exchange hash > l, Exchange hash > r    (see key-filter.ts)
 *   otherwise                                     Join > Exchange gather > l, Exchange gather > r
 *
 * Under a LIMIT a side of any size is copied: of the other one a beginning is read then (see enough-rows.ts), while to
 * hash both all of both is. Of sides of 6 million rows each that takes a third of the CPU, and half if no rows meet.
 *
 * A copy of one side may be given to every task only if the rows of the other side decide what comes out: then no row
 * comes out of two tasks. The left side of ASOF is never copied: its best match is one among all right rows. MARK tells
 * FALSE from NULL by all rows of the right, so it is hashed on null-safe conditions (correlation) alone.
 */

import { sameType } from '../../proto/types.ts'
import { mayStream } from '../enough-rows.ts'
import type { Expression } from '../expression.ts'
import type { CrossProduct, Join, JoinCondition, JoinType, Plan } from '../plan.ts'
import { about } from './about.ts'
import { columnTypes } from './columns.ts'
import { copy, repeatableScans } from './copy.ts'
import { columnOf, typeOf } from './expressions.ts'
import { filterByKeys } from './key-filter.ts'
import { LEFT_COPIES, outputOf, RIGHT_COPIES } from './join-sides.ts'
import {
  apart, areHashable, gather, hash, inPlace, isApart, isHashed, renamed, SINGLE, together,
  type CutContext, type Key, type Placed, type Spread,
} from './spread.ts'
import { copyNs, copyTolerance, hashNs, isFewToGather, mayBroadcast, type Part } from './cost.ts'
import { neededParts, type NeededParts } from './restrict.ts'

interface Sides {
  readonly left: Placed
  readonly right: Placed
  /** Over left columns, then right columns. */
  readonly spread: Spread
}

export function cutJoin(
  join: Join, left: Placed, right: Placed, nextIdentity: () => number, context: CutContext,
): Placed {
  const sides = meet(join, left, right, nextIdentity, context)
  const plan: Plan = { ...join, left: sides.left.plan, right: sides.right.plan }
  const spread = join.type === 'INNER' ? withEqual(sides.spread, join, context) : sides.spread
  return { plan, spread: renamed(spread, outputOf(join, context.tableTypes)) }
}

/** What an inner join found equal is one key. */
function withEqual(spread: Spread, join: Join, { tableTypes }: CutContext): Spread {
  if (spread.kind !== 'apart') return spread
  const width = columnTypes(join.left, tableTypes).length
  const pairs = hashKeys(join).flatMap(({ left, right }) => {
    const [l, r] = [columnOf(left), columnOf(right)]
    return l === null || r === null ? [] : [[l, r + width] as const]
  })
  return apart(spread.by.map(key => [...new Set([...key, ...pairs.flatMap(([l, r]) =>
    key.includes(l) ? [r] : key.includes(r) ? [l] : [])])]), spread.of)
}

const CROSS = 'every row of the other side meets all of them'

/** Every left row meets every right row: one side is copied, the smaller one if there is a choice. */
export function cutCrossProduct(product: CrossProduct, left: Placed, right: Placed, context: CutContext): Placed {
  const [l, r] = !isApart(left) && !isApart(right) ? [left, right]
    : isApart(left) && (!isApart(right) || right.plan.rows <= left.plan.rows) ? [left, copy(right, CROSS, context)]
    : [copy(left, CROSS, context), right]
  const width = columnTypes(left.plan, context.tableTypes).length
  const spread = isApart(l) ? l.spread : isApart(r) ? shifted(r.spread, width) : unmoved(l, r)
  return { plan: { ...product, left: l.plan, right: r.plan }, spread }
}

function meet(
  join: Join, left: Placed, right: Placed, nextIdentity: () => number, context: CutContext,
): Sides {
  if (!isApart(left) && !isApart(right)) return { left, right, spread: unmoved(left, right) }
  const width = columnTypes(left.plan, context.tableTypes).length
  const byLeft = (l: Placed, r: Placed): Sides => ({ left: l, right: r, spread: l.spread })
  const byRight = (l: Placed, r: Placed): Sides => ({ left: l, right: r, spread: shifted(r.spread, width) })

  const copiesRight = isApart(left) && RIGHT_COPIES.has(join.type)
  const copiesLeft = isApart(right) && LEFT_COPIES.has(join.type) && !join.asof
  if (copiesRight && right.spread.kind === 'copied') return byLeft(left, right)
  if (copiesLeft && left.spread.kind === 'copied') return byRight(left, right)

  const keys = hashKeys(join)
  if (matched(left, right, keys)) {
    const spread = afterHash(join.type, left.spread, right.spread, width)
    return { left: { ...left, plan: inPlace(left) }, right, spread }
  }

  const isForced = keys.length === 0
  const moved = isForced ? null : hashed(left, right, keys)
  const parts = neededParts({ ...join, left: left.plan, right: right.plan }, [left.spread, right.spread], context)
  const isLimited = context.limited.has(join)
  switch (copied({ left, right, copiesLeft, copiesRight, isLimited, moved, parts }, context)) {
    case 'left': return byRight(copy(left, whyCopied(left, moved !== null), context, parts.left), right)
    case 'right': return byLeft(left, copy(right, whyCopied(right, moved !== null), context, parts.right))
    case 'none': break
  }
  const isFew = isApart(left) !== isApart(right) && isFewToGather((isApart(left) ? left : right).plan.rows, context)
  if (moved === null || isFew) {
    const why = isFew ? 'the other side is in one task, and these rows are few' : 'no equality to hash on'
    return { left: gather(left, why), right: gather(right, why), spread: SINGLE }
  }
  const spread = afterHash(join.type, moved.left.spread, moved.right.spread, width)
  return { ...filtered(join, left, right, moved, keys, nextIdentity, context), spread }
}

/** Where both sides move. */
function filtered(
  join: Join, left: Placed, right: Placed, moved: Omit<Sides, 'spread'>, keys: readonly JoinCondition[],
  nextIdentity: () => number, context: CutContext,
): Omit<Sides, 'spread'> {
  const [l, r] = [moved.left.plan, moved.right.plan]
  if (moved.left === left || moved.right === right || l.kind !== 'Exchange' || r.kind !== 'Exchange') return moved
  const sides = filterByKeys(join, { left: l, right: r }, keys, nextIdentity, context)
  return { left: { ...moved.left, plan: sides.left }, right: { ...moved.right, plan: sides.right } }
}

function whyCopied({ plan }: Placed, mayMove: boolean): string {
  if (!mayMove) return 'a join without an equality to hash on'
  return `a join side of ${about(plan.rows)}: to copy it costs less than to move both`
}

interface Choice {
  readonly left: Placed
  readonly right: Placed
  /** Which side may be copied. */
  readonly copiesLeft: boolean
  readonly copiesRight: boolean
  /** A LIMIT takes the first few rows of the join. */
  readonly isLimited: boolean
  /** The sides after a hash exchange; null: there is nothing to hash on. */
  readonly moved: Omit<Sides, 'spread'> | null
  readonly parts: NeededParts
}

/** Which side to copy, the cheapest way of all; 'none': hash, or gather. */
function copied(choice: Choice, context: CutContext): 'left' | 'right' | 'none' {
  const { left, right, copiesLeft, copiesRight, isLimited, moved, parts } = choice
  const isStreamed = ({ plan }: Placed): boolean => isLimited && mayStream(plan, context.volatileFunctions)
  const may = (allowed: boolean, { plan }: Placed, other: Placed): boolean =>
    allowed && (moved === null || mayBroadcast(plan, isStreamed(other), context))
  const ns = ({ plan }: Placed, other: Placed, part: Part): number =>
    copyNs(plan, other.plan.rows, repeatableScans(plan, context), context, part)
  const leftNs = may(copiesLeft, left, right) ? ns(left, right, parts.left) : Infinity
  const rightNs = may(copiesRight, right, left) ? ns(right, left, parts.right) : Infinity
  const cheaper = leftNs < rightNs ? 'left' : 'right'
  if (Math.min(leftNs, rightNs) === Infinity) return 'none'
  const isSmall = [copiesLeft && left, copiesRight && right].some(side =>
    side !== false && side.plan.rows <= context.thresholds.broadcastRows)
  if (moved === null || isSmall || isStreamed(cheaper === 'left' ? right : left)) return cheaper
  const sides = [[left, moved.left], [right, moved.right]] as const
  const movedNs = hashNs(sides.flatMap(([before, after]) => before === after ? [] : [before.plan]),
    Math.min(left.plan.rows, right.plan.rows), context)
  const tolerance = copyTolerance(cheaper === 'left' ? left.plan : right.plan)
  return Math.min(leftNs, rightNs) < tolerance * movedNs ? cheaper : 'none'
}

/** Conditions that hold only for rows whose hashes are equal. */
function hashKeys(join: Join): readonly JoinCondition[] {
  return join.conditions.filter(({ op, left, right }) => {
    const isEquality = op === 'IS NOT DISTINCT FROM' || (op === '=' && join.type !== 'MARK')
    return isEquality && areHashable([left, right]) && sameType(typeOf(left), typeOf(right))
  })
}


/** True if both sides are apart in the same way by columns that the join compares with each other, in that order. */
function matched({ spread: left }: Placed, { spread: right }: Placed, keys: readonly JoinCondition[]): boolean {
  if (left.kind !== 'apart' || right.kind !== 'apart') return false
  if (left.of?.scan !== right.of?.scan || left.of?.column !== right.of?.column) return false
  return left.by.length > 0 && left.by.length === right.by.length && left.by.every((key, i) =>
    keys.some(condition => holds(key, condition.left) && holds(right.by[i] ?? [], condition.right)))
}

function holds(key: Key, expression: Expression): boolean {
  const position = columnOf(expression)
  return position !== null && key.includes(position)
}

const STAYS = 'the other side of the join lies by these keys already'

/** Both sides by hash; a side that is apart by some of the keys stays, the larger one if both are. */
function hashed(left: Placed, right: Placed, keys: readonly JoinCondition[]): Omit<Sides, 'spread'> {
  const keepsLeft = isHashed(left) && together(left.spread, keys.map(key => columnOf(key.left)))
  const keepsRight = isHashed(right) && together(right.spread, keys.map(key => columnOf(key.right)))
  if (keepsLeft && left.spread.kind === 'apart' && (!keepsRight || left.plan.rows >= right.plan.rows)) {
    const to = left.spread.by.flatMap(key => keys.filter(condition => holds(key, condition.left)).slice(0, 1))
    return { left, right: hash(right, to.map(key => key.right), STAYS) }
  }
  if (keepsRight && right.spread.kind === 'apart') {
    const to = right.spread.by.flatMap(key => keys.filter(condition => holds(key, condition.right)).slice(0, 1))
    return { left: hash(left, to.map(key => key.left), STAYS), right }
  }
  const why = `rows that join meet in one task: ${about(left.plan.rows)} and ${about(right.plan.rows)}`
  return { left: hash(left, keys.map(key => key.left), why), right: hash(right, keys.map(key => key.right), why) }
}

/** By the keys of a side whose rows are all kept: beside a row that found no match, the keys of the other are NULL. */
function afterHash(type: JoinType, left: Spread, right: Spread, width: number): Spread {
  switch (type) {
    case 'LEFT': case 'SEMI': case 'ANTI': case 'MARK': case 'SINGLE': return left
    case 'INNER': return left.kind === 'apart' && left.by.length > 0 ? left : shifted(right, width)
    case 'RIGHT': case 'RIGHT_SEMI': case 'RIGHT_ANTI': return shifted(right, width)
    case 'FULL': return apart()
  }
}

function shifted(spread: Spread, width: number): Spread {
  if (spread.kind !== 'apart') return spread
  return apart(spread.by.map(key => key.map(position => position + width)), spread.of)
}

function unmoved(left: Placed, right: Placed): Spread {
  return left.spread.kind === 'single' ? left.spread : right.spread
}
