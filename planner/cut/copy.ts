/**
 * Gives every task all rows of a plan, the cheaper way:
 *
 *   it is copied already                               x
 *   it only reads tables, and leaves most of them      Exchange repeat > x
 *   otherwise                                          Exchange broadcast > x
 *
 * What is repeated must come out the same in every task. There is no exchange in it, and above a table that is split,
 * what depends on the order of rows, or is volatile, stands above an exchange.
 */

import { isUncut, type Plan, type Scan } from '../plan.ts'
import { isCheapToRepeat, WHOLE, type Part } from './cost.ts'
import { operators } from './operator.ts'
import { broadcast, COPIED, exchange, isApart, type CutContext, type Placed } from './spread.ts'

/** `part`: what each task needs of it. */
export function copy(placed: Placed, why: string, context: CutContext, part: Part = WHOLE): Placed {
  const scans = isApart(placed) ? repeatableScans(placed.plan, context) : null
  if (scans === null || !isCheapToRepeat(placed.plan, scans, context, part)) return broadcast(placed, why)
  return { plan: exchange(placed.plan, { kind: 'repeat' }, why), spread: COPIED }
}

/** Scans of the tables that are split, if every task may read them by itself; else null. */
export function repeatableScans(plan: Plan, context: CutContext): readonly Scan[] | null {
  const all = [...operators(plan)]
  if (!all.every(operator => isRepeatable(operator) && !context.delims.has(operator))) return null
  return all.filter((operator): operator is Scan =>
    operator.kind === 'Scan' && context.isSplit[operator.table] === true)
}

function isRepeatable(operator: Plan): boolean {
  return operator.kind !== 'Exchange' || isUncut(operator.to)
}
