/** Expressions as a reader wants them: no quotes, few parentheses, a cast as `::`. Not SQL. */

import { typeText } from '../proto/types.ts'
import { unreachable } from '../proto/errors.ts'
import type {
  AggregateCall, Call, Constant, Expression, FrameBound, Lambda, Operator, Order, WindowCall,
} from './expression.ts'
import { decimalText, literalSql } from './literal.ts'

export type ColumnText = (index: number) => string

export function explainExpression(expression: Expression, column: ColumnText): string {
  const text = (part: Expression) => explainExpression(part, column)
  const inner = (part: Expression) => isCompound(part) ? `(${text(part)})` : text(part)
  switch (expression.kind) {
    case 'ColumnRef': return column(expression.index)
    case 'Constant': return constant(expression)
    case 'Comparison': return `${inner(expression.left)} ${expression.op} ${inner(expression.right)}`
    case 'Conjunction': return `(${expression.children.map(text).join(` ${expression.op} `)})`
    case 'Between': {
      const [from, to] = [expression.lowerInclusive ? '[' : '(', expression.upperInclusive ? ']' : ')']
      return `${inner(expression.input)} in ${from}${text(expression.lower)}, ${text(expression.upper)}${to}`
    }
    case 'Case': {
      const checks = expression.checks.map(({ when, then }) => `WHEN ${text(when)} THEN ${text(then)}`).join(' ')
      return `CASE ${checks} ELSE ${text(expression.otherwise)} END`
    }
    case 'Cast': return `${inner(expression.child)}::${expression.try ? '?' : ''}${typeText(expression.type)}`
    case 'Operator': return operator(expression, inner, text)
    case 'Call': return call(expression, inner, text)
    case 'Lambda': return lambda(expression, column)
    case 'AggregateCall': return aggregate(expression, column)
    case 'WindowCall': return windowCall(expression, column)
    case 'UnnestCall': return `unnest(${text(expression.child)})`
    default: return unreachable(expression)
  }
}

export function explainOrders(orders: readonly Order[], column: ColumnText): string {
  return orders.map(({ expression, direction, nulls }) =>
    `${explainExpression(expression, column)} ${direction} NULLS ${nulls}`).join(', ')
}

type Text = (part: Expression) => string

/** True if it needs parentheses inside another operator. */
function isCompound(expression: Expression): boolean {
  switch (expression.kind) {
    case 'Comparison': case 'Between': case 'Operator': return true
    case 'Call': return expression.isOperator
    default: return false
  }
}

function constant(expression: Constant): string {
  const { value, type } = expression
  switch (value.kind) {
    case 'null': return 'NULL'
    case 'integer': return `${value.value}`
    case 'float': return value.text
    case 'decimal': return decimalText(value.unscaled, type)
    case 'enum': return type.kind === 'enum' ? `'${type.values[value.index] ?? ''}'` : '?'
    case 'children': return `[${value.values.map(constant).join(', ')}]`
    default: return literalSql(expression)
  }
}

function operator({ op, children }: Operator, inner: Text, text: Text): string {
  const [first, ...others] = children
  if (first === undefined) return op
  switch (op) {
    case 'NOT': return `NOT ${inner(first)}`
    case 'IS NULL': case 'IS NOT NULL': return `${inner(first)} ${op}`
    case 'IN': case 'NOT IN': return `${inner(first)} ${op} (${others.map(text).join(', ')})`
    case 'COALESCE': case 'TRY': return `${op}(${children.map(text).join(', ')})`
    default: return unreachable(op)
  }
}

function call({ name, children, isOperator }: Call, inner: Text, text: Text): string {
  const [left, right, more] = children
  if (isOperator && left !== undefined && right !== undefined && more === undefined) {
    return `${inner(left)} ${name} ${inner(right)}`
  }
  return `${name}(${children.map(text).join(', ')})`
}

/** Parameters are p0, p1, …, in the order of the text. */
function lambda({ name, list, captures, parameters, body, initial }: Lambda, column: ColumnText): string {
  const names = Array.from({ length: parameters }, (_, i) => `p${i}`)
  const visible = [...names.toReversed(), ...captures.map(capture => explainExpression(capture, column))]
  const text = explainExpression(body, index => visible[index] ?? '?')
  const first = initial === null ? '' : `, ${explainExpression(initial, column)}`
  return `${name}(${explainExpression(list, column)}, ${names.join(', ')} -> ${text}${first})`
}

function aggregate({ name, children, bound, distinct, filter, orders }: AggregateCall, column: ColumnText): string {
  const args = [...children, ...bound].map(arg => explainExpression(arg, column)).join(', ')
  const order = orders.length === 0 ? '' : ` ORDER BY ${explainOrders(orders, column)}`
  const where = filter === null ? '' : ` filter ${explainExpression(filter, column)}`
  return `${name}(${distinct ? 'DISTINCT ' : ''}${args}${order})${where}`
}

function windowCall({ call, ignoreNulls, partitions, orders, frame }: WindowCall, column: ColumnText): string {
  const nulls = ignoreNulls ? ' ignore nulls' : ''
  const name = aggregate(call.kind === 'AggregateCall' ? call
    : { ...call, kind: 'AggregateCall', bound: [], distinct: false, type: { kind: 'scalar', name: '"NULL"' } }, column)
  const by = partitions.map(partition => explainExpression(partition, column)).join(', ')
  const parts = [
    ...by === '' ? [] : [`partition ${by}`],
    ...orders.length === 0 ? [] : [`order ${explainOrders(orders, column)}`],
    ...frame === null ? [] : [`${frame.unit} ${bound(frame.start, column)} to ${bound(frame.end, column)}`],
    ...frame === null || frame.exclude === 'NO OTHERS' ? [] : [`exclude ${frame.exclude}`],
  ]
  return `${name}${nulls} over (${parts.join(' ')})`
}

function bound(frameBound: FrameBound, column: ColumnText): string {
  return 'value' in frameBound ? `${explainExpression(frameBound.value, column)} ${frameBound.kind}` : frameBound.kind
}
