/**
 * The keys of a sort alone, for the sample that tells where ranges begin.
 *
 *   x    Project (keys) > x without the columns that only others read
 *
 * The columns that a scan reads are fetched and decoded, so they are left out down to it.
 */

import type { Expression, Order } from '../expression.ts'
import type { Plan } from '../plan.ts'
import { addColumns, column, moveColumns, typeOf } from './expressions.ts'
import { simplify } from './simplify.ts'

export interface SampledKeys {
  readonly root: Plan
  /** Over the columns of `root`, all of them. */
  readonly orders: readonly Order[]
}

export function sampleOf(plan: Plan, orders: readonly Order[]): SampledKeys {
  const keys = orders.map(by => by.expression)
  const { plan: input, position } = reading(plan, columnsIn(keys))
  const expressions = keys.map(key => moveColumns(key, position))
  const root = simplify({ kind: 'Project', input, expressions, rows: plan.rows })
  return { root, orders: orders.map((by, i) => ({ ...by, expression: column(i, typeOf(by.expression)) })) }
}

interface Reading {
  readonly plan: Plan
  /** Where a column that is read has gone. */
  readonly position: (column: number) => number
}

/** The same rows with the columns `read`, and perhaps others. */
function reading(plan: Plan, read: ReadonlySet<number>): Reading {
  const asItIs: Reading = { plan, position: index => index }
  const kept = [...read].sort((a, b) => a - b)
  const position = (index: number): number => kept.indexOf(index)
  if (kept.length === 0) return asItIs
  switch (plan.kind) {
    case 'Scan': return { plan: { ...plan, columns: kept.map(index => plan.columns[index] ?? null) }, position }
    case 'Project': {
      const all = kept.flatMap(index => plan.expressions.slice(index, index + 1))
      const below = reading(plan.input, columnsIn(all))
      const expressions = all.map(expression => moveColumns(expression, below.position))
      return { plan: { ...plan, input: below.plan, expressions }, position }
    }
    case 'Filter': {
      const passed = (index: number): number => plan.output === null ? index : plan.output[index] ?? index
      const below = reading(plan.input, new Set([...columnsIn(plan.predicates), ...kept.map(passed)]))
      const predicates = plan.predicates.map(predicate => moveColumns(predicate, below.position))
      const output = kept.map(index => below.position(passed(index)))
      return { plan: { ...plan, input: below.plan, predicates, output }, position }
    }
    default: return asItIs
  }
}

function columnsIn(expressions: readonly Expression[]): Set<number> {
  const columns = new Set<number>()
  for (const expression of expressions) addColumns(expression, columns)
  return columns
}
