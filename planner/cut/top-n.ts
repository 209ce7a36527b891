/**
 * Where the exchange of a limit goes. Without it there would be as many rows as asked for in every task.
 *
 *   rows are not apart    TopN > x
 *   otherwise             TopN > Exchange gather > TopN (limit + offset, no offset) > x
 *
 * Limit is the same, but so many rows of any of the tasks are enough. A limit in percent, or none (OFFSET alone),
 * cannot be applied before the rows are gathered.
 */

import type { Limit, Plan, TopN } from '../plan.ts'
import { ASSUMED_TASKS } from './cost.ts'
import { gather, isApart, type Placed } from './spread.ts'

export function cutTopN(top: TopN, input: Placed): Placed {
  const reach = top.limit + top.offset
  const local: Plan = { ...top, limit: reach, offset: 0, input: input.plan, rows: reached(input, reach) }
  const isLocal = isApart(input) && Number.isSafeInteger(reach)
  const gathered = isLocal ? gather({ ...input, plan: local }, `the first ${reach} of each task`)
    : gather(input, 'the first rows of all tasks')
  return { plan: { ...top, input: gathered.plan }, spread: gathered.spread }
}

export function cutLimit(limit: Limit, input: Placed): Placed {
  const reach = limit.limit?.kind === 'rows' ? limit.limit.value + limit.offset : NaN
  const isLocal = isApart(input) && Number.isSafeInteger(reach)
  const gathered = isLocal ? gather(limited(input, reach), `the first ${reach} that any of the tasks find`)
    : gather(input, 'a limit is of the rows of all tasks')
  return { plan: { ...limit, input: gathered.plan }, spread: gathered.spread }
}

function limited(input: Placed, reach: number): Placed {
  const local: Limit = {
    kind: 'Limit', input: input.plan, limit: { kind: 'rows', value: reach }, offset: 0, rows: reached(input, reach),
  }
  return { ...input, plan: local }
}

function reached(input: Placed, reach: number): number {
  return Math.min(input.plan.rows, reach * ASSUMED_TASKS)
}
