/**
 * How many rows a plan gives at most, where that is certain whatever its tables hold: what is so few may be kept in
 * memory whole. Not an estimate; those are `rows` of the operators.
 */

import type { Exchange, Plan } from './plan.ts'

/** null: nothing is certain. */
export function maxRows(plan: Plan): number | null {
  switch (plan.kind) {
    case 'OneRow': return 1
    case 'Empty': return 0
    case 'Aggregate': return plan.sets !== null ? null : plan.groups.length === 0 ? 1 : maxRows(plan.input)
    case 'TopN': return plan.limit
    case 'Limit': return plan.limit?.kind === 'rows' ? plan.limit.value : maxRows(plan.input)
    case 'Project': case 'Filter': case 'Sort': case 'Window': case 'Distinct': return maxRows(plan.input)
    case 'Values': {
      const rows = maxRows(plan.input)
      return rows === null ? null : rows * plan.rowExpressions.length
    }
    default: return null
  }
}

/** What a plan reads of other tasks and gives no more rows than; null: none is certain. How many come is known then. */
export function boundingExchange(plan: Plan): Exchange | null {
  switch (plan.kind) {
    case 'Exchange': return plan
    case 'Aggregate': return plan.sets !== null || plan.groups.length === 0 ? null : boundingExchange(plan.input)
    case 'Project': case 'Filter': case 'Sort': case 'TopN': case 'Limit': case 'Window': case 'Distinct':
      return boundingExchange(plan.input)
    default: return null
  }
}
