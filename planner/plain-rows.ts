/**
 * Rows of a plan by the rows of its tables alone, for one that runs whole whatever they are: DuckDB's estimates cost it
 * another optimising, and only the memory that is booked follows from them. Nothing is taken off for a filter.
 */

import { unreachable } from '../proto/errors.ts'
import { withInputs } from './cut/with-inputs.ts'
import { inputs, type Join, type Plan } from './plan.ts'
import type { PlannerTable } from './planned-query.ts'

/** Of what tells nothing: a function's rows, the keys of a DelimJoin. */
const ROWS_WHEN_UNKNOWN = 1

export function plainRows(plan: Plan, tables: readonly PlannerTable[]): Plan {
  const ctes = new Map<number, number>()
  const visit = (below: Plan): Plan => {
    const made: Plan[] = []
    for (const input of inputs(below)) {
      const [definition] = made
      if (below.kind === 'Cte' && definition !== undefined) ctes.set(below.index, definition.rows)
      made.push(visit(input))
    }
    const above = withInputs(below, made)
    return { ...above, rows: rowsOf(above, made.map(({ rows }) => rows), tables, ctes) }
  }
  return visit(plan)
}

/** `of`: the rows of its inputs. */
function rowsOf(
  plan: Plan, of: readonly number[], tables: readonly PlannerTable[], ctes: ReadonlyMap<number, number>,
): number {
  const [first = ROWS_WHEN_UNKNOWN, second = ROWS_WHEN_UNKNOWN] = of
  switch (plan.kind) {
    case 'Scan': return tables[plan.table]?.rowCount ?? ROWS_WHEN_UNKNOWN
    case 'CteScan': return ctes.get(plan.index) ?? ROWS_WHEN_UNKNOWN
    case 'TableFunction': case 'DelimScan': return ROWS_WHEN_UNKNOWN
    case 'OneRow': return 1
    case 'Empty': return 0
    case 'Values': return first * plan.rowExpressions.length
    case 'Aggregate': return plan.groups.length === 0 ? 1 : first * Math.max(1, plan.sets?.length ?? 1)
    case 'TopN': return Math.min(first, plan.limit)
    case 'Limit': return plan.limit?.kind === 'rows' ? Math.min(first, plan.limit.value) : first
    case 'Lateral': case 'Project': case 'Filter': case 'Window': case 'Distinct': case 'Sort': case 'Unnest':
    case 'Exchange': return first
    case 'CrossProduct': return first * second
    case 'Join': return joined(plan, first, second)
    case 'DelimJoin': return joined(plan.join, first, second)
    case 'SetOperation': return of.reduce((sum, rows) => sum + rows, 0)
    case 'Cte': return second
    default: return unreachable(plan)
  }
}

function joined({ type, asof, conditions }: Join, left: number, right: number): number {
  switch (type) {
    case 'SEMI': case 'ANTI': case 'MARK': case 'SINGLE': return left
    case 'RIGHT_SEMI': case 'RIGHT_ANTI': return right
    // a key of one side has few partners of the other
    case 'INNER': case 'LEFT': case 'RIGHT': case 'FULL':
      return asof || conditions.some(({ op }) => op === '=' || op === 'IS NOT DISTINCT FROM')
        ? Math.max(left, right) : left * right
    default: return unreachable(type)
  }
}
