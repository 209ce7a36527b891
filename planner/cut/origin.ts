/**
 * Where the values of a column come from: the relation that a fragment reads, and its column there, through operators
 * that hand the column on. Two things hold along the way: no value but NULL comes up that the relation does not have,
 * and to leave rows out below by this column is to leave out, above, the rows with the same values, and no others.
 */

import type { Expression } from '../expression.ts'
import { delimSides, inputs, type Exchange, type Plan, type Scan } from '../plan.ts'
import { columnTypes, type TableTypes } from './columns.ts'
import { columnOf } from './expressions.ts'
import { LEFT_COPIES, outputOf, RIGHT_COPIES } from './join-sides.ts'

export interface Origin {
  readonly relation: Scan | Exchange
  /** Of the table, or of what the exchange brings. */
  readonly column: number
  /** By the keys of a DelimJoin: others read the relation too, so nothing may be left out of it. */
  readonly isShared: boolean
}

/** By DelimScan: what it has the distinct `keys` of. */
export type DelimSources = ReadonlyMap<Plan, { readonly source: Plan; readonly keys: readonly Expression[] }>

/** Of the DelimScans in a plan, where their DelimJoins are in it too. */
export function delimSources(plan: Plan): DelimSources {
  const found = new Map<Plan, { readonly source: Plan; readonly keys: readonly Expression[] }>()
  const walk = (below: Plan, around: { readonly source: Plan; readonly keys: readonly Expression[] } | null): void => {
    if (below.kind === 'DelimScan' && around !== null) found.set(below, around)
    if (below.kind !== 'DelimJoin') return inputs(below).forEach(input => walk(input, around))
    const [source, other] = delimSides(below)
    walk(source, around)
    walk(other, { source, keys: below.keys })
  }
  walk(plan, null)
  return found
}

/** Null: it is computed, or an operator on the way looks at rows with other values too. */
export function originOf(plan: Plan, column: number, tables: TableTypes, delims: DelimSources): Origin | null {
  const below = (input: Plan, position: number | null | undefined): Origin | null =>
    position === null || position === undefined ? null : originOf(input, position, tables, delims)
  const beside = (left: Plan, right: Plan, position: number): Origin | null => {
    const width = columnTypes(left, tables).length
    return position < width ? below(left, position) : below(right, position - width)
  }
  switch (plan.kind) {
    case 'Scan': {
      const position = plan.columns[column] ?? null
      return position === null ? null : { relation: plan, column: position, isShared: false }
    }
    case 'Exchange':
      return plan.to.kind === 'stay' ? below(plan.input, column) : { relation: plan, column, isShared: false }
    case 'DelimScan': {
      const of = delims.get(plan)
      return shared(of === undefined ? null : below(of.source, columnAt(of.keys, column)))
    }
    case 'DelimJoin': return shared(below(plan.join, column))
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

function shared(origin: Origin | null): Origin | null {
  return origin === null ? null : { ...origin, isShared: true }
}

function columnAt(expressions: readonly Expression[], position: number): number | null {
  const expression = expressions[position]
  return expression === undefined ? null : columnOf(expression)
}
