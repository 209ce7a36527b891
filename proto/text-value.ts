/**
 * The values of a column as DuckDB prints them when cast to VARCHAR. A reader is made once per column of a record batch
 * and asked row by row; it knows its type already, so a cell costs one call.
 */

import { isNull, type Column, type FractionDigits } from './arrow.ts'
import { unreachable } from './errors.ts'
import { decimalText, doubleText, floatText, int128Text, int64Text } from './number-text.ts'
import { infinityText, instantText, intervalText, offsetText, timeText, dateText } from './time-text.ts'
import type { TimeZone } from './time-zone.ts'

/** The text of a row's value; null is NULL. */
export type TextReader = (row: number) => string | null

/** High words of an int64 within these bounds leave it exact as a double (below 2^53). */
const EXACT_HIGH = 0x1fffff

/** `zone` is the session's, for TIMESTAMP WITH TIME ZONE. */
export function textReader(column: Column, zone: TimeZone): TextReader {
  const value = valueReader(column, zone)
  if (column.kind !== 'null' && column.validity === null) return value
  return row => isNull(column, row) ? null : value(row)
}

/** As textReader, but only for rows that are not NULL. */
export function valueReader(column: Column, zone: TimeZone): (row: number) => string {
  switch (column.kind) {
    case 'null': return () => 'NULL'
    case 'boolean': return row => ((column.bits[row >> 3] ?? 0) >> (row & 7) & 1) === 1 ? 'true' : 'false'
    case 'integer': return row => String(column.values[row])
    case 'integer64': return row => int64Text((column.words[row * 2] ?? 0) >>> 0, highWord(column, row))
    case 'float': return row => floatText(column.values[row] ?? 0)
    case 'double': return row => doubleText(column.values[row] ?? 0)
    case 'decimal': {
      // a decimal without digits before the point is printed without the zero
      const leadingZero = column.type?.kind !== 'decimal' || column.type.width > column.type.scale
      return row => decimalText(int128Text(column.words, row * 4), column.scale, leadingZero)
    }
    case 'date': return row => dateText(column.days[row] ?? 0)
    case 'time': {
      const { words, digits } = column
      return instantReader(words, digits, (seconds, fraction) => timeText(seconds, fraction, digits))
    }
    case 'timestamp': return timestampReader(column, zone)
    case 'interval': {
      const { words } = column
      return row => intervalText(words[row * 4] ?? 0, words[row * 4 + 1] ?? 0, int64(words, row * 2 + 1) / 1000n)
    }
    case 'fixed': return row => fixedText(column, row)
    case 'text': return utf8Reader(column)
    case 'binary': return row => blobText(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]))
    case 'list': {
      const element = nestedReader(column.child, zone, 'list')
      return row => `[${range(column.offsets[row] ?? 0, column.offsets[row + 1] ?? 0, element)}]`
    }
    case 'array': {
      const element = nestedReader(column.child, zone, 'array')
      return row => `[${range(row * column.size, (row + 1) * column.size, element)}]`
    }
    case 'struct': return structReader(column, zone)
    case 'map': {
      const key = nestedReader(column.key, zone, 'map')
      const value = nestedReader(column.value, zone, 'map')
      const entry = (at: number) => `${key(at)}=${value(at)}`
      return row => `{${range(column.offsets[row] ?? 0, column.offsets[row + 1] ?? 0, entry)}}`
    }
    default: return unreachable(column)
  }
}

function highWord(column: { readonly signed: boolean; readonly words: Int32Array }, row: number): number {
  const high = column.words[row * 2 + 1] ?? 0
  return column.signed ? high : high >>> 0
}

/** The int64 at position `at` of an array of pairs of words. */
function int64(words: Int32Array, at: number): bigint {
  return (BigInt(words[at * 2 + 1] ?? 0) << 32n) | BigInt((words[at * 2] ?? 0) >>> 0)
}

/** Splits an int64 in units of 10^-digits seconds into whole seconds, rounded down, and the rest. */
function instantReader(
  words: Int32Array, digits: FractionDigits, text: (seconds: number, fraction: number) => string,
): (row: number) => string {
  const unit = 10 ** digits
  return row => {
    const high = words[row * 2 + 1] ?? 0
    if (high <= EXACT_HIGH && high >= -EXACT_HIGH) {
      const value = high * 0x1_0000_0000 + ((words[row * 2] ?? 0) >>> 0)
      const seconds = Math.floor(value / unit)
      return text(seconds, value - seconds * unit)
    }
    const value = int64(words, row)
    const infinity = infinityText(value)
    if (infinity !== undefined) return infinity
    const fraction = ((value % BigInt(unit)) + BigInt(unit)) % BigInt(unit)
    return text(Number((value - fraction) / BigInt(unit)), Number(fraction))
  }
}

function timestampReader(column: Column & { readonly kind: 'timestamp' }, zone: TimeZone): (row: number) => string {
  const { digits, words } = column
  if (!column.zoned) return instantReader(words, digits, (seconds, fraction) => instantText(seconds, fraction, digits))
  return instantReader(words, digits, (seconds, fraction) => {
    const offset = zone.offsetSeconds(seconds)
    return instantText(seconds + offset, fraction, digits) + offsetText(offset)
  })
}

function fixedText({ bytes, width, type }: Column & { readonly kind: 'fixed' }, row: number): string {
  const value = bytes.subarray(row * width, (row + 1) * width)
  if (width !== 16 || (type !== undefined && !(type.kind === 'scalar' && type.name === 'UUID'))) return blobText(value)
  const hex = value.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** A column of ASCII is decoded at once and cut; any other, value by value. */
export function utf8Reader(
  { offsets, bytes }: { readonly offsets: Int32Array; readonly bytes: Buffer },
): (row: number) => string {
  const all = bytes.toString('utf8')
  if (all.length === bytes.length) return row => all.slice(offsets[row], offsets[row + 1])
  return row => bytes.toString('utf8', offsets[row], offsets[row + 1])
}

/** Printable ASCII as it is, but for backslash and quotes; the rest as \xHH. */
function blobText(bytes: Buffer): string {
  const hex = (char: string) => char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
  return bytes.toString('latin1').replace(/[^ -~]|["'\\]/g, char => `\\x${hex(char)}`)
}

function structReader(column: Column & { readonly kind: 'struct' }, zone: TimeZone): (row: number) => string {
  const unnamed = column.type?.kind === 'struct' && column.type.fields.every(field => field.name === '')
  const fields = column.children.map((child, i) => {
    const value = nestedReader(child, zone, 'struct')
    const prefix = unnamed ? '' : `'${escapeQuoted(column.names[i] ?? '')}': `
    return (row: number) => prefix + value(row)
  })
  return row => {
    const text = fields.map(field => field(row)).join(', ')
    return unnamed ? `(${text})` : `{${text}}`
  }
}

function range(from: number, to: number, element: (at: number) => string): string {
  let text = ''
  for (let at = from; at < to; at++) text += at === from ? element(at) : `, ${element(at)}`
  return text
}

type Container = 'list' | 'array' | 'struct' | 'map'

/** Inside a nested value a text that could be misread stands in quotes. */
function nestedReader(column: Column, zone: TimeZone, inside: Container): TextReader & ((row: number) => string) {
  const value = valueReader(column, zone)
  if (isNested(column, inside)) return row => isNull(column, row) ? 'NULL' : value(row)
  return row => isNull(column, row) ? 'NULL' : quoteIfNeeded(value(row))
}

const nestedKinds: ReadonlySet<Column['kind']> = new Set(['list', 'array', 'struct', 'map'])

/** Values whose own text has structure are never quoted, nor is anything in an ARRAY. */
function isNested({ kind, type }: Column, inside: Container): boolean {
  if (inside === 'array' || nestedKinds.has(kind) || type?.kind === 'union') return true
  if (type?.kind !== 'scalar') return false
  return type.name === 'VARIANT' || (type.name === 'JSON' && inside === 'list')
}

function quoteIfNeeded(text: string): string {
  const needed = text === '' || /["'(),:=[\]{}]|^[\t-\r ]|[\t-\r ]$|^null$/i.test(text)
  return needed ? `'${escapeQuoted(text)}'` : text
}

function escapeQuoted(text: string): string {
  return text.replace(/['\\]/g, '\\$&')
}
