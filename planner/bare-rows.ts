/**
 * Structs without names, as row(…) makes them: a cast cannot say their type, so a value becomes one field by field.
 *
 *   STRUCT(a T, b U) s        CASE WHEN s IS NOT NULL THEN row(s.a, s.b) END
 *   STRUCT(a T, b U)[] l      list_transform(l, lambda s: …)
 */

import { sameType, type DuckType } from '../proto/types.ts'
import { typeOf } from './cut/expressions.ts'
import type { Expression } from './expression.ts'
import { hasName } from './type-name.ts'
import { Unsupported } from './unsupported.ts'

const BOOLEAN: DuckType = { kind: 'scalar', name: 'BOOLEAN' }

/** The value as one of type `to`; a cast where the type can be said. */
export function castTo(value: Expression, to: DuckType): Expression {
  const from = typeOf(value)
  if (sameType(from, to)) return value
  if (hasName(to)) return { kind: 'Cast', child: value, type: to, try: false, origin: null }
  if (from.kind === 'list' && to.kind === 'list') {
    const body = castTo({ kind: 'ColumnRef', index: 0, type: from.child }, to.child)
    const one = { captures: [], parameters: 1, body, initial: null }
    return { kind: 'Lambda', name: 'list_transform', list: value, ...one, type: to }
  }
  const isRow = to.kind === 'struct' && to.fields.every(({ name }) => name === '')
  const isPlain = value.kind === 'ColumnRef' || (value.kind === 'Call' && value.name === 'struct_extract')
  if (from.kind !== 'struct' || !isRow || from.fields.length !== to.fields.length || !isPlain) {
    throw new Unsupported('type of an unnamed struct')
  }
  const fields = to.fields.map(({ type }, i) => castTo(field(value, from, i), type))
  const row: Expression = { kind: 'Call', name: 'row', children: fields, type: to, isOperator: false, aliases: [] }
  const isThere: Expression = { kind: 'Operator', op: 'IS NOT NULL', children: [value], type: BOOLEAN }
  const nothing: Expression = { kind: 'Constant', value: { kind: 'null' }, type: { kind: 'scalar', name: '"NULL"' } }
  return { kind: 'Case', checks: [{ when: isThere, then: row }], otherwise: nothing, type: to }
}

/** By name, or by its number from 1 where it has none. */
function field(value: Expression, { fields }: Extract<DuckType, { kind: 'struct' }>, i: number): Expression {
  const { name = '', type } = fields[i] ?? {}
  if (type === undefined) throw new Unsupported('field of a struct')
  const key: Expression = name === ''
    ? { kind: 'Constant', type: { kind: 'scalar', name: 'BIGINT' }, value: { kind: 'integer', value: BigInt(i + 1) } }
    : { kind: 'Constant', type: { kind: 'scalar', name: 'VARCHAR' }, value: { kind: 'text', value: name } }
  return { kind: 'Call', name: 'struct_extract', children: [value, key], type, isOperator: false, aliases: [] }
}
