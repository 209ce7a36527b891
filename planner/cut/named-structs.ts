/**
 * A struct without names, as row(…) makes it, has no type that a cast could say, so it crosses an exchange with names
 * and loses them on the other side.
 *
 *   Exchange > x    Project (row(s.f1, s.f2) for named s) > Exchange > Project (s cast to STRUCT(f1 …, f2 …)) > x
 *
 * Inside of lists too; inside of a MAP or an ARRAY the exchange refuses it.
 */

import type { DuckType } from '../../proto/types.ts'
import { castTo } from '../bare-rows.ts'
import type { Expression } from '../expression.ts'
import { inputs, isUncut, type Exchange, type Plan } from '../plan.ts'
import { hasName } from '../type-name.ts'
import { columnTypes, type TableTypes } from './columns.ts'
import { column } from './expressions.ts'
import { mapKeys } from './operator.ts'
import { withInputs } from './with-inputs.ts'

/** The very same plan if no such struct crosses an exchange. */
export function nameStructs(plan: Plan, tables: TableTypes): Plan {
  const made = new Map<Exchange | number, Exchange>()
  const rewrite = (below: Plan): Plan => {
    if (below.kind !== 'Exchange') return withInputs(below, inputs(below).map(rewrite))
    if (isUncut(below.to)) return withInputs(below, [rewrite(below.input)])
    const types = columnTypes(below.input, tables)
    const identity = below.shared ?? below
    const known = made.get(identity) ?? named({ ...below, input: rewrite(below.input) }, types)
    made.set(identity, known)
    const read = known.reads === below.reads ? known : { ...known, reads: below.reads }
    if (types.every(hasName)) return read
    return { kind: 'Project', input: read, rows: read.rows, expressions: types.map(unnamedColumn) }
  }
  return rewrite(plan)
}

function named(exchange: Exchange, types: readonly DuckType[]): Exchange {
  if (types.every(hasName)) return exchange
  const expressions = types.map((type, i): Expression => hasName(type) ? column(i, type)
    : { kind: 'Cast', child: column(i, type), type: namedType(type), try: false, origin: null })
  const input: Plan = { kind: 'Project', input: exchange.input, expressions, rows: exchange.rows }
  const to = mapKeys(exchange.to, key => key.kind === 'ColumnRef' ? withNames(key) : key)
  return { ...exchange, input, to }
}

function withNames(key: Extract<Expression, { kind: 'ColumnRef' }>): Expression {
  return hasName(key.type) ? key : { ...key, type: namedType(key.type) }
}

function namedType(type: DuckType): DuckType {
  switch (type.kind) {
    case 'list': return { kind: 'list', child: namedType(type.child) }
    case 'struct':
      return {
        kind: 'struct', fields: type.fields.map((field, i) =>
          ({ name: field.name === '' ? fieldName(i) : field.name, type: namedType(field.type) })),
      }
    default: return type
  }
}

const fieldName = (i: number): string => `f${i + 1}`

/** The value without the names that `type` does not have. */
function unnamedColumn(type: DuckType, i: number): Expression {
  return castTo(column(i, namedType(type)), type)
}
