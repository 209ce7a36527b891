/**
 * A side of a join that moves is first left without the rows whose keys the other side does not have, where that side
 * is much smaller and cannot be copied, or is too wide to be:
 *
 *   Join l = r > Exchange hash > l, Exchange hash > r
 *
 *   Join l = r > X, Exchange hash > Join SEMI r = l > r, X read whole      where X is Exchange hash, shared > l
 *
 * The smaller side is written once; who makes the larger one reads the keys of it. That side has to end before the
 * other may begin, and no stage is added. Never where shuffles are forced: the keys are a copy. Only a side may be
 * filtered whose rows without a partner change nothing: the right one of LEFT and ANTI, either of INNER.
 */

import type { Expression } from '../expression.ts'
import type { Exchange, Join, JoinCondition, Plan } from '../plan.ts'
import { columnTypes } from './columns.ts'
import {
  ASSUMED_TASKS, BUILD_ROW_NS, DIVIDE_ROW_NS, isSmallToRead, moveRowNs, READ_NUMBER_NS, READ_TEXT_NS, widthBytes,
} from './cost.ts'
import { columnOf, typeOf } from './expressions.ts'
import { LEFT_COPIES, RIGHT_COPIES } from './join-sides.ts'
import { originOf } from './origin.ts'
import type { CutContext } from './spread.ts'

/** Both sides as they are before they move. */
export interface MovedSides { readonly left: Exchange; readonly right: Exchange }

/** A row is looked up among the keys. */
const PROBE_ROW_NS = 20
/** Estimates of what joins leave are not good: it has to pay by so much. */
const MARGIN = 2

/** The sides, or the very same. `nextIdentity` is for the exchange that has two readers then. */
export function filterByKeys(
  join: Join, sides: MovedSides, keys: readonly JoinCondition[], nextIdentity: () => number, context: CutContext,
): MovedSides {
  const gains = ([['right', 'left'], ['left', 'right']] as const).map(([filtered, by]) => {
    const may = filtered === 'right' ? RIGHT_COPIES.has(join.type) && join.type !== 'MARK' && join.type !== 'SINGLE'
      : LEFT_COPIES.has(join.type)
    return { filtered, by, gain: may && !join.asof ? gain(join, sides, filtered, keys, context) : null }
  })
  const [best] = gains.filter(({ gain }) => gain !== null).toSorted((a, b) => (b.gain?.ns ?? 0) - (a.gain?.ns ?? 0))
  if (best === undefined || best.gain === null) return sides
  const shared: Exchange = { ...sides[best.by], shared: nextIdentity() }
  const moved = sides[best.filtered]
  const conditions = keys.map(({ left, op, right }): JoinCondition =>
    best.filtered === 'right' ? { left: right, op, right: left } : { left, op, right })
  const input: Plan = {
    kind: 'Join', type: 'SEMI', asof: false, left: moved.input, right: { ...shared, reads: 'all' }, conditions,
    predicate: null, leftOutput: null, rightOutput: null, rows: best.gain.rows,
  }
  const why = `${moved.why}; of these only what has the other side's keys`
  return { ...sides, [best.by]: shared, [best.filtered]: { ...moved, input, rows: input.rows, why } }
}

interface Gain { readonly ns: number; readonly rows: number }

/** Null: it does not pay. */
function gain(
  join: Join, sides: MovedSides, filtered: 'left' | 'right', keys: readonly JoinCondition[], context: CutContext,
): Gain | null {
  const [side, other] = filtered === 'left' ? [sides.left, sides.right] : [sides.right, sides.left]
  const rows = rowsLeft(join, side, other, keys.map(key => key[filtered]), context)
  const { filterByKeys, broadcastRows } = context.thresholds
  if (filterByKeys === 'always') return { ns: side.rows - other.rows, rows }
  if (filterByKeys === 'never' || broadcastRows === 0 || !isSmallToRead(other, keys.length)) return null
  const keyNs = keys.reduce((sum, { left }) =>
    sum + (widthBytes(typeOf(left)) > 16 ? READ_TEXT_NS : READ_NUMBER_NS), 0)
  const costNs = ASSUMED_TASKS * other.rows * (keyNs + BUILD_ROW_NS) + side.rows * PROBE_ROW_NS
  const savedNs = (side.rows - rows) * (moveRowNs(side, context) + DIVIDE_ROW_NS + PROBE_ROW_NS)
  return savedNs > MARGIN * costNs ? { ns: savedNs - costNs, rows } : null
}

/** Estimated. A key that the other side has finds all rows of it here; without a match no more come out than joined. */
function rowsLeft(
  join: Join, side: Exchange, other: Exchange, keys: readonly Expression[], context: CutContext,
): number {
  const share = keys.map(key => {
    const distinct = distinctOf(side, key, context)
    return distinct === null ? 1 : Math.min(1, other.rows / Math.max(1, distinct))
  })
  const joined = ['INNER', 'LEFT', 'RIGHT'].includes(join.type) ? join.rows : Infinity
  return Math.min(side.rows * Math.min(1, ...share), joined)
}

/** Of the table that the key is a column of. */
function distinctOf({ input }: Exchange, key: Expression, context: CutContext): number | null {
  const column = columnOf(key)
  if (column === null || column >= columnTypes(input, context.tableTypes).length) return null
  const origin = originOf(input, column, context.tableTypes, context.delims)
  if (origin?.relation.kind !== 'Scan') return null
  return context.tableDistinct[origin.relation.table]?.[origin.column] ?? null
}
