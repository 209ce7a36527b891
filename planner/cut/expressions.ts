/**
 * Expressions as the cutting rules look at them: their type, their operands, the columns they read, and the same
 * expression over other columns. Pure; an expression that does not change is returned as it is (`===`).
 *
 * The body of a lambda is closed: its columns are parameters and captures, not columns of the input, so it is no
 * operand.
 */

import type { DuckType } from '../../proto/types.ts'
import { unreachable } from '../../proto/errors.ts'
import type { Expression, FrameBound, Order, WindowCall } from '../expression.ts'

const BOOLEAN: DuckType = { kind: 'scalar', name: 'BOOLEAN' }

export function typeOf(expression: Expression): DuckType {
  switch (expression.kind) {
    case 'Comparison': case 'Conjunction': case 'Between': return BOOLEAN
    default: return expression.type
  }
}

export function column(index: number, type: DuckType): Expression {
  return { kind: 'ColumnRef', index, type }
}

/** The column that the expression is, or null if it is not just a column. */
export function columnOf(expression: Expression): number | null {
  return expression.kind === 'ColumnRef' ? expression.index : null
}

/** True if `test` holds for the expression or anything inside it, bodies of lambdas included. */
export function some(expression: Expression, test: (expression: Expression) => boolean): boolean {
  if (test(expression)) return true
  if (expression.kind === 'Lambda' && some(expression.body, test)) return true
  return operands(expression).some(operand => some(operand, test))
}

/** Adds the positions of all columns that the expression reads. */
export function addColumns(expression: Expression, to: Set<number>): void {
  if (expression.kind === 'ColumnRef') to.add(expression.index)
  for (const operand of operands(expression)) addColumns(operand, to)
}

/** The same expression with column `i` replaced by column `position(i)`. */
export function moveColumns<E extends Expression>(expression: E, position: (index: number) => number): E {
  const move = (part: Expression): Expression => {
    if (part.kind !== 'ColumnRef') return mapOperands(part, move)
    const index = position(part.index)
    return index === part.index ? part : { ...part, index }
  }
  return move(expression) as E // the kind of an expression stays
}

export function operands(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'ColumnRef': case 'Constant': return []
    case 'Comparison': return [expression.left, expression.right]
    case 'Conjunction': case 'Operator': case 'Call': return expression.children
    case 'Between': return [expression.input, expression.lower, expression.upper]
    case 'Case': return [...expression.checks.flatMap(check => [check.when, check.then]), expression.otherwise]
    case 'Cast': case 'UnnestCall': return [expression.child]
    case 'Lambda': return [expression.list, ...optional(expression.initial), ...expression.captures]
    case 'AggregateCall':
      return [...expression.children, ...optional(expression.filter), ...expression.orders.map(by => by.expression)]
    case 'WindowCall': return windowOperands(expression)
    default: return unreachable(expression)
  }
}

function windowOperands({ call, partitions, orders, frame }: WindowCall): readonly Expression[] {
  const bounds = frame === null ? [] : [frame.start, frame.end]
  return [
    ...call.children, ...optional(call.filter), ...call.orders.map(by => by.expression),
    ...partitions, ...orders.map(by => by.expression),
    ...bounds.flatMap(bound => 'value' in bound ? [bound.value] : []),
  ]
}

const optional = (expression: Expression | null): readonly Expression[] => expression === null ? [] : [expression]

type Rewrite = (expression: Expression) => Expression

function mapOperands(expression: Expression, rewrite: Rewrite): Expression {
  const before = operands(expression)
  const after = before.map(rewrite)
  if (after.every((operand, i) => operand === before[i])) return expression
  return rebuild(expression, rewrite)
}

function rebuild(expression: Expression, rewrite: Rewrite): Expression {
  switch (expression.kind) {
    case 'ColumnRef': case 'Constant': return expression
    case 'Comparison': return { ...expression, left: rewrite(expression.left), right: rewrite(expression.right) }
    case 'Conjunction': case 'Operator': case 'Call':
      return { ...expression, children: expression.children.map(rewrite) }
    case 'Between':
      return {
        ...expression, input: rewrite(expression.input),
        lower: rewrite(expression.lower), upper: rewrite(expression.upper),
      }
    case 'Case': {
      const checks = expression.checks.map(({ when, then }) => ({ when: rewrite(when), then: rewrite(then) }))
      return { ...expression, checks, otherwise: rewrite(expression.otherwise) }
    }
    case 'Cast': case 'UnnestCall': return { ...expression, child: rewrite(expression.child) }
    case 'Lambda':
      return {
        ...expression, list: rewrite(expression.list), captures: expression.captures.map(rewrite),
        initial: expression.initial && rewrite(expression.initial),
      }
    case 'AggregateCall': return { ...expression, ...rebuildCall(expression, rewrite) }
    case 'WindowCall': return rebuildWindow(expression, rewrite)
    default: return unreachable(expression)
  }
}

interface CallOperands {
  readonly children: readonly Expression[]
  readonly filter: Expression | null
  readonly orders: readonly Order[]
}

function rebuildCall({ children, filter, orders }: CallOperands, rewrite: Rewrite): CallOperands {
  return {
    children: children.map(rewrite), filter: filter === null ? null : rewrite(filter),
    orders: rebuildOrders(orders, rewrite),
  }
}

function rebuildOrders(orders: readonly Order[], rewrite: Rewrite): readonly Order[] {
  return orders.map(by => ({ ...by, expression: rewrite(by.expression) }))
}

function rebuildWindow(window: WindowCall, rewrite: Rewrite): WindowCall {
  const bound = (value: FrameBound): FrameBound =>
    'value' in value ? { ...value, value: rewrite(value.value) } : value
  return {
    ...window,
    call: { ...window.call, ...rebuildCall(window.call, rewrite) },
    partitions: window.partitions.map(rewrite),
    orders: rebuildOrders(window.orders, rewrite),
    frame: window.frame && { ...window.frame, start: bound(window.frame.start), end: bound(window.frame.end) },
  }
}
