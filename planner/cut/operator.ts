/** What operators have in common: the expressions of one operator, and walks over a plan. */

import { unreachable } from '../../proto/errors.ts'
import type { Expression } from '../expression.ts'
import { inputs, type Partitioning, type Plan } from '../plan.ts'

/** The expressions of the operator itself, not of its inputs; of a Scan, over the columns of its table. */
export function expressionsOf(plan: Plan): readonly Expression[] {
  switch (plan.kind) {
    case 'OneRow': case 'Empty': case 'CrossProduct': case 'DelimScan': case 'Limit': case 'SetOperation': case 'Cte':
    case 'CteScan': return []
    case 'Scan': return plan.filters
    case 'TableFunction': return [...plan.args, ...plan.named.map(({ value }) => value)]
    case 'Lateral': return plan.args
    case 'Values': return plan.rowExpressions.flat()
    case 'Project': return plan.expressions
    case 'Filter': return plan.predicates
    case 'Aggregate': return [...plan.groups, ...plan.calls]
    case 'Join': {
      const predicate = plan.predicate === null ? [] : [plan.predicate]
      return [...plan.conditions.flatMap(({ left, right }) => [left, right]), ...predicate]
    }
    case 'DelimJoin': return [...expressionsOf(plan.join), ...plan.keys]
    case 'Window': case 'Unnest': return plan.calls
    case 'Distinct': return [...plan.targets, ...plan.orders.map(by => by.expression)]
    case 'Sort': case 'TopN': return plan.orders.map(by => by.expression)
    case 'Exchange': return keysOf(plan.to)
    default: return unreachable(plan)
  }
}

/** What decides to which task a row goes. */
export function keysOf(to: Partitioning): readonly Expression[] {
  switch (to.kind) {
    case 'hash': return to.keys
    case 'range': return to.orders.map(by => by.expression)
    case 'gather': case 'broadcast': case 'keep': case 'repeat': case 'stay': return []
    default: return unreachable(to)
  }
}

/** The same by other keys. */
export function mapKeys(to: Partitioning, rewrite: (key: Expression) => Expression): Partitioning {
  switch (to.kind) {
    case 'hash': return { ...to, keys: to.keys.map(rewrite) }
    case 'range': return { ...to, orders: to.orders.map(by => ({ ...by, expression: rewrite(by.expression) })) }
    case 'gather': case 'broadcast': case 'keep': case 'repeat': case 'stay': return to
    default: return unreachable(to)
  }
}

/** True if it compares values by their types alone, collation included; all others say in the plan what is compared. */
export function comparesByType(plan: Plan): boolean {
  return plan.kind === 'SetOperation' && plan.op !== 'UNION'
}

/** The plan and everything below it, inputs after their operator. */
export function* operators(plan: Plan): Generator<Plan> {
  yield plan
  for (const input of inputs(plan)) yield* operators(input)
}

export function anyOperator(plan: Plan, test: (plan: Plan) => boolean): boolean {
  return test(plan) || inputs(plan).some(input => anyOperator(input, test))
}
