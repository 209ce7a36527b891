/**
 * The columns of a Parquet schema: the flat list of elements read as top-level columns with their leaves, and for each
 * plain one the DuckDB type and the kind of its statistics. The types follow DuckDB's reader, which goes by converted
 * types and looks at logical types for a few only; a type that is not listed has no statistics.
 */

import type { StatKind } from './statistics.ts'

/** One element of the footer's schema, read; enumerations by their numbers in the Parquet format. */
export interface SchemaElement {
  readonly name: string
  /** 0 BOOLEAN, 1 INT32, 2 INT64, 3 INT96, 4 FLOAT, 5 DOUBLE, 6 BYTE_ARRAY, 7 FIXED_LEN_BYTE_ARRAY; null: a group. */
  readonly physical: number | null
  readonly typeLength: number | null
  /** 0 REQUIRED, 1 OPTIONAL, 2 REPEATED. */
  readonly repetition: number | null
  readonly childCount: number
  readonly converted: number | null
  readonly scale: number
  readonly precision: number
  /** The field of the LogicalType union that is set: 8 is TIMESTAMP; null: none. */
  readonly logical: number | null
  readonly timestamp: { readonly utc: boolean; readonly unit: 'millis' | 'micros' | 'nanos' } | null
}

export interface SchemaColumn {
  readonly name: string
  /** Its elements in the schema: [from, to). */
  readonly elements: readonly [number, number]
  /** Its leaves, counted over the schema: [from, to); chunks of a row group are in this order. */
  readonly leaves: readonly [number, number]
  /** Of a plain column whose values are known to compare; else null. */
  readonly statistics: { readonly type: string; readonly as: StatKind } | null
}

/** Undefined if the elements do not form a tree. */
export function schemaColumns(elements: readonly SchemaElement[]): SchemaColumn[] | undefined {
  const [root] = elements
  if (root === undefined || root.physical !== null) return undefined
  const columns: SchemaColumn[] = []
  let element = 1
  let leaf = 0
  for (let i = 0; i < root.childCount; i++) {
    const from = element
    const firstLeaf = leaf
    for (let open = 1; open > 0; element++) {
      const current = elements[element]
      if (current === undefined) return undefined
      open += current.childCount - 1
      if (current.physical !== null) leaf++
    }
    const first = elements[from]
    if (first === undefined) return undefined
    const plain = element === from + 1 && first.physical !== null && first.repetition !== 2
    columns.push({
      name: first.name,
      elements: [from, element],
      leaves: [firstLeaf, leaf],
      statistics: plain ? statisticsOf(first) : null,
    })
  }
  return element === elements.length ? columns : undefined
}

type Statistics = SchemaColumn['statistics']

function statisticsOf(element: SchemaElement): Statistics {
  if (element.timestamp !== null) return timestamp(element.physical, element.timestamp)
  // STRING, ENUM, DECIMAL, DATE and INTEGER also have a converted type, which DuckDB reads; others are not plain
  if (element.logical !== null && ![1, 4, 5, 6, 10].includes(element.logical)) return null
  if (element.converted !== null) return converted(element, element.converted)
  switch (element.physical) {
    case 0: return { type: 'BOOLEAN', as: { kind: 'boolean' } }
    case 1: return integer('INTEGER', 4, true)
    case 2: return integer('BIGINT', 8, true)
    case 4: return { type: 'FLOAT', as: { kind: 'float', bytes: 4 } }
    case 5: return { type: 'DOUBLE', as: { kind: 'float', bytes: 8 } }
    default: return null // INT96 has no order in the format; bytes are compared by nobody here
  }
}

/** By number of the converted type: signed and unsigned integers of 8 to 64 bits. */
const integerTypes: Readonly<Record<number, readonly [type: string, bytes: 4 | 8, signed: boolean]>> = {
  11: ['UTINYINT', 4, false], 12: ['USMALLINT', 4, false], 13: ['UINTEGER', 4, false], 14: ['UBIGINT', 8, false],
  15: ['TINYINT', 4, true], 16: ['SMALLINT', 4, true], 17: ['INTEGER', 4, true], 18: ['BIGINT', 8, true],
}

function converted(element: SchemaElement, type: number): Statistics {
  const { physical } = element
  const bytes = physical === 1 ? 4 : physical === 2 ? 8 : null
  switch (type) {
    case 0: case 4: return physical === 6 ? { type: 'VARCHAR', as: { kind: 'text' } } : null
    case 5: return decimal(element)
    case 6: return bytes === 4 ? integer('DATE', 4, true) : null
    case 9: return timestamp(physical, { utc: false, unit: 'millis' })
    case 10: return timestamp(physical, { utc: false, unit: 'micros' })
    default: {
      const known = integerTypes[type]
      return known !== undefined && known[1] === bytes ? integer(...known) : null
    }
  }
}

function decimal({ physical, typeLength, precision, scale }: SchemaElement): Statistics {
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision) return null
  const type = `DECIMAL(${precision},${scale})`
  switch (physical) {
    case 1: return integer(type, 4, true)
    case 2: return integer(type, 8, true)
    case 6: return { type, as: { kind: 'decimal', bytes: null } }
    case 7: return { type, as: { kind: 'decimal', bytes: typeLength } }
    default: return null
  }
}

function timestamp(physical: number | null, { utc, unit }: NonNullable<SchemaElement['timestamp']>): Statistics {
  if (physical !== 2) return null
  const perUnit = unit === 'millis' ? 1000n : 1n
  if (unit !== 'nanos') return integer(utc ? 'TIMESTAMP WITH TIME ZONE' : 'TIMESTAMP', 8, true, perUnit)
  return utc ? null : integer('TIMESTAMP_NS', 8, true) // a TIMESTAMPTZ of nanoseconds is rounded when read
}

function integer(type: string, bytes: 4 | 8, signed: boolean, unit = 1n): Statistics {
  return { type, as: { kind: 'integer', bytes, signed, unit } }
}
