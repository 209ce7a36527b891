/**
 * Where the exchange of DISTINCT goes.
 *
 *   equal rows are together already    Distinct > x
 *   DISTINCT                           Distinct > Exchange hash(targets) > Distinct > x
 *   DISTINCT ON, or ordered            Distinct > Exchange hash(targets) > x
 *   targets cannot be hashed           the same with gather; few rows are gathered too
 *
 * Which row of DISTINCT ON survives may depend on all rows of its group, so it is asked once, where they all are.
 */

import type { Distinct, Plan } from '../plan.ts'
import { about } from './about.ts'
import { isFewToGather } from './cost.ts'
import { columnOf } from './expressions.ts'
import { areHashable, gather, hash, inPlace, isApart, together, type CutContext, type Placed } from './spread.ts'

export function cutDistinct(distinct: Distinct, input: Placed, context: CutContext): Placed {
  const { targets } = distinct
  const place = (moved: Placed): Placed => ({ plan: { ...distinct, input: moved.plan }, spread: moved.spread })
  if (!isApart(input)) return place(input)
  if (together(input.spread, targets.map(columnOf))) return place({ ...input, plan: inPlace(input) })
  const isPlain = !distinct.on && distinct.orders.length === 0
  const local: Plan = { ...distinct, input: input.plan, rows: Math.min(distinct.rows, input.plan.rows) }
  const below = isPlain ? { ...input, plan: local } : input
  const isFew = isPlain && isFewToGather(below.plan.rows, context)
  if (isFew) return place(gather(below, `${about(below.plan.rows)} are few enough for one task`))
  if (!areHashable(targets)) return place(gather(below, 'values that cannot be hashed'))
  return place(hash(below, targets, 'equal rows meet in one task'))
}
