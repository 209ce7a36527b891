/**
 * DuckDB's optimised plan, as json_serialize_plan writes it, to a Plan. One case an operator; an operator, field or
 * option that is not known here throws Unsupported, and the query runs whole.
 *
 * The plan must come from an instance with the optimizers disabled that duckdb.ts names: then every projection map is
 * plain and references are positions.
 */

import { inputEstimate, parseEstimates, type Estimate } from './cardinality.ts'
import { decodeExpressions, decodeOrders } from './decode-expression.ts'
import { decodeAnyJoin, decodeComparisonJoin, decodeDelimJoin, decodeProjection } from './decode-join.ts'
import { decodeLateral } from './decode-from-function.ts'
import { decodeGet } from './decode-scan.ts'
import { decodeType } from './decode-type.ts'
import type { Expression, UnnestCall, WindowCall } from './expression.ts'
import { parseJson, type JsonNode } from './json-node.ts'
import type { Plan, SetOperation } from './plan.ts'
import { decodeAggregation, decodeDistinct, decodeLimit } from './decode-rows.ts'
import { resolveColumns, UNRESOLVED } from './resolve-columns.ts'
import { Unsupported } from './unsupported.ts'
import type { PlannerTable } from './planned-query.ts'

/** Operators nest at most so deep; deeper plans run whole rather than overflow the stack. */
const MAX_PLAN_DEPTH = 500

/**
 * `planJson`: of json_serialize_plan(…, optimize := true), with nulls, empty lists and defaults kept. `explainJson`: of
 * EXPLAIN (FORMAT json) of the same text on the same instance; null: rows are 0 everywhere.
 */
export function decodePlan(planJson: string, explainJson: string | null, tables: readonly PlannerTable[]): Plan {
  const root = parseJson(planJson, planJson.includes(UNRESOLVED) ? resolveColumns : undefined)
  if (root.boolean('error')) throw new Unsupported(`DuckDB does not serialise the plan: ${errorMessage(root)}`)
  const [plan, more] = root.only('error', 'plans').list('plans')
  if (plan === undefined || more !== undefined) throw new Unsupported('several statements')
  if (/"collation":\s*"[^"]/.test(planJson) && /"LOGICAL_(?:INTERSECT|EXCEPT)"/.test(planJson)) {
    throw new Unsupported('a set operation of collated texts')
  }
  const paths = new Map(tables.map(({ skeletonPath }, i) => [skeletonPath, i]))
  return new Decoder(paths).operator(plan, explainJson === null ? null : parseEstimates(explainJson), 0)
}

function errorMessage(root: JsonNode): string {
  return root.has('error_message') ? root.text('error_message') : 'no message'
}

class Decoder {
  readonly #tables: ReadonlyMap<string, number>

  constructor(tables: ReadonlyMap<string, number>) {
    this.#tables = tables
  }

  operator(node: JsonNode, estimate: Estimate | null, depth: number): Plan {
    if (depth > MAX_PLAN_DEPTH) node.refuse('depth')
    const children = node.list('children')
    const inputs = children.map((child, i) =>
      this.operator(child, estimate === null ? null : inputEstimate(estimate, i, children.length), depth + 1))
    if (estimate === null) return this.#operator(node, 0, inputs)
    if (inputs.length === 0 && estimate.inputs.length > 0) throw new Unsupported('EXPLAIN has another shape')
    return this.#operator(node, estimate.rows, inputs)
  }

  #operator(node: JsonNode, rows: number, inputs: readonly Plan[]): Plan {
    const type = node.text('type')
    const [first, second] = inputs
    switch (inputs.length) {
      case 0: return this.#leaf(node, type, rows)
      case 1: return first === undefined ? node.refuse('input') : unary(node, type, rows, first)
      case 2:
        if (first === undefined || second === undefined) return node.refuse('inputs')
        return binary(node, type, rows, first, second)
      default: return setOperation(node, type, rows, inputs)
    }
  }

  #leaf(node: JsonNode, type: string, rows: number): Plan {
    const only = (...fields: readonly string[]) => node.only('type', 'children', ...fields)
    switch (type) {
      case 'LOGICAL_GET': return decodeGet(node, rows, this.#tables)
      case 'LOGICAL_DUMMY_SCAN':
        only('table_index')
        return { kind: 'OneRow', rows }
      case 'LOGICAL_EMPTY_RESULT':
        return { kind: 'Empty', rows, types: only('return_types', 'bindings').list('return_types').map(decodeType) }
      case 'LOGICAL_DELIM_GET':
        only('table_index', 'chunk_types')
        return { kind: 'DelimScan', rows, types: node.list('chunk_types').map(decodeType) }
      case 'LOGICAL_CTE_REF': {
        only('table_index', 'cte_index', 'chunk_types', 'bound_columns', 'is_recurring')
        if (node.boolean('is_recurring')) node.refuse('recurring CTE')
        const types = node.list('chunk_types').map(decodeType)
        return { kind: 'CteScan', rows, index: node.count('cte_index'), types }
      }
      default: return node.refuse(`operator ${type}`)
    }
  }
}

function unary(node: JsonNode, type: string, rows: number, input: Plan): Plan {
  const only = (...fields: readonly string[]) => node.only('type', 'children', ...fields)
  const expressions = () => decodeExpressions(node.list('expressions'))
  switch (type) {
    case 'LOGICAL_PROJECTION':
      only('table_index', 'expressions')
      return { kind: 'Project', rows, input, expressions: expressions() }
    case 'LOGICAL_FILTER': {
      only('expressions', 'projection_map')
      const output = decodeProjection(node, 'projection_map')
      return { kind: 'Filter', rows, input, predicates: expressions(), output }
    }
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY': return decodeAggregation(node, rows, input)
    case 'LOGICAL_WINDOW':
      only('window_index', 'expressions')
      return { kind: 'Window', rows, input, calls: expressions().filter(isWindowCall(node)) }
    case 'LOGICAL_GET': return decodeLateral(node, rows, input)
    case 'LOGICAL_UNNEST':
      only('unnest_index', 'expressions')
      return { kind: 'Unnest', rows, input, calls: expressions().filter(isUnnestCall(node)) }
    case 'LOGICAL_DISTINCT': return decodeDistinct(node, rows, input)
    case 'LOGICAL_ORDER_BY': {
      only('orders', 'projections')
      const orders = decodeOrders(node.list('orders'))
      return { kind: 'Sort', rows, input, orders, output: decodeProjection(node, 'projections') }
    }
    case 'LOGICAL_TOP_N': {
      only('orders', 'limit', 'offset')
      const orders = decodeOrders(node.list('orders'))
      return { kind: 'TopN', rows, input, orders, limit: node.count('limit'), offset: node.count('offset') }
    }
    case 'LOGICAL_LIMIT': return decodeLimit(node, rows, input)
    case 'LOGICAL_EXPRESSION_GET': {
      only('table_index', 'expr_types', 'expressions')
      const rowExpressions = node.list('expressions').map(row => decodeExpressions(row.items()))
      const width = node.list('expr_types').length
      if (rowExpressions.some(row => row.length !== width)) node.refuse('width of VALUES')
      return { kind: 'Values', rows, input, rowExpressions, width }
    }
    default: return setOperation(node, type, rows, [input])
  }
}

const isWindowCall = (node: JsonNode) => (expression: Expression): expression is WindowCall =>
  expression.kind === 'WindowCall' || node.refuse('expression that is no window')

const isUnnestCall = (node: JsonNode) => (expression: Expression): expression is UnnestCall =>
  expression.kind === 'UnnestCall' || node.refuse('expression that is no unnest')

function binary(node: JsonNode, type: string, rows: number, left: Plan, right: Plan): Plan {
  switch (type) {
    case 'LOGICAL_COMPARISON_JOIN': case 'LOGICAL_ASOF_JOIN': return decodeComparisonJoin(node, { rows, left, right })
    case 'LOGICAL_DELIM_JOIN': return decodeDelimJoin(node, { rows, left, right })
    case 'LOGICAL_ANY_JOIN': return decodeAnyJoin(node, { rows, left, right })
    case 'LOGICAL_CROSS_PRODUCT':
      node.only('type', 'children')
      return { kind: 'CrossProduct', rows, left, right }
    case 'LOGICAL_MATERIALIZED_CTE':
      node.only('type', 'children', 'table_index', 'column_count', 'ctename', 'materialize')
      return { kind: 'Cte', rows, index: node.count('table_index'), definition: left, query: right }
    default: return setOperation(node, type, rows, [left, right])
  }
}

function setOperation(node: JsonNode, type: string, rows: number, inputs: readonly Plan[]): Plan {
  const fields = ['type', 'children', 'table_index', 'column_count', 'setop_all', 'allow_out_of_order']
  const operation = (op: SetOperation['op']): Plan => {
    const all = node.only(...fields).boolean('setop_all')
    const [first, second] = inputs
    if (first === undefined) return node.refuse('inputs')
    // the optimizer has taken away inputs that are empty
    if (second === undefined) return op === 'UNION' && all ? first : node.refuse('inputs')
    return { kind: 'SetOperation', rows, op, all, inputs }
  }
  switch (type) {
    case 'LOGICAL_UNION': return operation('UNION')
    case 'LOGICAL_EXCEPT': return operation('EXCEPT')
    case 'LOGICAL_INTERSECT': return operation('INTERSECT')
    default: return node.refuse(`operator ${type}`)
  }
}
