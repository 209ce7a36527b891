/** Calls of aggregates and of window functions in the plan's JSON. */

import type { DuckType } from '../proto/types.ts'
import { decodeConstant } from './decode-literal.ts'
import { decodeExpression, decodeExpressions, decodeName, decodeOrders } from './decode-expression.ts'
import { FUNCTION_FIELDS } from './decode-fields.ts'
import { bindData, functionName, textConstant } from './decode-function.ts'
import { decodeType } from './decode-type.ts'
import type { AggregateCall, Constant, Expression, FrameBound, WindowCall, WindowFrame } from './expression.ts'
import type { JsonNode } from './json-node.ts'

export function decodeAggregate(node: JsonNode): AggregateCall {
  node.only(...FUNCTION_FIELDS, 'aggregate_type', 'filter', 'order_bys')
  const orders = node.nullable('order_bys')?.only('orders').list('orders') ?? []
  return {
    kind: 'AggregateCall', ...call(node),
    distinct: decodeName(node, 'aggregate_type', { DISTINCT: true, NON_DISTINCT: false }),
    filter: optionalExpression(node, 'filter'), orders: decodeOrders(orders),
    type: decodeType(node.node('return_type')),
  }
}

function optionalExpression(node: JsonNode, field: string): Expression | null {
  const found = node.nullable(field)
  return found && decodeExpression(found)
}

function call(node: JsonNode): Pick<AggregateCall, 'name' | 'children' | 'bound'> {
  const name = functionName(node)
  // The optimizer's choice where statistics exclude an overflow; it has no other result.
  const sqlName = name === 'sum_no_overflow' ? 'sum' : name
  return { name: sqlName, children: decodeExpressions(node.list('children')), bound: boundArguments(node, name) }
}

const separatedBy: ReadonlySet<string> = new Set(['string_agg', 'group_concat', 'listagg'])
const quantiles: ReadonlySet<string> = new Set(['quantile', 'quantile_cont', 'quantile_disc'])

/** The arguments that binding took out of the children and into its own data. */
function boundArguments(node: JsonNode, name: string): readonly Expression[] {
  const data = bindData(node)
  if (data === null) return []
  if (separatedBy.has(name)) return [textConstant(data.only('separator').text('separator'))]
  if (name === 'median') {
    return data.only('quantiles', 'order', 'desc').boolean('desc') ? node.refuse('descending median') : []
  }
  if (quantiles.has(name)) return [quantile(node, data)]
  if (name === 'approx_quantile') return [approximateQuantile(node, data)]
  if (name === 'sum_no_overflow') {
    data.only()
    return []
  }
  if (name === 'bitstring_agg') {
    data.only('min', 'max')
    const range = [decodeConstant(data.node('min')), decodeConstant(data.node('max'))]
    return range.some(({ value }) => value.kind === 'null') ? [] : range
  }
  return node.refuse(`function data of ${name}`)
}

/** One quantile, or a list of them where a list was the argument. Descending order is written as negative quantiles. */
function quantile(node: JsonNode, data: JsonNode): Constant {
  data.only('quantiles', 'order', 'desc')
  const isDescending = data.boolean('desc')
  const values = data.list('quantiles').map(value => {
    const constant = decodeConstant(value)
    return isDescending ? negated(constant, value) : constant
  })
  const [, argument, more] = node.list('original_arguments')
  const [first] = values
  if (argument === undefined || more !== undefined || first === undefined) return node.refuse('quantiles')
  const argumentType = decodeType(argument)
  if (argumentType.kind !== 'list') return values.length === 1 ? first : node.refuse('quantiles')
  return { kind: 'Constant', type: { kind: 'list', child: first.type }, value: { kind: 'children', values } }
}

/** FLOATs, one or a list as the argument was. */
function approximateQuantile(node: JsonNode, data: JsonNode): Constant {
  const type: DuckType = { kind: 'scalar', name: 'FLOAT' }
  const values = data.only('quantiles').list('quantiles').map((value): Constant =>
    ({ kind: 'Constant', type, value: { kind: 'float', text: String(value.asFloat()) } }))
  const [first] = values
  if (first === undefined) return node.refuse('quantiles')
  const isList = decodeType(node.node('return_type')).kind === 'list'
  if (!isList) return values.length === 1 ? first : node.refuse('quantiles')
  return { kind: 'Constant', type: { kind: 'list', child: type }, value: { kind: 'children', values } }
}

function negated(constant: Constant, node: JsonNode): Constant {
  const { value } = constant
  switch (value.kind) {
    case 'decimal': return { ...constant, value: { kind: 'decimal', unscaled: -value.unscaled } }
    case 'float': return { ...constant, value: { kind: 'float', text: `-${value.text}` } }
    case 'integer': return { ...constant, value: { kind: 'integer', value: -value.value } }
    default: return node.refuse('quantile')
  }
}

const WINDOW_FIELDS = [
  'partitions', 'orders', 'filters', 'ignore_nulls', 'start', 'end', 'start_expr', 'end_expr', 'offset_expr',
  'default_expr', 'exclude_clause', 'distinct', 'arg_orders',
] as const

const windowFunctions: Readonly<Record<string, string>> = {
  WINDOW_RANK: 'rank', WINDOW_RANK_DENSE: 'dense_rank', WINDOW_ROW_NUMBER: 'row_number',
  WINDOW_PERCENT_RANK: 'percent_rank', WINDOW_CUME_DIST: 'cume_dist', WINDOW_NTILE: 'ntile',
  WINDOW_FIRST_VALUE: 'first_value', WINDOW_LAST_VALUE: 'last_value', WINDOW_NTH_VALUE: 'nth_value',
  WINDOW_LEAD: 'lead', WINDOW_LAG: 'lag', WINDOW_FILL: 'fill',
}

export function decodeWindow(node: JsonNode): WindowCall {
  node.only(...FUNCTION_FIELDS, ...WINDOW_FIELDS)
  return {
    kind: 'WindowCall',
    call: node.text('type') === 'WINDOW_AGGREGATE' ? windowAggregate(node) : windowFunction(node),
    ignoreNulls: node.boolean('ignore_nulls'),
    partitions: decodeExpressions(node.list('partitions')), orders: decodeOrders(node.list('orders')),
    frame: frame(node), type: decodeType(node.node('return_type')),
  }
}

function windowAggregate(node: JsonNode): AggregateCall {
  if (node.nullable('offset_expr') !== null || node.nullable('default_expr') !== null) node.refuse('offset')
  return {
    kind: 'AggregateCall', ...call(node), distinct: node.boolean('distinct'),
    filter: optionalExpression(node, 'filters'), orders: decodeOrders(node.list('arg_orders')),
    type: decodeType(node.node('return_type')),
  }
}

/** The offset and default of lag and lead are arguments; a default without an offset needs the offset's default. */
function windowFunction(node: JsonNode): WindowCall['call'] {
  if (node.has('function_data') || node.boolean('distinct')) node.refuse('window function')
  const name = decodeName(node, 'type', windowFunctions)
  const [offset, otherwise] = [optionalExpression(node, 'offset_expr'), optionalExpression(node, 'default_expr')]
  const integer: DuckType = { kind: 'scalar', name: 'INTEGER' }
  const one: Constant = { kind: 'Constant', type: integer, value: { kind: 'integer', value: 1n } }
  const children = [...decodeExpressions(node.list('children'))]
  if (offset !== null || otherwise !== null) children.push(offset ?? one)
  if (otherwise !== null) children.push(otherwise)
  const orders = decodeOrders(node.list('arg_orders'))
  return { kind: 'WindowFunction', name, children, orders, filter: optionalExpression(node, 'filters') }
}

/** null: the frame that SQL means when there is none. */
function frame(node: JsonNode): WindowFrame | null {
  const [start, end] = [node.text('start'), node.text('end')]
  const exclude = decodeName(node, 'exclude_clause', {
    NO_OTHER: 'NO OTHERS', CURRENT_ROW: 'CURRENT ROW', GROUP: 'GROUP', TIES: 'TIES',
  } as const)
  if (start === 'UNBOUNDED_PRECEDING' && end === 'CURRENT_ROW_RANGE' && exclude === 'NO OTHERS') return null
  const units = [start, end].flatMap(bound => /_(ROWS|RANGE|GROUPS)$/.exec(bound)?.[1] ?? [])
  const unit = units[0] ?? 'ROWS'
  if (units.some(other => other !== unit)) return node.refuse('units of a frame')
  return {
    unit: unit === 'ROWS' ? 'ROWS' : unit === 'RANGE' ? 'RANGE' : 'GROUPS', exclude,
    start: frameBound(node, start, 'start_expr'), end: frameBound(node, end, 'end_expr'),
  }
}

function frameBound(node: JsonNode, bound: string, field: string): FrameBound {
  switch (bound.replace(/_(ROWS|RANGE|GROUPS)$/, '')) {
    case 'UNBOUNDED_PRECEDING': return { kind: 'unbounded-preceding' }
    case 'UNBOUNDED_FOLLOWING': return { kind: 'unbounded-following' }
    case 'CURRENT_ROW': return { kind: 'current-row' }
    case 'EXPR_PRECEDING': return { kind: 'preceding', value: boundValue(node, bound, field) }
    case 'EXPR_FOLLOWING': return { kind: 'following', value: boundValue(node, bound, field) }
    default: return node.refuse(`frame ${bound}`)
  }
}

/** DuckDB keeps a RANGE bound as the limit itself: order expression plus or minus the value. */
function boundValue(node: JsonNode, bound: string, field: string): Expression {
  const value = decodeExpression(node.node(field))
  if (!bound.endsWith('_RANGE')) return value
  const distance = value.kind === 'Call' && (value.name === '+' || value.name === '-') ? value.children[1] : undefined
  return distance ?? node.refuse('RANGE bound')
}
