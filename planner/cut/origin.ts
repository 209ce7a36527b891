/**
 * Where the values of a column come from: the relation that a fragment reads, and its column there, through operators
 * that hand the column on. Two things hold along the way: no value but NULL comes up that the relation does not have,
 * and to leave rows out below by this column is to leave out, above, the rows with the same values, and no others.
 */

import type { Expression } from '../expression.ts'
import type { Exchange, Plan, Scan } from '../plan.ts'
import { columnTypes, type TableTypes } from './columns.ts'
import { columnOf } from './expressions.ts'
import { LEFT_COPIES, outputOf, RIGHT_COPIES } from './join-sides.ts'

export interface Origin {
  readonly relation: Scan | Exchange
  /** Of the table, or of what the exchange brings. */
  readonly column: number
}

/** Null: it is computed, or an operator on the way looks at rows with other values too. */
export function originOf(plan: Plan, column: number, tables: TableTypes): Origin | null {
  const below = (input: Plan, position: number | null | undefined): Origin | null =>
    position === null || position === undefined ? null : originOf(input, position, tables)
  const beside = (left: Plan, right: Plan, position: number): Origin | null => {
    const width = columnTypes(left, tables).length
    return position < width ? below(left, position) : below(right, position - width)
  }
  switch (plan.kind) {
    case 'Scan': {
      const position = plan.columns[column] ?? null
      return position === null ? null : { relation: plan, column: position }
    }
    case 'Exchange': return { relation: plan, column }
    case 'Project': return below(plan.input, columnAt(plan.expressions, column))
    case 'Filter': return below(plan.input, plan.output === null ? column : plan.output[column])
    case 'Aggregate': return plan.sets === null ? below(plan.input, columnAt(plan.groups, column)) : null
    case 'Distinct': return plan.on ? null : below(plan.input, column)
    case 'CrossProduct': return beside(plan.left, plan.right, column)
    case 'Join': {
      const position = outputOf(plan, tables)[column] ?? null
      if (position === null || plan.asof) return null
      // what comes out beside a row of a side depends on the other side alone, where that may be copied
      const isLeft = position < columnTypes(plan.left, tables).length
      return (isLeft ? RIGHT_COPIES : LEFT_COPIES).has(plan.type) ? beside(plan.left, plan.right, position) : null
    }
    default: return null
  }
}

function columnAt(expressions: readonly Expression[], position: number): number | null {
  const expression = expressions[position]
  return expression === undefined ? null : columnOf(expression)
}
