/**
 * Better estimates of how many groups an aggregate or a DISTINCT makes: DuckDB's own know nothing of distinct counts
 * and are off by orders of magnitude. The counts of the tables' columns (of one without, the rows of its table) are
 * followed through the plan; a group made of several columns has at most the product. Estimates only get smaller, and
 * only choose between plans that are all right.
 */

import { unreachable } from '../proto/errors.ts'
import { select } from './cut/columns.ts'
import { addColumns } from './cut/expressions.ts'
import { withInputs } from './cut/with-inputs.ts'
import type { Expression } from './expression.ts'
import { inputs, type Aggregate, type Join, type Plan } from './plan.ts'
import type { PlannerTable } from './planned-query.ts'
import { width } from './width.ts'

/** By column of a plan's output: how many values it has at most, about; null: not known. */
type Distinct = readonly (number | null)[]

export function estimateGroups(plan: Plan, tables: readonly PlannerTable[]): Plan {
  return new Estimator(tables).visit(plan).plan
}

interface Visited {
  readonly plan: Plan
  readonly distinct: Distinct
}

class Estimator {
  readonly #tables: readonly PlannerTable[]
  /** By index, of the CTEs around. */
  readonly #ctes = new Map<number, Distinct>()

  constructor(tables: readonly PlannerTable[]) {
    this.#tables = tables
  }

  visit(plan: Plan): Visited {
    const visited: Visited[] = []
    for (const input of inputs(plan)) {
      visited.push(this.visit(input))
      const [definition, body] = visited
      if (plan.kind !== 'Cte' || definition === undefined || body !== undefined) continue
      this.#ctes.set(plan.index, definition.distinct)
    }
    const made = withInputs(plan, visited.map(input => input.plan))
    const of = visited.map(input => input.distinct)
    const rows = rowsOf(made, of)
    return { plan: rows < made.rows ? { ...made, rows } : made, distinct: this.#distinct(made, of) }
  }

  #distinct(plan: Plan, of: readonly Distinct[]): Distinct {
    const [first = [], second = []] = of
    switch (plan.kind) {
      case 'Scan': {
        const { distinctCounts: counts = [], rowCount = null } = this.#tables[plan.table] ?? {}
        return plan.columns.map(position => withNull(position === null ? 0 : counts[position] ?? rowCount))
      }
      case 'Lateral': return [...unknown(plan.columns.length), ...select(first, plan.kept)]
      case 'TableFunction': case 'OneRow': case 'Empty': case 'Values': case 'DelimScan': return unknown(width(plan))
      case 'CteScan': return this.#ctes.get(plan.index) ?? unknown(width(plan))
      case 'Project': return plan.expressions.map(expression => valuesOf([expression], first))
      case 'Filter': case 'Sort': return select(first, plan.output)
      case 'Aggregate': {
        const made = unknown(plan.calls.length + plan.groupings.length)
        return [...plan.groups.map(group => valuesOf([group], first)), ...made]
      }
      case 'Join': return joined(plan, first, second)
      case 'DelimJoin': return joined(plan.join, first, second)
      case 'CrossProduct': return [...first, ...second]
      case 'Window': case 'Unnest': return [...first, ...unknown(plan.calls.length)]
      case 'Distinct': case 'TopN': case 'Limit': case 'Exchange': return first
      case 'SetOperation': return unknown(width(plan))
      case 'Cte': return second
      default: return unreachable(plan)
    }
  }
}

function rowsOf(plan: Plan, of: readonly Distinct[]): number {
  const [first = []] = of
  switch (plan.kind) {
    case 'Aggregate': return groupsOf(plan, first)
    case 'Distinct': return valuesOf(plan.targets, first) ?? plan.rows
    // as many rows as the input, or fewer
    case 'Project': case 'Filter': case 'Sort': case 'TopN': case 'Limit': case 'Window': case 'Exchange':
      return Math.min(plan.rows, plan.input.rows)
    case 'Scan': case 'TableFunction': case 'OneRow': case 'Empty': case 'Values': case 'DelimScan': case 'CteScan':
    case 'Lateral': case 'Join': case 'DelimJoin': case 'CrossProduct': case 'Unnest': case 'SetOperation':
    case 'Cte': return plan.rows
    default: return unreachable(plan)
  }
}

function groupsOf({ groups, sets, rows, input }: Aggregate, of: Distinct): number {
  if (groups.length === 0) return 1
  const most = Math.max(1, sets?.length ?? 1)
  return Math.min(rows, most * (valuesOf(groups, of) ?? rows), most * input.rows)
}

/** Combinations of the columns that the expressions are made of; null if one of them is not known. */
function valuesOf(expressions: readonly Expression[], of: Distinct): number | null {
  const columns = new Set<number>()
  for (const expression of expressions) addColumns(expression, columns)
  if (columns.size === 0 && expressions.some(({ kind }) => kind !== 'Constant')) return null // random() and its like
  let product = 1
  for (const position of columns) {
    const count = of[position] ?? null
    if (count === null) return null
    product *= count
  }
  return product
}

function joined(join: Join, left: Distinct, right: Distinct): Distinct {
  const ofLeft = select(left, join.leftOutput)
  const ofRight = select(right, join.rightOutput)
  switch (join.type) {
    case 'SEMI': case 'ANTI': return ofLeft
    case 'RIGHT_SEMI': case 'RIGHT_ANTI': return ofRight
    case 'MARK': return [...ofLeft, 3]
    case 'INNER': case 'LEFT': case 'RIGHT': case 'FULL': case 'SINGLE': return [...ofLeft, ...ofRight]
    default: return unreachable(join.type)
  }
}

/** Writers do not count NULL among the values. */
function withNull(count: number | null): number | null {
  return count === null ? null : count + 1
}

function unknown(count: number): Distinct {
  return Array.from({ length: count }, () => null)
}
