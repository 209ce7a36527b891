/**
 * What a LIMIT without an order leaves unread.
 *
 *   firstRows     so many rows of a table are enough, whichever they are: no more of its files and row groups are read
 *   enoughRows    a filter leaves it open how many rows of a table that takes: they are read in steps, until there are
 *                 so many rows of the fragment
 */

import { isVolatile } from './order-sensitivity.ts'
import { inputs, type Plan, type Scan } from './plan.ts'

/** Scans that are not in it need all their rows. Nothing below an Exchange: that is another fragment's. */
export function firstRows(plan: Plan): ReadonlyMap<Scan, number> {
  const found = new Map<Scan, number>()
  const needed = new Set<Scan>()
  const visit = (below: Plan, enough: number | null): void => {
    switch (below.kind) {
      case 'Scan':
        if (enough === null || below.filters.length > 0 || found.has(below)) needed.add(below)
        else found.set(below, enough)
        return
      case 'Limit': return visit(below.input, limited(below, enough))
      case 'Project': return visit(below.input, enough)
      case 'SetOperation': {
        const isConcatenation = below.op === 'UNION' && below.all
        for (const input of below.inputs) visit(input, isConcatenation ? enough : null)
        return
      }
      case 'Exchange': return
      default: for (const input of inputs(below)) visit(input, null)
    }
  }
  visit(plan, null)
  for (const scan of needed) found.delete(scan)
  return found
}

/** A share of the rows is one of all of them. */
function limited({ limit, offset }: Extract<Plan, { kind: 'Limit' }>, enough: number | null): number | null {
  if (limit?.kind === 'percent') return null
  const least = limit === null ? enough : Math.min(limit.value, enough ?? limit.value)
  return least === null ? null : least + offset
}

/**
 * How many rows of the fragment are enough, if whatever it gives of the beginning of its one table it also gives of
 * all of it; null: it needs all, or `firstRows` tells. A volatile filter would let other rows pass the next time.
 */
export function enoughRows(root: Plan, volatileFunctions: ReadonlySet<string>): number | null {
  if (root.kind === 'Project') return enoughRows(root.input, volatileFunctions)
  if (root.kind !== 'Limit' || root.limit?.kind !== 'rows' || root.limit.value === 0) return null
  let [below, isFiltered] = [root.input, false]
  while (below.kind === 'Project' || below.kind === 'Filter' || below.kind === 'Unnest') {
    if (isVolatile(below, volatileFunctions)) return null
    isFiltered ||= below.kind !== 'Project'
    below = below.input
  }
  if (below.kind !== 'Scan' || isVolatile(below, volatileFunctions)) return null
  return isFiltered || below.filters.length > 0 ? root.limit.value : null
}
