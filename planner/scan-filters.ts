/**
 * What every row satisfies that a plan needs of each of its scans: the scan's own filters, and those of the Filters
 * right above it. DuckDB leaves IN lists and ORs in a Filter; files can be left out by them all the same.
 */

import { moveColumns } from './cut/expressions.ts'
import type { Expression } from './expression.ts'
import { inputs, type Plan, type Scan } from './plan.ts'

/** Over the table's columns by position. Nothing below an Exchange: that is another fragment's. */
export function scanFilters(plan: Plan): ReadonlyMap<Scan, readonly Expression[]> {
  const found = new Map<Scan, readonly Expression[]>()
  const visit = (below: Plan, above: readonly Expression[]): void => {
    switch (below.kind) {
      case 'Scan':
        // read in two places, it has to have the rows of both
        found.set(below, found.has(below) ? below.filters : [...below.filters, ...above.flatMap(ofTable(below))])
        return
      case 'Filter':
        // what is above one that rearranges columns is not followed
        return visit(below.input, below.output === null ? [...above, ...below.predicates] : below.predicates)
      case 'Exchange': return
      default: for (const input of inputs(below)) visit(input, [])
    }
  }
  visit(plan, [])
  return found
}

/** The same filter over the columns of the scan's table; none if it reads a column that the table does not have. */
function ofTable({ columns }: Scan): (filter: Expression) => Expression[] {
  return filter => {
    let isKnown = true
    const moved = moveColumns(filter, index => {
      const position = columns[index] ?? null
      isKnown &&= position !== null
      return position ?? index
    })
    return isKnown ? [moved] : []
  }
}
