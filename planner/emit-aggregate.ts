/** Calls of aggregates and window functions as SQL. */

import { unreachable } from '../proto/errors.ts'
import { quoteName } from '../proto/sql-text.ts'
import type { AggregateCall, Expression, FrameBound, WindowCall, WindowFrame } from './expression.ts'
import { expressionSql, orderBySql, type Scope } from './emit-expression.ts'
import { typeName } from './type-name.ts'

export function emitAggregate(call: AggregateCall, scope: Scope): string {
  return typed(call, aggregateSql(call, scope))
}

/** A sum is the one whose type can change when its argument is bound again. */
function typed(call: AggregateCall, sql: string): string {
  return call.name === 'sum' ? `CAST(${sql} AS ${typeName(call.type)})` : sql
}

function aggregateSql(call: AggregateCall, scope: Scope, tail = ''): string {
  const args = [...call.children, ...call.bound].map(arg => expressionSql(arg, scope))
  const [name, list] = call.name === 'count_star' ? ['count', '*'] : [call.name, args.join(', ')]
  const inside = `${call.distinct ? 'DISTINCT ' : ''}${list}${orderBySql(call.orders, scope)}${tail}`
  return `${quoteName(name)}(${inside})${filterSql(call.filter, scope)}`
}

function filterSql(filter: Expression | null, scope: Scope): string {
  return filter === null ? '' : ` FILTER (WHERE ${expressionSql(filter, scope)})`
}

export function emitWindow(window: WindowCall, scope: Scope): string {
  const { call } = window
  const nulls = window.ignoreNulls ? ' IGNORE NULLS' : ''
  const over = ` OVER (${overSql(window, scope)})`
  if (call.kind === 'AggregateCall') return typed(call, aggregateSql(call, scope, nulls) + over)
  const args = call.children.map(arg => expressionSql(arg, scope)).join(', ')
  const inside = args + orderBySql(call.orders, scope) + nulls
  return `${quoteName(call.name)}(${inside})${filterSql(call.filter, scope)}${over}`
}

function overSql({ partitions, orders, frame }: WindowCall, scope: Scope): string {
  const parts: string[] = []
  if (partitions.length > 0) parts.push(`PARTITION BY ${partitions.map(by => expressionSql(by, scope)).join(', ')}`)
  if (orders.length > 0) parts.push(orderBySql(orders, scope).trimStart())
  if (frame !== null) parts.push(frameSql(frame, scope))
  return parts.join(' ')
}

function frameSql({ unit, start, end, exclude }: WindowFrame, scope: Scope): string {
  const excluded = exclude === 'NO OTHERS' ? '' : ` EXCLUDE ${exclude}`
  return `${unit} BETWEEN ${boundSql(start, scope)} AND ${boundSql(end, scope)}${excluded}`
}

function boundSql(bound: FrameBound, scope: Scope): string {
  switch (bound.kind) {
    case 'unbounded-preceding': return 'UNBOUNDED PRECEDING'
    case 'unbounded-following': return 'UNBOUNDED FOLLOWING'
    case 'current-row': return 'CURRENT ROW'
    case 'preceding': return `${expressionSql(bound.value, scope)} PRECEDING`
    case 'following': return `${expressionSql(bound.value, scope)} FOLLOWING`
    default: return unreachable(bound)
  }
}
