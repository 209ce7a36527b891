/** Operators of the plan's JSON that group, deduplicate or limit rows. */

import { decodeExpression, decodeExpressions, decodeOrders } from './decode-expression.ts'
import type { JsonNode } from './json-node.ts'
import type { Aggregate, Distinct, Limit, LimitValue, Plan } from './plan.ts'
import { width } from './width.ts'

export function decodeAggregation(node: JsonNode, rows: number, input: Plan): Aggregate {
  node.only(
    'type', 'children', 'expressions', 'group_index', 'aggregate_index', 'groupings_index', 'groups', 'grouping_sets',
    'grouping_functions', 'distinct_validity',
  )
  const groups = decodeExpressions(node.list('groups'))
  const calls = decodeExpressions(node.list('expressions'))
  if (calls.some(({ kind }) => kind !== 'AggregateCall')) node.refuse('expression that is no aggregate')
  const sets = node.list('grouping_sets').map(positions)
  const groupings = node.list('grouping_functions').map(positions)
  if ([...sets, ...groupings].flat().some(position => position >= groups.length)) node.refuse('grouping set')
  const [only, more] = sets
  const isPlain = more === undefined && (only === undefined || only.length === groups.length)
  return { kind: 'Aggregate', rows, input, groups, calls, sets: isPlain ? null : sets, groupings }
}

const positions = (list: JsonNode): readonly number[] => list.items().map(item => item.asCount())

/** DISTINCT on fewer than all columns, in order, is DISTINCT ON whatever the plan calls it. */
export function decodeDistinct(node: JsonNode, rows: number, input: Plan): Distinct {
  node.only('type', 'children', 'distinct_type', 'distinct_targets', 'order_by')
  const targets = node.list('distinct_targets').map(decodeExpression)
  const orders = decodeOrders(node.nullable('order_by')?.only('orders').list('orders') ?? [])
  const isAll = targets.length === width(input)
    && targets.every((target, i) => target.kind === 'ColumnRef' && target.index === i)
  const type = node.text('distinct_type')
  if (type !== 'DISTINCT' && type !== 'DISTINCT_ON') return node.refuse(`distinct ${type}`)
  return { kind: 'Distinct', rows, input, on: type === 'DISTINCT_ON' || !isAll, targets, orders }
}

export function decodeLimit(node: JsonNode, rows: number, input: Plan): Limit {
  node.only('type', 'children', 'limit_val', 'offset_val')
  const limit = limitValue(node.node('limit_val'))
  const offset = limitValue(node.node('offset_val'))
  if (offset?.kind === 'percent') return node.refuse('offset in percent')
  const most = limit?.kind === 'rows' ? limit.value : Infinity // DuckDB's estimate is that of the input
  return { kind: 'Limit', rows: Math.min(rows, most), input, limit, offset: offset?.value ?? 0 }
}

function limitValue(node: JsonNode): LimitValue | null {
  node.only('type', 'constant_integer', 'constant_percentage', 'expression')
  const type = node.text('type')
  switch (type) {
    case 'UNSET': return null
    case 'CONSTANT_VALUE': return { kind: 'rows', value: node.count('constant_integer') }
    case 'CONSTANT_PERCENTAGE': return { kind: 'percent', value: node.node('constant_percentage').asFloat() }
    default: return node.refuse(`limit ${type}`)
  }
}
