/**
 * The values of a column as JSON text. Integers and decimals are bare numbers with all their digits, so a reader that
 * wants them exact must not parse them into doubles. LIST and ARRAY are arrays, STRUCT and MAP are objects, NULL is
 * null, and every other type is a string in DuckDB's own form, except as the style says:
 *
 *             FLOAT, DOUBLE                              JSON
 *   exact     string                                     string
 *   natural   number; NaN and infinities are strings     the JSON value itself, on one line
 */

import { isNull, type Column } from './arrow.ts'
import { decimalText, int128Text } from './number-text.ts'
import { utf8Reader, valueReader } from './text-value.ts'
import type { TimeZone } from './time-zone.ts'

export type JsonStyle = 'exact' | 'natural'

export type JsonReader = (row: number) => string

export function jsonReader(column: Column, style: JsonStyle, zone: TimeZone): JsonReader {
  const value = presentReader(column, style, zone)
  if (column.kind !== 'null' && column.validity === null) return value
  return row => isNull(column, row) ? 'null' : value(row)
}

/** For rows that are not NULL. */
function presentReader(column: Column, style: JsonStyle, zone: TimeZone): JsonReader {
  switch (column.kind) {
    case 'null': return () => 'null'
    case 'boolean': case 'integer': case 'integer64': return valueReader(column, zone)
    case 'decimal': return row => decimalText(int128Text(column.words, row * 4), column.scale, true)
    case 'float': case 'double': {
      const text = valueReader(column, zone)
      if (style === 'exact') return row => `"${text(row)}"`
      return row => Number.isFinite(column.values[row]) ? text(row) : `"${text(row)}"`
    }
    case 'date': case 'time': case 'timestamp': case 'interval': {
      const text = valueReader(column, zone) // digits, letters and punctuation that JSON leaves alone
      return row => `"${text(row)}"`
    }
    case 'text': return utf8JsonReader(column, style)
    case 'fixed': case 'binary': {
      const text = valueReader(column, zone)
      return row => JSON.stringify(text(row))
    }
    default: return nestedReader(column, style, zone)
  }
}

type NestedColumn = Extract<Column, { readonly kind: 'list' | 'array' | 'struct' | 'map' }>

function nestedReader(column: NestedColumn, style: JsonStyle, zone: TimeZone): JsonReader {
  switch (column.kind) {
    case 'list': {
      const element = jsonReader(column.child, style, zone)
      return row => `[${range(column.offsets[row] ?? 0, column.offsets[row + 1] ?? 0, element)}]`
    }
    case 'array': {
      const element = jsonReader(column.child, style, zone)
      return row => `[${range(row * column.size, (row + 1) * column.size, element)}]`
    }
    case 'struct': {
      const fields = column.children.map((child, i) => {
        const prefix = `${JSON.stringify(column.names[i])}:`
        const value = jsonReader(child, style, zone)
        return (row: number) => prefix + value(row)
      })
      return row => `{${fields.map(field => field(row)).join(',')}}`
    }
    case 'map': {
      const key = valueReader(column.key, zone)
      const value = jsonReader(column.value, style, zone)
      const entry = (at: number) => `${JSON.stringify(key(at))}:${value(at)}`
      return row => `{${range(column.offsets[row] ?? 0, column.offsets[row + 1] ?? 0, entry)}}`
    }
  }
}

function range(from: number, to: number, element: (at: number) => string): string {
  let text = ''
  for (let at = from; at < to; at++) text += at === from ? element(at) : `,${element(at)}`
  return text
}

function utf8JsonReader(column: Column & { readonly kind: 'text' | 'binary' }, style: JsonStyle): JsonReader {
  const text = utf8Reader(column)
  const name = column.type?.kind === 'scalar' ? column.type.name : undefined
  if (name === 'UHUGEINT' || name === 'BIGNUM') return text // integers that Arrow has no form for
  if (name === 'JSON' && style === 'natural') return row => oneLine(text(row))
  const special = /[^ !#-[\]-\ud7ff\ue000-\uffff]/
  if (!special.test(column.bytes.toString('utf8'))) return row => `"${text(row)}"`
  return row => JSON.stringify(text(row))
}

/** DuckDB keeps a JSON value as it was written, with line breaks, and takes NaN and trailing commas, unlike JSON. */
function oneLine(json: string): string {
  try {
    JSON.parse(json)
  } catch {
    return JSON.stringify(json)
  }
  return json.replace(/[\r\n]+/g, ' ')
}
