/**
 * A DelimJoin stays one where every task can make it of its own rows: rows with equal keys are in one task, and what
 * the other side reads besides comes to them.
 *
 * Else it becomes an ordinary join: its source is an exchange that both the join and the DelimScans read.
 *
 *   DelimJoin                      Join
 *     source                         Exchange (1) > source
 *     other                          other
 *       DelimScan                      Distinct > Project keys > Exchange (1)
 *
 *   source is not apart, or small    (1) as for a CTE: see cte.ts
 *   source is large                  (1) hash(keys), so that equal keys are in one task for the Distinct
 *   keys cannot be hashed            (1) broadcast
 */

import { delimSides, inputs, type DelimJoin, type Join, type Plan } from '../plan.ts'
import { isCheapToShare } from './cost.ts'
import { cutShared } from './cte.ts'
import { column, columnOf, typeOf } from './expressions.ts'
import {
  apart, areHashable, COPIED, exchange, hash, inPlace, isApart, renamed, together, type CutContext, type Placed,
} from './spread.ts'

/** What the join reads as its source, and what its DelimScans are. */
export interface DelimSource {
  readonly source: Placed
  readonly scan: Placed
}

export function cutDelimSource(delim: DelimJoin, source: Placed, identity: number, context: CutContext): DelimSource {
  const shared = shareSource(delim, source, identity, context)
  const keys = delim.keys.map((key, i) => column(i, typeOf(key)))
  const project: Plan = { kind: 'Project', input: shared.plan, expressions: delim.keys, rows: shared.plan.rows }
  const scan: Plan = { kind: 'Distinct', input: project, on: false, targets: keys, orders: [], rows: shared.plan.rows }
  const by = delim.keys.map((_, i) => [i])
  return { source: shared, scan: { plan: scan, spread: isApart(shared) ? apart(by) : shared.spread } }
}

function shareSource(delim: DelimJoin, source: Placed, identity: number, context: CutContext): Placed {
  if (!isApart(source) || isCheapToShare(source.plan, context)) {
    return cutShared(source, 2, identity, context)
  }
  if (!areHashable(delim.keys)) {
    const copied = exchange(source.plan, { kind: 'broadcast' }, 'keys that cannot be hashed', identity)
    return { plan: copied, spread: COPIED }
  }
  const why = 'a correlated subquery: rows of equal keys meet in one task'
  const { spread } = hash(source, delim.keys, why)
  return { plan: exchange(source.plan, { kind: 'hash', keys: delim.keys }, why, identity), spread }
}

/** The DelimScan of a DelimJoin that may stay one, and the context for cutting its other side; null: it may not. */
export function ownDelimScan(
  delim: DelimJoin, source: Placed, context: CutContext,
): { readonly scan: Placed; readonly context: CutContext } | null {
  const { keys } = delim
  const columns = keys.map(columnOf)
  if (context.thresholds.broadcastRows === 0 || !together(source.spread, columns)) return null
  const plan: Plan = { kind: 'DelimScan', types: keys.map(typeOf), rows: source.plan.rows }
  const delims = new Map([...context.delims, [plan, { source: source.plan, keys }]])
  return { scan: { plan, spread: renamed(source.spread, columns) }, context: { ...context, delims } }
}

/** `join`: the DelimJoin's own, cut. Null if its source or a read of its keys has come into another fragment. */
export function ownDelimJoin(delim: DelimJoin, join: Join, source: Placed, scan: Plan): DelimJoin | null {
  const [left, right] = delimSides({ ...delim, join })
  if (!isSame(left, source.plan) || isTakenAway(right, scan)) return null
  const own = delim.source === 'left' ? { ...join, left: inPlace(source) } : { ...join, right: inPlace(source) }
  return { ...delim, join: own }
}

function isSame(plan: Plan, other: Plan): boolean {
  return plan === other || (plan.kind === 'Exchange' && plan.to.kind === 'stay' && isSame(plan.input, other))
}

/** True below an exchange, even one that moves nothing: every task would make it of its own rows alone. */
function isTakenAway(plan: Plan, leaf: Plan): boolean {
  const isBelow = (below: Plan): boolean => below === leaf || inputs(below).some(isBelow)
  if (plan.kind === 'Exchange' && plan.to.kind !== 'stay') return isBelow(plan.input)
  return inputs(plan).some(input => isTakenAway(input, leaf))
}
