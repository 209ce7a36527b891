/** Constants as the plan's JSON holds them: `{ type, is_null, value }`; what `value` looks like depends on the type. */

import type { DuckType } from '../proto/types.ts'
import { unreachable } from '../proto/errors.ts'
import { decodeType } from './decode-type.ts'
import type { Constant, Literal } from './expression.ts'
import type { JsonNode } from './json-node.ts'

export function decodeConstant(node: JsonNode): Constant {
  node.only('type', 'is_null', 'value')
  const type = decodeType(node.node('type'))
  if (node.boolean('is_null')) return { kind: 'Constant', type, value: { kind: 'null' } }
  return { kind: 'Constant', type, value: literal(node, type) }
}

function literal(node: JsonNode, type: DuckType): Literal {
  switch (type.kind) {
    case 'scalar': return scalar(node, type.name)
    case 'decimal': return { kind: 'decimal', unscaled: wide(node.node('value')) }
    case 'enum': {
      const index = node.count('value')
      return index < type.values.length ? { kind: 'enum', index } : node.refuse('enum value')
    }
    case 'list': case 'array': case 'struct': case 'map': {
      const values = node.node('value').only('children').list('children').map(decodeConstant)
      if (type.kind === 'struct' && values.length !== type.fields.length) return node.refuse('fields of a struct')
      return { kind: 'children', values }
    }
    case 'union': return node.refuse('constant of a UNION')
    default: return unreachable(type)
  }
}

function scalar(node: JsonNode, name: Extract<DuckType, { kind: 'scalar' }>['name']): Literal {
  switch (name) {
    case 'BOOLEAN': return { kind: 'boolean', value: node.boolean('value') }
    case 'TINYINT': case 'SMALLINT': case 'INTEGER': case 'BIGINT':
    case 'UTINYINT': case 'USMALLINT': case 'UINTEGER': case 'UBIGINT':
      return { kind: 'integer', value: node.integer('value') }
    case 'HUGEINT': case 'UHUGEINT': return { kind: 'integer', value: wide(node.node('value')) }
    case 'FLOAT': case 'DOUBLE': return { kind: 'float', text: floatText(node.node('value').asFloat()) }
    case 'VARCHAR': case 'JSON': return { kind: 'text', value: node.text('value') }
    case 'BLOB': return { kind: 'blob', text: node.text('value') }
    case 'UUID': return { kind: 'uuid', stored: wide(node.node('value')) }
    case 'DATE': return { kind: 'date', days: Number(node.integer('value')) }
    case 'TIME': case 'TIME_NS': return { kind: 'time', count: node.integer('value') }
    case 'TIME WITH TIME ZONE': return timetz(node.integer('value'))
    case 'TIMESTAMP': case 'TIMESTAMP_S': case 'TIMESTAMP_MS': case 'TIMESTAMP_NS': case 'TIMESTAMP WITH TIME ZONE':
      return { kind: 'timestamp', count: node.integer('value') }
    case 'INTERVAL': {
      const value = node.node('value').only('months', 'days', 'micros')
      const [months, days] = [Number(value.integer('months')), Number(value.integer('days'))]
      return { kind: 'interval', months, days, micros: value.integer('micros') }
    }
    case 'BIT': case 'BIGNUM': case 'VARIANT': case 'GEOMETRY': case '"NULL"':
      return node.refuse(`constant of type ${name}`)
    default: return unreachable(name)
  }
}

/** A 128-bit integer: bare when DuckDB stores fewer bits, else `{ upper, lower }` with the sign in `upper`. */
function wide(value: JsonNode): bigint {
  if (value.isNumber()) return value.asInteger()
  value.only('upper', 'lower')
  return (value.integer('upper') << 64n) + value.integer('lower')
}

/** DuckDB reads this back to the same bits (but of NaN, of which it keeps one). */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return Object.is(value, -0) ? '-0.0' : String(value)
}

/** 40 bits of microseconds, then 24 bits of the offset, counted down from the largest: 15:59:59. */
function timetz(bits: bigint): Literal {
  const MAX_OFFSET_SECONDS = 16 * 60 * 60 - 1
  return { kind: 'timetz', micros: bits >> 24n, offsetSeconds: MAX_OFFSET_SECONDS - Number(bits & 0xFF_FFFFn) }
}
