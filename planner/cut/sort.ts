/**
 * Where the exchange of a sort goes: rows in order are rows in one task.
 *
 *   rows are not apart    Sort > x
 *   otherwise             Sort > Exchange gather > x
 */

import type { Sort } from '../plan.ts'
import { gather, type Placed } from './spread.ts'

export function cutSort(sort: Sort, input: Placed): Placed {
  const gathered = gather(input, 'rows in order are rows in one task')
  return { plan: { ...sort, input: gathered.plan }, spread: gathered.spread }
}
