/**
 * DuckDB types as elements of a Parquet schema: for the columns of a skeleton that no Parquet file gives, those of CSV
 * and JSON files and Hive keys. Every column is optional. Numbers are those of the Parquet format.
 */

import type { ThriftValue } from '../cache/thrift-reader.ts'
import { type DuckType, type ScalarName, parseDuckType, sameType, typeText } from '../proto/types.ts'

const OPTIONAL = 1
const REPEATED = 2

/**
 * What a table's column is declared as, so that its skeleton and its files have the same type: `type` itself, or for
 * the few that Parquet has no word for the nearest that keeps the values.
 */
export function skeletonType(type: string): string {
  const declared = parseDuckType(type)
  const nearest = expressible(declared)
  return sameType(nearest, declared) ? type : typeText(nearest)
}

function expressible(type: DuckType): DuckType {
  switch (type.kind) {
    case 'scalar': return scalars[type.name] !== undefined ? type : replacements[type.name] ?? text
    case 'list': return { ...type, child: expressible(type.child) }
    case 'array': return { kind: 'list', child: expressible(type.child) }
    case 'map': return { ...type, key: expressible(type.key), value: expressible(type.value) }
    case 'struct':
      return { ...type, fields: type.fields.map(field => ({ ...field, type: expressible(field.type) })) }
    case 'decimal': return type
    case 'enum': case 'union': return text
  }
}

/** The elements of one column, its own first; `type` is one that `skeletonType` gives. */
export function columnElements(name: string, type: string): ThriftValue[] {
  return elements(name, parseDuckType(type), OPTIONAL)
}

function elements(name: string, type: DuckType, repetition: number): ThriftValue[] {
  switch (type.kind) {
    case 'scalar': return [leaf(name, repetition, scalars[type.name] ?? string)]
    case 'decimal': return [leaf(name, repetition, decimal(type.width, type.scale))]
    case 'list':
      return [group(name, repetition, 1, LIST), group('list', REPEATED, 1),
        ...elements('element', type.child, OPTIONAL)]
    case 'map':
      return [group(name, repetition, 1, MAP), group('key_value', REPEATED, 2),
        ...elements('key', type.key, 0), ...elements('value', type.value, OPTIONAL)]
    case 'struct':
      return [group(name, repetition, type.fields.length),
        ...type.fields.flatMap(field => elements(field.name, field.type, OPTIONAL))]
    default: throw new Error(`no Parquet type for ${typeText(type)}`)
  }
}

/** Fields of an element beside its name and repetition. */
interface Leaf {
  readonly physical: number
  readonly length?: number
  readonly converted?: number
  readonly scale?: number
  readonly precision?: number
  readonly logical?: ThriftValue
}

function leaf(name: string, repetition: number, { physical, length, ...more }: Leaf): ThriftValue {
  const optional = {
    ...(more.converted === undefined ? {} : { field_6: more.converted }),
    ...(more.scale === undefined ? {} : { field_7: more.scale }),
    ...(more.precision === undefined ? {} : { field_8: more.precision }),
    ...(more.logical === undefined ? {} : { field_10: more.logical }),
  }
  const head = { field_1: physical, ...(length === undefined ? {} : { field_2: length }) }
  return { ...head, field_3: repetition, field_4: name, ...optional }
}

const MAP = 1
const LIST = 3

function group(name: string, repetition: number, children: number, converted?: number): ThriftValue {
  const head = { field_3: repetition, field_4: name, field_5: children }
  return converted === undefined ? head : { ...head, field_6: converted }
}

const MICROS = { field_2: {} }
const NANOS = { field_3: {} }
const string: Leaf = { physical: 6, converted: 0 }
const text: DuckType = { kind: 'scalar', name: 'VARCHAR' }

function decimal(precision: number, scale: number): Leaf {
  const [physical, length] = precision <= 9 ? [1, undefined] : precision <= 18 ? [2, undefined] : [7, 16]
  return { physical, ...(length === undefined ? {} : { length }), converted: 5, scale, precision }
}

const scalars: Readonly<Partial<Record<ScalarName, Leaf>>> = {
  BOOLEAN: { physical: 0 },
  TINYINT: { physical: 1, converted: 15 }, SMALLINT: { physical: 1, converted: 16 },
  INTEGER: { physical: 1, converted: 17 }, BIGINT: { physical: 2, converted: 18 },
  UTINYINT: { physical: 1, converted: 11 }, USMALLINT: { physical: 1, converted: 12 },
  UINTEGER: { physical: 1, converted: 13 }, UBIGINT: { physical: 2, converted: 14 },
  FLOAT: { physical: 4 }, DOUBLE: { physical: 5 },
  VARCHAR: string, JSON: { physical: 6, converted: 19 }, BLOB: { physical: 6 },
  UUID: { physical: 7, length: 16, logical: { field_14: {} } },
  DATE: { physical: 1, converted: 6 },
  TIME: { physical: 2, logical: { field_7: { field_1: false, field_2: MICROS } } },
  'TIME WITH TIME ZONE': { physical: 2, logical: { field_7: { field_1: true, field_2: MICROS } } },
  TIMESTAMP: { physical: 2, logical: { field_8: { field_1: false, field_2: MICROS } } },
  TIMESTAMP_NS: { physical: 2, logical: { field_8: { field_1: false, field_2: NANOS } } },
  'TIMESTAMP WITH TIME ZONE': { physical: 2, logical: { field_8: { field_1: true, field_2: MICROS } } },
  INTERVAL: { physical: 7, length: 12, converted: 21 },
}

/** The rest becomes VARCHAR, the text that the file has anyway. */
const replacements: Readonly<Partial<Record<ScalarName, DuckType>>> = {
  HUGEINT: { kind: 'decimal', width: 38, scale: 0 },
  UHUGEINT: { kind: 'decimal', width: 38, scale: 0 },
  TIMESTAMP_S: { kind: 'scalar', name: 'TIMESTAMP' },
  TIMESTAMP_MS: { kind: 'scalar', name: 'TIMESTAMP' },
}
