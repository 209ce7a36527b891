/** A value that a client has sent as Arrow, as a literal of SQL that has its value and its type. */

import type { Constant, Literal } from '../planner/expression.ts'
import { castLiteralSql, literalSql } from '../planner/literal.ts'
import { unreachable } from '../proto/errors.ts'
import { isSet } from '../proto/ingest/buffer-reader.ts'
import { DictionaryRows } from '../proto/ingest/dictionary-rows.ts'
import {
  ArrayRows, BitRows, FixedRows, ListRows, NullRows, StructRows, type IngestRows,
} from '../proto/ingest/ingest-rows.ts'
import { StringRows } from '../proto/ingest/text-rows.ts'
import { doubleText, floatText } from '../proto/number-text.ts'
import type { DuckType, ScalarName } from '../proto/types.ts'

/** What stands for a parameter. A NULL without a type, and a text, fit wherever DuckDB lets them. */
export function valueSql(type: DuckType, rows: IngestRows, row: number): string {
  if (rows instanceof NullRows) return 'NULL'
  const constant = constantOf(type, rows, row)
  // a bare number would be the position of a column in ORDER BY and GROUP BY
  return constant.value.kind === 'integer' ? castLiteralSql(constant) : literalSql(constant)
}

function constantOf(type: DuckType, rows: IngestRows, row: number): Constant {
  return { kind: 'Constant', type, value: rows.isNull(row) ? { kind: 'null' } : literalOf(type, rows, row) }
}

function literalOf(type: DuckType, rows: IngestRows, row: number): Literal {
  if (rows instanceof DictionaryRows) return literalOf(type, rows.values, rows.indices[row] ?? 0)
  if (rows instanceof BitRows) return { kind: 'boolean', value: isSet(rows.bits, row) }
  if (rows instanceof StringRows) return textOf(type, rows, row)
  if (rows instanceof FixedRows) {
    return fixedOf(type, Buffer.from(rows.bytes.subarray(row * rows.width, (row + 1) * rows.width)))
  }
  return { kind: 'children', values: childrenOf(type, rows, row) }
}

function childrenOf(type: DuckType, rows: IngestRows, row: number): Constant[] {
  const range = (child: DuckType, of: IngestRows, from: number, to: number): Constant[] =>
    Array.from({ length: to - from }, (_, i) => constantOf(child, of, from + i))
  switch (type.kind) {
    case 'list': if (rows instanceof ListRows) {
      return range(type.child, rows.child, rows.offsets[row] ?? 0, rows.offsets[row + 1] ?? 0)
    } break
    case 'map': if (rows instanceof ListRows) {
      const entry: DuckType = {
        kind: 'struct', fields: [{ name: 'key', type: type.key }, { name: 'value', type: type.value }],
      }
      return range(entry, rows.child, rows.offsets[row] ?? 0, rows.offsets[row + 1] ?? 0)
    } break
    case 'array': if (rows instanceof ArrayRows) {
      return range(type.child, rows.child, row * rows.size, (row + 1) * rows.size)
    } break
    case 'struct': if (rows instanceof StructRows) {
      const { children } = rows
      return type.fields.flatMap((field, i) => {
        const child = children[i]
        return child === undefined ? [] : [constantOf(field.type, child, row)]
      })
    } break
    case 'scalar': case 'decimal': case 'enum': case 'union': break
    default: unreachable(type)
  }
  throw new Error(`rows of another type than ${type.kind}`)
}

function textOf(type: DuckType, rows: StringRows, row: number): Literal {
  const bytes = Buffer.from(rows.value(row))
  if (type.kind === 'scalar' && type.name === 'BLOB') {
    return { kind: 'blob', text: bytes.toString('hex').replace(/../g, '\\x$&') }
  }
  return { kind: 'text', value: bytes.toString() }
}

/** DuckDB's own bytes of a value, little-endian. */
function fixedOf(type: DuckType, bytes: Buffer): Literal {
  if (type.kind === 'decimal') return { kind: 'decimal', unscaled: signed(bytes) }
  if (type.kind !== 'scalar') throw new Error(`a value of fixed width of type ${type.kind}`)
  const { name } = type
  switch (name) {
    case 'FLOAT': return { kind: 'float', text: floatText(bytes.readFloatLE()) }
    case 'DOUBLE': return { kind: 'float', text: doubleText(bytes.readDoubleLE()) }
    case 'DATE': return { kind: 'date', days: bytes.readInt32LE() }
    case 'TIME': case 'TIME_NS': return { kind: 'time', count: bytes.readBigInt64LE() }
    case 'TIMESTAMP': case 'TIMESTAMP_S': case 'TIMESTAMP_MS': case 'TIMESTAMP_NS': case 'TIMESTAMP WITH TIME ZONE':
      return { kind: 'timestamp', count: bytes.readBigInt64LE() }
    case 'INTERVAL': return {
      kind: 'interval', months: bytes.readInt32LE(0), days: bytes.readInt32LE(4), micros: bytes.readBigInt64LE(8),
    }
    case 'UUID': return { kind: 'uuid', stored: signed(bytes) }
    default: return { kind: 'integer', value: isUnsigned(name) ? unsigned(bytes) : signed(bytes) }
  }
}

function isUnsigned(name: ScalarName): boolean {
  return name === 'UTINYINT' || name === 'USMALLINT' || name === 'UINTEGER' || name === 'UBIGINT'
}

function unsigned(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function signed(bytes: Buffer): bigint {
  return BigInt.asIntN(bytes.length * 8, unsigned(bytes))
}
