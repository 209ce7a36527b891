/**
 * Expressions as SQL. Always in parentheses where precedence could matter, every name quoted, every type written out
 * where binding the text again could find another one.
 */

import { castMark } from '../proto/cast-mark.ts'
import { unreachable } from '../proto/errors.ts'
import { emitAggregate, emitWindow } from './emit-aggregate.ts'
import { emitCall, emitLambda } from './emit-call.ts'
import type { Between, Expression, Operator, Order } from './expression.ts'
import { castLiteralSql, literalSql } from './literal.ts'
import { typeName } from './type-name.ts'

/** SQL of column `index` of the input. */
export type ColumnSql = (index: number) => string

export interface Scope {
  readonly column: ColumnSql
  /** How many lambdas are around: makes the names of their parameters differ. */
  readonly depth: number
}

export function emitExpression(expression: Expression, column: ColumnSql): string {
  return expressionSql(expression, { column, depth: 0 })
}

export function expressionSql(expression: Expression, scope: Scope): string {
  const sql = (part: Expression) => expressionSql(part, scope)
  switch (expression.kind) {
    case 'ColumnRef': return scope.column(expression.index)
    case 'Constant': return literalSql(expression)
    case 'Comparison': return `(${sql(expression.left)} ${expression.op} ${sql(expression.right)})`
    case 'Conjunction': return `(${expression.children.map(sql).join(` ${expression.op} `)})`
    case 'Between': return between(expression, sql)
    case 'Case': {
      const checks = expression.checks.map(({ when, then }) => `WHEN ${sql(when)} THEN ${sql(then)}`).join(' ')
      return `(CASE ${checks} ELSE ${sql(expression.otherwise)} END)`
    }
    case 'Cast': {
      const name = expression.try ? 'TRY_CAST(' : `CAST(${castMark(expression.origin)}`
      return `${name}${sql(expression.child)} AS ${typeName(expression.type)})`
    }
    case 'Operator': return operator(expression, expression.children.map(sql))
    case 'Call': return emitCall(expression, scope)
    case 'Lambda': return emitLambda(expression, scope)
    case 'AggregateCall': return emitAggregate(expression, scope)
    case 'WindowCall': return emitWindow(expression, scope)
    case 'UnnestCall': return `UNNEST(${sql(expression.child)})`
    default: return unreachable(expression)
  }
}

function between(range: Between, sql: (part: Expression) => string): string {
  const [input, lower, upper] = [sql(range.input), sql(range.lower), sql(range.upper)]
  if (range.lowerInclusive && range.upperInclusive) return `(${input} BETWEEN ${lower} AND ${upper})`
  const [from, to] = [range.lowerInclusive ? '>=' : '>', range.upperInclusive ? '<=' : '<']
  return `(${input} ${from} ${lower} AND ${input} ${to} ${upper})`
}

function operator({ op }: Operator, operands: readonly string[]): string {
  const [first = '', ...others] = operands
  switch (op) {
    case 'NOT': return `(NOT ${first})`
    case 'IS NULL': case 'IS NOT NULL': return `(${first} ${op})`
    case 'IN': case 'NOT IN': return `(${first} ${op} (${others.join(', ')}))`
    case 'COALESCE': case 'TRY': return `${op}(${operands.join(', ')})`
    default: return unreachable(op)
  }
}

/** ` ORDER BY …`, or nothing when there is none. */
export function orderBySql(orders: readonly Order[], scope: Scope): string {
  if (orders.length === 0) return ''
  const items = orders.map(({ expression, direction, nulls }) =>
    `${itemSql(expression, scope)} ${direction} NULLS ${nulls}`)
  return ` ORDER BY ${items.join(', ')}`
}

/** An item of ORDER BY or DISTINCT ON: a bare constant there would be the number of a column. */
export function itemSql(expression: Expression, scope: Scope): string {
  return expression.kind === 'Constant' ? castLiteralSql(expression) : expressionSql(expression, scope)
}
