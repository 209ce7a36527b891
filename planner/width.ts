/** How many columns a plan puts out. */

import { unreachable } from '../proto/errors.ts'
import type { Join, Plan } from './plan.ts'

export function width(plan: Plan): number {
  switch (plan.kind) {
    case 'Scan': return plan.columns.length
    case 'TableFunction': return plan.columns.length
    case 'Lateral': return plan.columns.length + plan.kept.length
    case 'OneRow': return 1
    case 'Empty': case 'DelimScan': case 'CteScan': return plan.types.length
    case 'Values': return plan.width
    case 'Project': return plan.expressions.length
    case 'Filter': case 'Sort': return plan.output?.length ?? width(plan.input)
    case 'Aggregate': return plan.groups.length + plan.calls.length + plan.groupings.length
    case 'Join': return joinWidth(plan)
    case 'DelimJoin': return joinWidth(plan.join)
    case 'CrossProduct': return width(plan.left) + width(plan.right)
    case 'Window': case 'Unnest': return width(plan.input) + plan.calls.length
    case 'Distinct': case 'TopN': case 'Limit': case 'Exchange': return width(plan.input)
    case 'SetOperation': return plan.inputs[0] === undefined ? 0 : width(plan.inputs[0])
    case 'Cte': return width(plan.query)
    default: return unreachable(plan)
  }
}

function joinWidth(join: Join): number {
  const left = join.leftOutput?.length ?? width(join.left)
  const right = join.rightOutput?.length ?? width(join.right)
  switch (join.type) {
    case 'SEMI': case 'ANTI': return left
    case 'RIGHT_SEMI': case 'RIGHT_ANTI': return right
    case 'MARK': return left + 1
    case 'INNER': case 'LEFT': case 'RIGHT': case 'FULL': case 'SINGLE': return left + right
    default: return unreachable(join.type)
  }
}
