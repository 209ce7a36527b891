/** What operators have in common: the expressions of one operator, and walks over a plan. */

import { unreachable } from '../../proto/errors.ts'
import type { Expression } from '../expression.ts'
import { inputs, type Plan } from '../plan.ts'

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
    case 'Exchange': return plan.to.kind === 'hash' ? plan.to.keys : []
    default: return unreachable(plan)
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
