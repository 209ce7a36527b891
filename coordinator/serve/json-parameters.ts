/**
 * Values of parameters in a request's JSON, as literals of SQL: a list in the order of the parameters, or an object by
 * their names.
 *
 *   null, true, 'text'      NULL, BOOLEAN, a text that fits wherever DuckDB lets one
 *   12, 1.50, 1e3           as DuckDB reads the number: INTEGER, BIGINT or HUGEINT, DECIMAL(3,2), DOUBLE
 *   [1, 2], {"a": 1}        a list, a STRUCT
 *   {"type": "DATE", "value": "2020-01-01"}   cast to the type; JSON and MAP are made of objects too
 *
 * Numbers keep all their digits.
 */

import { parameterNames, type Parameter } from '../../planner/parameters.ts'
import { hasName, typeName } from '../../planner/type-name.ts'
import { QueryError } from '../../proto/errors.ts'
import { quoteText } from '../../proto/sql-text.ts'
import { knownDuckType, type DuckType } from '../../proto/types.ts'

/** A number of the JSON text, with its digits. */
class JsonNumber {
  readonly digits: string

  constructor(digits: string) {
    this.digits = digits
  }
}

/** Deeper values are not written by people. */
const MAX_DEPTH = 100
const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/
/** An object that stands for a number while JSON is parsed. */
const WRAP = '$number'
const MAX_DECIMAL_DIGITS = 38
const integers = [
  ['INTEGER', 2n ** 31n], ['BIGINT', 2n ** 63n], ['HUGEINT', 2n ** 127n],
] as const

/** The field `parameters` of a body that is a JSON object: a list, or an object. */
export function readParameters(body: Buffer): object {
  const wrapped = body.toString('utf8').replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, token =>
    token.startsWith('"') ? token : `{"${WRAP}":"${token}"}`)
  const { parameters } = JSON.parse(wrapped, (_, value: unknown) => unwrap(value)) as { readonly parameters: unknown }
  if (parameters !== null && typeof parameters === 'object' && !(parameters instanceof JsonNumber)) return parameters
  throw wrong('parameters must be a list, or an object by names')
}

function unwrap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const [[name, digits] = [], ...more] = Object.entries(value)
  const isNumber = name === WRAP && more.length === 0 && typeof digits === 'string' && NUMBER.test(digits)
  return isNumber ? new JsonNumber(digits) : value
}

/** SQL by the names of the parameters. Throws INVALID_REQUEST for a value too few or too many, or without SQL. */
export function parameterValues(parameters: readonly Parameter[], given: object): ReadonlyMap<string, string> {
  const names = parameterNames(parameters)
  const values = new Map(Array.isArray(given) ? given.map((value, i) => [names[i] ?? String(i + 1), value as unknown])
    : Object.entries(given).map(([name, value]) => [name.toLowerCase().replace(/^\$/, ''), value as unknown]))
  if (Array.isArray(given) && given.length !== names.length) {
    throw wrong(`${given.length} values are given for ${names.length} parameters`)
  }
  const extra = [...values.keys()].find(name => !names.includes(name))
  if (extra !== undefined) throw wrong(`the statement has no parameter $${extra}`)
  return new Map([...values].map(([name, value]) => [name, valueSql(value, undefined, `parameter $${name}`, 0)]))
}

/** `type`: of the typed form, which a cast around all of it gives; here it says what an object is. */
function valueSql(value: unknown, type: DuckType | undefined, where: string, depth: number): string {
  if (depth > MAX_DEPTH) throw wrong(`${where} is nested more than ${MAX_DEPTH} deep`)
  if (value === null) return 'NULL'
  if (type?.kind === 'scalar' && type.name === 'JSON') return quoted(jsonText(value), where)
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (typeof value === 'string') return quoted(value, where)
  if (value instanceof JsonNumber) return type === undefined ? numberSql(value) : quoteText(value.digits)
  if (Array.isArray(value)) {
    const child = type?.kind === 'list' || type?.kind === 'array' ? type.child : undefined
    return `[${value.map(item => valueSql(item, child, where, depth + 1)).join(', ')}]`
  }
  return objectSql(value as object, type, where, depth)
}

function objectSql(value: object, type: DuckType | undefined, where: string, depth: number): string {
  if (type === undefined && 'type' in value && 'value' in value && Object.keys(value).length === 2) {
    return typedSql(value.type, value.value, where, depth)
  }
  const isMap = type?.kind === 'map'
  const typeOf = (name: string): DuckType | undefined => isMap ? type.value
    : type?.kind === 'struct' ? type.fields.find(field => sameName(field.name, name))?.type : undefined
  const fields = Object.entries(value).map(([name, item]: [string, unknown]) =>
    `${quoted(name, where)}: ${valueSql(item, typeOf(name), where, depth + 1)}`)
  if (fields.length === 0 && !isMap) throw wrong(`${where} is an object without fields`)
  return `${isMap ? 'MAP ' : ''}{${fields.join(', ')}}`
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function typedSql(name: unknown, value: unknown, where: string, depth: number): string {
  const type = typeof name === 'string' ? knownDuckType(name) : undefined
  if (type === undefined || !hasName(type)) throw wrong(`${where} has a type that is none: ${JSON.stringify(name)}`)
  return `CAST(${valueSql(value, type, where, depth + 1)} AS ${typeName(type)})`
}

/** Never bare: in ORDER BY and GROUP BY that would be the position of a column. */
function numberSql({ digits }: JsonNumber): string {
  return `CAST(${quoteText(digits)} AS ${numberType(digits)})`
}

function numberType(digits: string): string {
  const [whole = '', fraction] = digits.replace(/^-/, '').split('.')
  if (/[eE]/.test(digits)) return 'DOUBLE'
  if (fraction === undefined) {
    const value = BigInt(digits)
    return integers.find(([, limit]) => value >= -limit && value < limit)?.[0] ?? 'DOUBLE'
  }
  const width = whole.length + fraction.length
  return width > MAX_DECIMAL_DIGITS ? 'DOUBLE' : `DECIMAL(${width},${fraction.length})`
}

function quoted(text: string, where: string): string {
  if (text.includes('\0')) throw wrong(`${where} has a zero character`)
  return quoteText(text)
}

function jsonText(value: unknown): string {
  if (value instanceof JsonNumber) return value.digits
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${jsonText(item)}`).join(',')}}`
}

function wrong(message: string): QueryError {
  return new QueryError('INVALID_REQUEST', message)
}
