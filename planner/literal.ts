/**
 * Constants as SQL. Each text is bound again to the same value and the same type, whatever the settings of the session:
 * times go through functions of numbers, not through text that a time zone or a calendar could read otherwise.
 */

import { unreachable } from '../proto/errors.ts'
import { quoteText } from '../proto/sql-text.ts'
import type { DuckType } from '../proto/types.ts'
import type { Constant, Literal } from './expression.ts'
import { hasName, typeName } from './type-name.ts'
import { Unsupported } from './unsupported.ts'

type Of<Kind extends Literal['kind']> = Extract<Literal, { kind: Kind }>

export function literalSql(constant: Constant): string {
  const { value, type } = constant
  switch (value.kind) {
    case 'null': return nullSql(type)
    case 'boolean': return value.value ? 'TRUE' : 'FALSE'
    case 'integer': return integer(value.value, type)
    case 'float': return cast(value.text, type)
    case 'decimal': return cast(decimalText(value.unscaled, type), type)
    case 'text': return text(value.value, type)
    case 'blob': return cast(value.text, type)
    case 'date': return date(value.days)
    case 'time': return time(value.count, type)
    case 'timetz': return cast(timeText(value.micros, MICRO_DIGITS) + offsetText(value.offsetSeconds), type)
    case 'timestamp': return timestamp(value.count, type)
    case 'interval': return `(to_months(${value.months}) + to_days(${value.days}) + to_microseconds(${value.micros}))`
    case 'uuid': return cast(uuidText(value.stored), type)
    case 'children': return children(value, type)
    case 'enum': return cast(enumText(value, type), type)
    default: return unreachable(value)
  }
}

/** A type that a cast cannot say is that of a value which is not there. */
export function nullSql(type: DuckType): string {
  if (isScalar(type, '"NULL"')) return 'NULL'
  return hasName(type) ? `CAST(NULL AS ${typeName(type)})` : `(CASE WHEN FALSE THEN ${valueOf(type)} END)`
}

function valueOf(type: DuckType): string {
  if (hasName(type)) return nullSql(type)
  if (type.kind === 'list') return `[${valueOf(type.child)}]`
  const isRow = type.kind === 'struct' && type.fields.every(({ name }) => name === '')
  return isRow ? `row(${type.fields.map(field => valueOf(field.type)).join(', ')})` : typeName(type)
}

/** A constant where a bare one would be read as the number of a column. */
export function castLiteralSql(constant: Constant): string {
  return `CAST(${literalSql(constant)} AS ${typeName(constant.type)})`
}

const cast = (value: string, type: DuckType) => `CAST(${quoteText(value)} AS ${typeName(type)})`
const isScalar = (type: DuckType, name: string) => type.kind === 'scalar' && type.name === name

/** A bare number is an INTEGER, but for the smallest one, whose digits alone are a BIGINT. */
function integer(value: bigint, type: DuckType): string {
  if (!isScalar(type, 'INTEGER') || value === -2147483648n) return cast(`${value}`, type)
  return value < 0n ? `(${value})` : `${value}`
}

/** A bare text is a VARCHAR. The byte 0 would end the statement. */
function text(value: string, type: DuckType): string {
  const sql = value.split('\0').map(quoteText).join(' || chr(0) || ')
  if (!isScalar(type, 'VARCHAR')) return `CAST(${sql} AS ${typeName(type)})`
  return value.includes('\0') ? `(${sql})` : sql
}

export function decimalText(unscaled: bigint, type: DuckType): string {
  if (type.kind !== 'decimal') throw new Unsupported('decimal constant of another type')
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(type.scale + 1, '0')
  const point = digits.length - type.scale
  const fraction = type.scale > 0 ? `.${digits.slice(point)}` : ''
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${fraction}`
}

const LARGEST_INT32 = 2147483647
const DAY_MS = 24 * 60 * 60 * 1000
/** Days of 0001-01-01 and of 9999-12-31: between them a date has one plain text. */
const FIRST_PLAIN_DAY = -719162
const LAST_PLAIN_DAY = 2932896

function date(days: number): string {
  if (Math.abs(days) >= LARGEST_INT32) return `DATE '${days < 0 ? '-' : ''}infinity'`
  if (days < FIRST_PLAIN_DAY || days > LAST_PLAIN_DAY) return `(DATE '1970-01-01' + (${days}))`
  return `DATE '${new Date(days * DAY_MS).toISOString().slice(0, 10)}'`
}

const MICRO_DIGITS = 6
const NANO_DIGITS = 9

function time(count: bigint, type: DuckType): string {
  return cast(timeText(count, isScalar(type, 'TIME_NS') ? NANO_DIGITS : MICRO_DIGITS), type)
}

/** From 00:00:00 to 24:00:00, which is another time than 00:00:00. */
function timeText(count: bigint, fractionDigits: number): string {
  const unit = 10n ** BigInt(fractionDigits)
  const fraction = (count % unit).toString().padStart(fractionDigits, '0')
  return `${clockText(Number(count / unit))}.${fraction}`
}

function clockText(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

function offsetText(seconds: number): string {
  return `${seconds < 0 ? '-' : '+'}${clockText(Math.abs(seconds))}`
}

const LARGEST_INT64 = 9223372036854775807n

function timestamp(count: bigint, type: DuckType): string {
  if (type.kind !== 'scalar') throw new Unsupported('timestamp of another type')
  if (count === LARGEST_INT64) return cast('infinity', type)
  if (count === -LARGEST_INT64) return cast('-infinity', type)
  switch (type.name) {
    case 'TIMESTAMP': return `make_timestamp(${count})`
    case 'TIMESTAMP_NS': return `make_timestamp_ns(${count})`
    case 'TIMESTAMP_MS': return `CAST(make_timestamp(${micros(count, 1000n)}) AS TIMESTAMP_MS)`
    case 'TIMESTAMP_S': return `CAST(make_timestamp(${micros(count, 1_000_000n)}) AS TIMESTAMP_S)`
    case 'TIMESTAMP WITH TIME ZONE':
      return `CAST(make_timestamp(${count}) AT TIME ZONE 'UTC' AS TIMESTAMP WITH TIME ZONE)`
    default: throw new Unsupported(`timestamp of type ${type.name}`)
  }
}

/** Seconds and milliseconds reach further than microseconds do. */
function micros(count: bigint, factor: bigint): bigint {
  const product = count * factor
  if (product >= LARGEST_INT64 || product <= -LARGEST_INT64) throw new Unsupported('timestamp out of range')
  return product
}

/** DuckDB stores UUIDs with the top bit flipped, so that they sort as signed numbers. */
function uuidText(stored: bigint): string {
  const hex = BigInt.asUintN(128, stored ^ (1n << 127n)).toString(16).padStart(32, '0')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function enumText({ index }: Of<'enum'>, type: DuckType): string {
  const value = type.kind === 'enum' ? type.values[index] : undefined
  if (value === undefined) throw new Unsupported('enum constant')
  return value
}

function children({ values }: Of<'children'>, type: DuckType): string {
  const items = values.map(literalSql)
  switch (type.kind) {
    case 'list': case 'array': return `CAST([${items.join(', ')}] AS ${typeName(type)})`
    case 'struct': return structSql(type, items)
    case 'map': {
      const entries = `STRUCT("key" ${typeName(type.key)}, "value" ${typeName(type.value)})[]`
      return `map_from_entries(CAST([${items.join(', ')}] AS ${entries}))`
    }
    default: throw new Unsupported(`constant of type ${type.kind}`)
  }
}

/** A struct of these values, named or as row() makes it. */
export function structSql(type: DuckType, items: readonly string[]): string {
  if (type.kind !== 'struct' || type.fields.length !== items.length) throw new Unsupported('struct of another type')
  const names = type.fields.map(({ name }) => name)
  if (names.every(name => name === '')) return `row(${items.join(', ')})`
  if (names.some(name => name === '')) throw new Unsupported('struct with some names')
  return `{${names.map((name, i) => `${quoteText(name)}: ${items[i] ?? ''}`).join(', ')}}`
}
