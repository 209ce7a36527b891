/**
 * Where the exchange of a sort goes.
 *
 *   rows are not apart                      Sort > x
 *   it orders many rows of the result       Sort > Exchange range > x      one task a range; see below
 *   the same, dear to look at twice         Sort > Exchange range > Exchange keep, shared > x
 *   otherwise                               Sort > Exchange gather > x
 *
 * Ranges follow each other in the order of the tasks, so the rows of the tasks, one after the other, are in order. That
 * is kept by what hands rows on one by one, and the first rows of them all are told by counting those of each range.
 * Where ranges begin is told by a sample of the keys, which a fragment of its own takes; it reads what x reads.
 */

import { isUncut, type Limit, type Plan, type Scan, type Sort } from '../plan.ts'
import { about } from './about.ts'
import { isCheapToSample } from './cost.ts'
import { apart, exchange, gather, isApart, type CutContext, type Placed } from './spread.ts'

export function cutSort(sort: Sort, input: Placed): Placed {
  const gathered = gather(input, 'rows in order are rows in one task')
  return { plan: { ...sort, input: gathered.plan }, spread: gathered.spread }
}

/** The order of the result, and which of the ordered rows it has; null: all of them. */
export interface ResultOrder {
  readonly sort: Sort
  readonly limit: Limit | null
}

/** Null: the result has no order, or needs the ordered rows in one task. */
export function resultOrder(plan: Plan, isVolatile: (plan: Plan) => boolean): ResultOrder | null {
  let limit: Limit | null = null
  for (let below = plan; !isVolatile(below);) {
    switch (below.kind) {
      case 'Sort': return below.orders.length === 0 ? null : { sort: below, limit }
      case 'Project': below = below.input; continue
      case 'Cte': below = below.query; continue
      case 'Limit':
        if (limit !== null || below.limit?.kind === 'percent') return null
        limit = below
        below = below.input
        continue
      default: return null
    }
  }
  return null
}

/** The sort of a `ResultOrder`. */
export function cutResultSort(sort: Sort, input: Placed, nextIdentity: () => number, context: CutContext): Placed {
  const { rows } = input.plan
  if (!isApart(input) || rows <= context.thresholds.sortRows) return cutSort(sort, input)
  const scans = simpleScans(input.plan)
  const isCheap = scans !== null && isCheapToSample(input.plan, scans, sort.orders, context)
  const below = isCheap ? input.plan
    : exchange(input.plan, { kind: 'keep' }, 'read twice: for a sample, and to be sorted', nextIdentity())
  const why = `${about(rows)} are sorted by ranges, one task each`
  return { plan: { ...sort, input: exchange(below, { kind: 'range', orders: sort.orders }, why) }, spread: apart() }
}

/** What is read of tables, if nothing more is done to rows than to filter and to project them; else null. */
function simpleScans(plan: Plan): readonly Scan[] | null {
  switch (plan.kind) {
    case 'Scan': return [plan]
    case 'Exchange': return isUncut(plan.to) ? null : []
    case 'Project': case 'Filter': return simpleScans(plan.input)
    default: return null
  }
}
