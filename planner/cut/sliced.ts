/**
 * Which of the hashed inputs of a fragment may be read in slices, if one partition of it has far more rows than others:
 * any task may then have any of its rows, as long as it has all rows of that partition of the other inputs.
 *
 *   Join > Exchange hash > l, Exchange hash > r        l in slices, r copied; if INNER, also the other way round
 *
 * Rows come out only beside a row of the side in slices, so none comes out twice. What is above the joins may not rely
 * on equal keys being in one task: operators of single rows, and aggregates and limits of parts, which are combined
 * elsewhere.
 */

import type { Exchange, Join, Plan } from '../plan.ts'
import { inputs } from '../plan.ts'
import { LEFT_COPIES, RIGHT_COPIES } from './join-sides.ts'

/** `nameOf`: what stands for two reads of the same rows is one relation, and none of the two may be in slices. */
export function slicedInputs(root: Plan, nameOf: (exchange: Exchange) => string): ReadonlySet<string> {
  const reads = exchangesIn(root)
  const found = deciding(root).filter(({ to }) => to.kind === 'hash').map(nameOf)
  return new Set(found.filter(name => reads.filter(read => nameOf(read) === name).length === 1))
}

/** Of each: a row of the output comes out for one row of it. */
function deciding(plan: Plan): readonly Exchange[] {
  switch (plan.kind) {
    case 'Exchange': return plan.reads === 'own' ? [plan] : []
    case 'Project': case 'Filter': case 'Unnest': return deciding(plan.input)
    case 'TopN': return deciding(plan.input)
    case 'Aggregate': return plan.isOfParts === true ? deciding(plan.input) : []
    case 'Join': return plan.asof ? [] : decidingSides(plan)
    default: return []
  }
}

function decidingSides({ type, left, right }: Join): readonly Exchange[] {
  const isLeft = RIGHT_COPIES.has(type) && type !== 'MARK' && type !== 'SINGLE'
  return [...isLeft ? deciding(left) : [], ...LEFT_COPIES.has(type) ? deciding(right) : []]
}

function exchangesIn(plan: Plan): readonly Exchange[] {
  return plan.kind === 'Exchange' ? [plan] : inputs(plan).flatMap(exchangesIn)
}
