/** The same operator over other inputs. The very same value if no input changed. */

import { unreachable } from '../../proto/errors.ts'
import { inputs, type Plan } from '../plan.ts'

/** `made` as many as the operator has inputs, in their order. */
export function withInputs(plan: Plan, made: readonly Plan[]): Plan {
  if (inputs(plan).every((input, i) => input === made[i])) return plan
  const [first, second] = made
  if (first === undefined) return plan
  switch (plan.kind) {
    case 'Scan': case 'TableFunction': case 'OneRow': case 'Empty': case 'DelimScan': case 'CteScan': return plan
    case 'Lateral': case 'Values': case 'Project': case 'Filter': case 'Aggregate': case 'Window': case 'Distinct':
    case 'Sort': case 'TopN': case 'Limit': case 'Unnest': case 'Exchange': return { ...plan, input: first }
    case 'SetOperation': return { ...plan, inputs: made }
    case 'Join': case 'CrossProduct': return { ...plan, left: first, right: second ?? plan.right }
    case 'DelimJoin': return { ...plan, join: { ...plan.join, left: first, right: second ?? plan.join.right } }
    case 'Cte': return { ...plan, definition: first, query: second ?? plan.query }
    default: return unreachable(plan)
  }
}
