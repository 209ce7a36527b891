/** Calls of scalar functions as SQL, operators and lambdas among them. */

import { quoteName } from '../proto/sql-text.ts'
import { some } from './cut/expressions.ts'
import type { Call, Constant, Expression, Lambda } from './expression.ts'
import { expressionSql, type Scope } from './emit-expression.ts'
import { structSql } from './literal.ts'
import { hasName, typeName } from './type-name.ts'
import { Unsupported } from './unsupported.ts'

/** Functions that DuckDB's parser makes from these words. */
const likes: Readonly<Record<string, string>> = {
  '~~': 'LIKE', '!~~': 'NOT LIKE', '~~*': 'ILIKE', '!~~*': 'NOT ILIKE', '~~~': 'GLOB',
}
/** Signs between two operands; other operators are written as functions, which needs no precedence. */
const infix: ReadonlySet<string> = new Set(['+', '-', '*', '/', '//', '%', '**', '^', '||', '&', '|', '<<', '>>'])

/**
 * A function of a constant NULL is bound as a NULL without a type, which the optimizer has made and the user has not:
 * there the type is written out.
 */
export function emitCall(call: Call, scope: Scope): string {
  const sql = callSql(call, scope)
  return call.children.some(isFoldedNull) && hasName(call.type) ? `CAST(${sql} AS ${typeName(call.type)})` : sql
}

/** True if it may be. */
function isFoldedNull(expression: Expression): boolean {
  if (expression.kind === 'Constant') return expression.value.kind === 'null'
  return !some(expression, ({ kind }) => kind === 'ColumnRef')
}

function callSql(call: Call, scope: Scope): string {
  const operands = call.type.kind === 'decimal' ? withoutWidening(call) : call.children
  const args = operands.map(operand => expressionSql(operand, scope))
  const [left = '', right = ''] = args
  if (call.isOperator && args.length === 2 && infix.has(call.name)) {
    const sql = `(${left} ${call.name} ${right})`
    return call.type.kind === 'decimal' ? `CAST(${sql} AS ${typeName(call.type)})` : sql
  }
  const like = Object.hasOwn(likes, call.name) ? likes[call.name] : undefined
  if (like !== undefined && args.length === 2) return `(${left} ${like} ${right})`
  switch (call.name) {
    case '-': return args.length === 1 ? `(- ${left})` : `(${left} - ${right})`
    case 'struct_pack': case 'row': return structSql(call.type, args)
    case 'list_value': return listSql(call, args)
    case 'struct_insert': case 'struct_update': return namedSql(call, args, 1)
    case 'array_slice': case 'list_slice': return sliceSql(call, args)
    case 'union_value': return namedSql(call, args, 0)
    default: return `${quoteName(call.name)}(${args.join(', ')})`
  }
}

const keepsScale: ReadonlySet<string> = new Set(['+', '-', '*'])

/**
 * The operands of decimal arithmetic without the casts by which the binder widened them to the same scale: bound again,
 * they would be widened once more, until the width overflows.
 */
function withoutWidening({ name, children }: Call): readonly Expression[] {
  if (!keepsScale.has(name) || children.length !== 2) return children
  return children.map(child => {
    if (child.kind === 'Constant' && name !== '*') return narrowest(child)
    if (child.kind !== 'Cast' || child.try || child.type.kind !== 'decimal') return child
    const inner = 'type' in child.child ? child.child.type : undefined
    return inner?.kind === 'decimal' && inner.scale === child.type.scale ? child.child : child
  })
}

/** The binder has widened constants too; as wide as they are, the result needs no cast, a seventh of TPC-H's Q1. */
function narrowest(constant: Constant): Constant {
  const { type, value } = constant
  if (type.kind !== 'decimal' || value.kind !== 'decimal') return constant
  const digits = String(value.unscaled < 0n ? -value.unscaled : value.unscaled).length
  return { ...constant, type: { ...type, width: Math.min(type.width, Math.max(1, digits, type.scale)) } }
}

function listSql(call: Call, args: readonly string[]): string {
  const list = `[${args.join(', ')}]`
  return hasName(call.type) ? `CAST(${list} AS ${typeName(call.type)})` : list
}

/** An empty list is how DuckDB's parser writes an absent bound, which can only be said in brackets. */
function sliceSql(call: Call, args: readonly string[]): string {
  const isAbsent = (position: number) => {
    const child = call.children[position]
    return child?.kind === 'Constant' && child.value.kind === 'children' && child.value.values.length === 0
  }
  if (!isAbsent(1) && !isAbsent(2)) return `${quoteName(call.name)}(${args.join(', ')})`
  const [list = '', from = '', to = '', step] = args
  const end = isAbsent(2) ? (step === undefined ? '' : '-') : to
  return `(${list})[${isAbsent(1) ? '' : from}:${end}${step === undefined ? '' : `:${step}`}]`
}

/** `name(a, x := b)`, named from position `from` on. */
function namedSql(call: Call, args: readonly string[], from: number): string {
  const named = args.map((arg, i) => {
    if (i < from) return arg
    const alias = call.aliases[i]
    if (alias === undefined || alias === '') throw new Unsupported(`${call.name} without names`)
    return `${quoteName(alias)} := ${arg}`
  })
  return `${quoteName(call.name)}(${named.join(', ')})`
}

/** In the body columns are the parameters, the last one first, and then the captures. */
export function emitLambda(lambda: Lambda, scope: Scope): string {
  const inside = scope.depth + 1
  const names = Array.from({ length: lambda.parameters }, (_, i) => `p${inside}_${i}`)
  const captures = lambda.captures.map(capture => expressionSql(capture, { ...scope, depth: inside }))
  const visible = [...names.toReversed(), ...captures]
  const column = (index: number) => {
    const sql = visible[index]
    if (sql === undefined) throw new Unsupported('capture of a lambda')
    return sql
  }
  const body = expressionSql(lambda.body, { column, depth: inside })
  const initial = lambda.initial === null ? '' : `, ${expressionSql(lambda.initial, scope)}`
  const list = expressionSql(lambda.list, scope)
  return `${quoteName(lambda.name)}(${list}, lambda ${names.join(', ')}: ${body}${initial})`
}
