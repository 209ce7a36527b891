/**
 * What a LIMIT without an order leaves unread where so many rows are enough, whichever they are: of a table no more of
 * its files and row groups are read, and the tasks that write an exchange need write no more of it. Where a filter or
 * a join leaves it open how many rows of a table that takes, see enough-rows.ts.
 */

import { inputs, type Exchange, type Plan, type Scan } from './plan.ts'

type Source = Scan | Exchange

/** What is not in it needs all its rows. Nothing below an Exchange: that is another fragment's. */
export function firstRows(plan: Plan): ReadonlyMap<Source, number> {
  const found = new Map<Source, number>()
  const needed = new Set<Source>()
  const visit = (below: Plan, enough: number | null): void => {
    switch (below.kind) {
      case 'Scan': case 'Exchange': {
        const isFiltered = below.kind === 'Scan' && below.filters.length > 0
        if (enough === null || isFiltered || found.has(below)) needed.add(below)
        else found.set(below, enough)
        return
      }
      case 'Limit': return visit(below.input, limited(below, enough))
      case 'Project': return visit(below.input, enough)
      case 'SetOperation': {
        const isConcatenation = below.op === 'UNION' && below.all
        for (const input of below.inputs) visit(input, isConcatenation ? enough : null)
        return
      }
      default: for (const input of inputs(below)) visit(input, null)
    }
  }
  visit(plan, null)
  for (const source of needed) found.delete(source)
  return found
}

/** A share of the rows is one of all of them. */
function limited({ limit, offset }: Extract<Plan, { kind: 'Limit' }>, enough: number | null): number | null {
  if (limit?.kind === 'percent') return null
  const least = limit === null ? enough : Math.min(limit.value, enough ?? limit.value)
  return least === null ? null : least + offset
}
