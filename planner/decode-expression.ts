/**
 * Bound expressions of the plan's JSON. `alias` and `query_location` say nothing about the value: they are read for the
 * messages of casts alone, and not strictly. Every other field is read or refused. Functions are in decode-function.ts,
 * aggregates and windows in decode-aggregate.ts.
 */

import type { CastOrigin } from '../proto/cast-mark.ts'
import { castTo } from './bare-rows.ts'
import { decodeAggregate, decodeWindow } from './decode-aggregate.ts'
import { EXPRESSION_FIELDS } from './decode-fields.ts'
import { decodeFunction } from './decode-function.ts'
import { decodeConstant } from './decode-literal.ts'
import { decodeType } from './decode-type.ts'
import type { ComparisonOp, Expression, Operator, OperatorName, Order } from './expression.ts'
import type { JsonNode } from './json-node.ts'
import { hasName } from './type-name.ts'

export function decodeExpressions(nodes: readonly JsonNode[]): readonly Expression[] {
  return nodes.map(decodeExpression)
}

/** Classes of one type. */
const onlyType: Readonly<Record<string, string>> = {
  BOUND_REF: 'BOUND_REF', BOUND_CONSTANT: 'VALUE_CONSTANT', BOUND_BETWEEN: 'COMPARE_BETWEEN', BOUND_CASE: 'CASE_EXPR',
  BOUND_CAST: 'OPERATOR_CAST', BOUND_FUNCTION: 'BOUND_FUNCTION', BOUND_AGGREGATE: 'BOUND_AGGREGATE',
  BOUND_UNNEST: 'BOUND_UNNEST',
}

export function decodeExpression(node: JsonNode): Expression {
  const only = (...fields: readonly string[]) => node.only(...EXPRESSION_FIELDS, ...fields)
  const expressionClass = node.text('expression_class')
  const type = Object.hasOwn(onlyType, expressionClass) ? onlyType[expressionClass] : undefined
  if (type !== undefined && node.text('type') !== type) node.refuse(`${expressionClass} of type ${node.text('type')}`)
  switch (expressionClass) {
    case 'BOUND_REF':
      only('return_type', 'index')
      return { kind: 'ColumnRef', index: node.count('index'), type: decodeType(node.node('return_type')) }
    case 'BOUND_CONSTANT': return decodeConstant(only('value').node('value'))
    case 'BOUND_COMPARISON':
      only('left', 'right')
      return {
        kind: 'Comparison', op: decodeComparison(node, 'type'),
        left: decodeExpression(node.node('left')), right: decodeExpression(node.node('right')),
      }
    case 'BOUND_CONJUNCTION': return conjunction(only('children'))
    case 'BOUND_BETWEEN':
      only('input', 'lower', 'upper', 'lower_inclusive', 'upper_inclusive')
      return {
        kind: 'Between', input: decodeExpression(node.node('input')),
        lower: decodeExpression(node.node('lower')), upper: decodeExpression(node.node('upper')),
        lowerInclusive: node.boolean('lower_inclusive'), upperInclusive: node.boolean('upper_inclusive'),
      }
    case 'BOUND_CASE': return caseOf(only('return_type', 'case_checks', 'else_expr'))
    case 'BOUND_CAST':
      return cast(only('child', 'return_type', 'try_cast'))
    case 'BOUND_OPERATOR': return operator(only('return_type', 'children'))
    case 'BOUND_FUNCTION': return decodeFunction(node)
    case 'BOUND_AGGREGATE': return decodeAggregate(node)
    case 'BOUND_WINDOW': return decodeWindow(node)
    case 'BOUND_UNNEST':
      only('return_type', 'child')
      return {
        kind: 'UnnestCall', child: decodeExpression(node.node('child')), type: decodeType(node.node('return_type')),
      }
    default: return node.refuse(`expression ${expressionClass}`)
  }
}

function cast(node: JsonNode): Expression {
  const [child, type] = [decodeExpression(node.node('child')), decodeType(node.node('return_type'))]
  const isTry = node.boolean('try_cast')
  return hasName(type) || isTry ? { kind: 'Cast', child, type, try: isTry, origin: castOrigin(node) }
    : castTo(child, type)
}

/** DuckDB's place of what the optimizer made is the largest 64-bit number. */
function castOrigin(node: JsonNode): CastOrigin | null {
  const place = node.has('query_location') ? node.node('query_location') : null
  const offset = place?.isNumber() === true ? place.asInteger() : null
  if (offset === null || offset > MAX_OFFSET) return null
  const child = node.node('child')
  const isColumn = child.text('expression_class') === 'BOUND_REF' && child.has('alias')
  return { offset: Number(offset), column: isColumn ? child.text('alias') || null : null }
}

/** Longer texts are not accepted. */
const MAX_OFFSET = 2n ** 32n

const comparisons: Readonly<Record<string, ComparisonOp>> = {
  COMPARE_EQUAL: '=', COMPARE_NOTEQUAL: '<>', COMPARE_LESSTHAN: '<', COMPARE_GREATERTHAN: '>',
  COMPARE_LESSTHANOREQUALTO: '<=', COMPARE_GREATERTHANOREQUALTO: '>=',
  COMPARE_DISTINCT_FROM: 'IS DISTINCT FROM', COMPARE_NOT_DISTINCT_FROM: 'IS NOT DISTINCT FROM',
}

export function decodeComparison(node: JsonNode, field: string): ComparisonOp {
  return decodeName(node, field, comparisons)
}

/** What the field's text stands for in the table. */
export function decodeName<T>(node: JsonNode, field: string, names: Readonly<Record<string, T>>): T {
  const text = node.text(field)
  const found = Object.hasOwn(names, text) ? names[text] : undefined
  return found === undefined ? node.refuse(`${field} ${text}`) : found
}

export function decodeOrders(nodes: readonly JsonNode[]): readonly Order[] {
  return nodes.map((node): Order => {
    node.only('type', 'null_order', 'expression')
    return {
      expression: decodeExpression(node.node('expression')),
      direction: decodeName(node, 'type', { ASCENDING: 'ASC', DESCENDING: 'DESC' } as const),
      nulls: decodeName(node, 'null_order', { 'NULLS FIRST': 'FIRST', 'NULLS LAST': 'LAST' } as const),
    }
  })
}

function conjunction(node: JsonNode): Expression {
  const op = decodeName(node, 'type', { CONJUNCTION_AND: 'AND', CONJUNCTION_OR: 'OR' } as const)
  return { kind: 'Conjunction', op, children: decodeExpressions(node.list('children')) }
}

function caseOf(node: JsonNode): Expression {
  const checks = node.list('case_checks').map(check => {
    check.only('when_expr', 'then_expr')
    return { when: decodeExpression(check.node('when_expr')), then: decodeExpression(check.node('then_expr')) }
  })
  const otherwise = decodeExpression(node.node('else_expr'))
  return { kind: 'Case', checks, otherwise, type: decodeType(node.node('return_type')) }
}

const operators: Readonly<Record<string, OperatorName>> = {
  OPERATOR_NOT: 'NOT', OPERATOR_IS_NULL: 'IS NULL', OPERATOR_IS_NOT_NULL: 'IS NOT NULL',
  OPERATOR_COALESCE: 'COALESCE', COMPARE_IN: 'IN', COMPARE_NOT_IN: 'NOT IN', OPERATOR_TRY: 'TRY',
}

function operator(node: JsonNode): Operator {
  const op = decodeName(node, 'type', operators)
  const children = decodeExpressions(node.list('children'))
  const atLeast = op === 'IN' || op === 'NOT IN' ? 2 : 1
  const isList = op === 'COALESCE' || atLeast === 2
  if (children.length < atLeast || (!isList && children.length > 1)) node.refuse(`${op} of ${children.length}`)
  return { kind: 'Operator', op, children, type: decodeType(node.node('return_type')) }
}
