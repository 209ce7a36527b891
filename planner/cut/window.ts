/**
 * Where the exchange of window functions goes. A partition must be in one task, so rows move on the columns that all
 * calls partition by.
 *
 *   rows of a partition are together already    Window > x
 *   calls share columns to partition by         Window > Exchange hash(shared) > x
 *   otherwise, and for few rows                 Window > Exchange gather > x
 */

import type { Expression } from '../expression.ts'
import type { Window } from '../plan.ts'
import { columnOf } from './expressions.ts'
import { about } from './about.ts'
import { isFewToMove } from './cost.ts'
import { areHashable, gather, hash, inPlace, isApart, together, type CutContext, type Placed } from './spread.ts'

export function cutWindow(window: Window, input: Placed, context: CutContext): Placed {
  const shared = sharedPartitions(window)
  const moved = !isApart(input) ? input
    : together(input.spread, shared.map(columnOf)) ? { ...input, plan: inPlace(input) } : move(input, shared, context)
  return { plan: { ...window, input: moved.plan }, spread: moved.spread }
}

function move(input: Placed, shared: readonly Expression[], context: CutContext): Placed {
  if (!areHashable(shared)) return gather(input, 'the windows share no columns to partition by')
  const { rows } = input.plan
  if (isFewToMove(rows, context)) return gather(input, `${about(rows)} are few enough for one task`)
  return hash(input, shared, 'the rows of a window partition meet in one task')
}

/** Only columns: whether two expressions are the same is not asked here. */
function sharedPartitions({ calls }: Window): readonly Expression[] {
  const [first, ...others] = calls
  return (first?.partitions ?? []).filter(by => columnOf(by) !== null && others.every(call =>
    call.partitions.some(other => columnOf(other) === columnOf(by))))
}
