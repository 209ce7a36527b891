/**
 * What several readers of one plan read: the definition of a CTE, the source of a DelimJoin.
 *
 *   one reader, or copied and simple    x itself, in each reader
 *   apart and large                     Exchange keep, shared > x          task t reads what task t wrote
 *   otherwise                           Exchange broadcast, shared > x     one task makes it if it is not apart
 *
 * A shared exchange is one fragment with several readers, so every reader sees the same rows, also of a definition that
 * depends on the order of rows.
 */

import { operators } from './operator.ts'
import type { Plan } from '../plan.ts'
import { isCheapToShare } from './cost.ts'
import { apart, COPIED, exchange, isApart, isHashed, type CutContext, type Placed } from './spread.ts'

/** A copied plan of so many operators is made again by each reader; of more, it could double at every level. */
const SIMPLE_OPERATORS = 4

export function cutShared(placed: Placed, readers: number, identity: number, context: CutContext): Placed {
  if (readers <= 1 || (placed.spread.kind === 'copied' && isSimple(placed.plan))) return placed
  if (isApart(placed) && !isCheapToShare(placed.plan, context)) {
    const kept = exchange(placed.plan, { kind: 'keep' }, `read ${readers} times, and large`, identity)
    return { plan: kept, spread: isHashed(placed) ? placed.spread : apart() }
  }
  return { plan: exchange(placed.plan, { kind: 'broadcast' }, `read ${readers} times`, identity), spread: COPIED }
}

function isSimple(plan: Plan): boolean {
  const all = [...operators(plan)]
  return all.length <= SIMPLE_OPERATORS && all.every(({ kind }) => kind !== 'Exchange')
}

/** How often the CTE is read in the plan. */
export function readersOf(index: number, plan: Plan): number {
  return [...operators(plan)].filter(operator => operator.kind === 'CteScan' && operator.index === index).length
}
