/**
 * What a LIMIT without an order leaves unread of a table where so many rows of it are enough, whichever they are: no
 * more of its files and row groups are read. Where a filter or a join leaves it open how many that takes, see
 * enough-rows.ts.
 */

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
