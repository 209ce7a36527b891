/** Levels of operators, and the operators that dialects have in common or in one of a few forms. */

import type { Kind, Operator, Rendered, Value } from './dialect.ts'
import { escapeText } from './literal.ts'

/** Higher binds tighter. */
export const [
  LAMBDA, OR, XOR, AND, NOT, COMPARISON, PATTERN, CONCAT, PLUS, TIMES, NEGATION, ZONE, POSTFIX,
] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] as const

type Make = Operator['make']

/** `$1` and `$2` are the operands. */
export function operator(level: number, form: string, kind: Kind): Operator {
  return { level, shown: shownForm(form), make: (left, right) => ({ sql: fill(form, [left.sql, right.sql]), kind }) }
}

export function special(level: number, shown: string, make: Make): Operator {
  return { level, shown, make }
}

export function shownForm(form: string): string {
  return form.replace(/\$1/g, 'a').replace(/\$2/g, 'b').replace(/\$3/g, 'c').replace(/\$4/g, 'd')
}

export function fill(form: string, parts: readonly string[]): string {
  return form.replace(/\$(\d)/g, (_, digit: string) => parts[Number(digit) - 1] ?? '')
}

export function isNumber({ kind }: Rendered): boolean {
  return kind === 'integer' || kind === 'fraction' || kind === 'number'
}

/** A number written out, from 1. */
export function isOrdinal({ sql, kind }: Rendered): boolean {
  return kind === 'integer' && /^[1-9]\d{0,5}$/.test(sql)
}

function isMoment({ kind }: Rendered): boolean {
  return kind === 'date' || kind === 'timestamp'
}

/** Of an integer and an integer it is an integer; with a fraction in it, a fraction. */
function numeric(left: Value, right: Value): Kind {
  if (left.kind === 'integer' && right.kind === 'integer') return 'integer'
  return left.kind === 'fraction' || right.kind === 'fraction' ? 'fraction' : 'number'
}

const DATE_UNITS = ['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR']

/** A date and whole days stay a date; a string that stands for a moment becomes one. */
export function moved(moment: Value, sign: '+' | '-', interval: string, unit: string | undefined): Rendered {
  const { sql, kind } = asMoment(moment)
  const isDate = kind === 'date' && unit !== undefined && DATE_UNITS.includes(unit)
  if (isDate) return { sql: `CAST(${sql} ${sign} ${interval} AS DATE)`, kind: 'date' }
  return { sql: `(${sql} ${sign} ${interval})`, kind: kind === 'date' ? 'timestamp' : kind }
}

export function asMoment(value: Value): Rendered {
  if (value.text === undefined) return value
  const kind = /^\s*\d{4}-\d{1,2}-\d{1,2}\s*$/.test(value.text) ? 'date' : 'timestamp'
  return { sql: `CAST(${value.sql} AS ${kind === 'date' ? 'DATE' : 'TIMESTAMP'})`, kind }
}

const plus: Make = (left, right, refuse) => {
  if (left.kind === 'interval' && right.kind === 'interval') return refuse('an interval plus an interval')
  if (right.kind === 'interval') return moved(left, '+', right.sql, right.word)
  if (left.kind === 'interval') return moved(right, '+', left.sql, left.word)
  if (isMoment(left) || isMoment(right)) return refuse('a date plus what is no interval')
  return { sql: `(${left.sql} + ${right.sql})`, kind: numeric(left, right) }
}

const minus: Make = (left, right, refuse) => {
  if (right.kind === 'interval') return moved(left, '-', right.sql, right.word)
  if (isMoment(left) || isMoment(right) || left.kind === 'interval') return refuse('a date minus what is no interval')
  const kind = numeric(left, right)
  // of two columns it is not known whether they are dates: DuckDB negates none, and says so
  if (!isNumber(left) && !isNumber(right)) return { sql: `(${left.sql} + (-${right.sql}))`, kind }
  return { sql: `(${left.sql} - ${right.sql})`, kind }
}

/** Fails where it is evaluated; error() would not do, because it counts as volatile. */
const DIVISION_BY_ZERO = "CAST('division by zero' AS TINYINT)"

/** A divisor that is no zero; `else`: what happens if it is. */
export function divisor({ sql, kind }: Value, zero: 'null' | 'error'): string {
  if (kind !== 'unknown' && /^[\d.]*[1-9][\d.]*$/.test(sql)) return sql
  return zero === 'null' ? `NULLIF(${sql}, 0)` : `CASE WHEN ${sql} = 0 THEN ${DIVISION_BY_ZERO} ELSE ${sql} END`
}

export function division(zero: 'null' | 'error'): Operator {
  const make: Make = (left, right) => ({ sql: `(${left.sql} / ${divisor(right, zero)})`, kind: 'fraction' })
  return special(TIMES, zero === 'null' ? 'a / b, NULL for zero' : 'a / b, an error for zero', make)
}

export const INTEGERS = `('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', `
  + `'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT')`

/** Of two integers the quotient without its fraction. */
export function quotient(left: Value, right: Value, zero: 'null' | 'error'): Rendered {
  const by = divisor(right, zero)
  if (left.kind === 'integer' && right.kind === 'integer') return { sql: `(${left.sql} // ${by})`, kind: 'integer' }
  const fraction = `(${left.sql} / ${by})`
  if (left.kind === 'fraction' || right.kind === 'fraction') return { sql: fraction, kind: 'fraction' }
  const integers = [left, right].filter(({ kind }) => kind !== 'integer')
    .map(({ sql }) => `typeof(${sql}) IN ${INTEGERS}`)
  return { sql: `CASE WHEN ${integers.join(' AND ')} THEN (${left.sql} // ${by}) ELSE ${fraction} END`, kind: 'number' }
}

export const integerDivision = special(TIMES, 'a / b; of integers a // b; an error for zero', (left, right) =>
  quotient(left, right, 'error'))

export function modulo(zero: 'null' | 'error'): Operator {
  const make: Make = (left, right) =>
    ({ sql: `(${left.sql} % ${divisor(right, zero)})`, kind: numeric(left, right) })
  return special(TIMES, 'a % b', make)
}

/** Of an array, counted from 1; beyond its ends NULL if `isSafe`, else an error. */
export function elementAt(list: string, index: string, isSafe: boolean): Rendered {
  const fails = isSafe ? 'NULL' : "CAST('the subscript is not in the array' AS TINYINT)"
  const inside = `CASE WHEN ${index} BETWEEN 1 AND len(${list}) THEN ${index}`
  return { sql: `list_extract(${list}, ${inside} WHEN ${list} IS NOT NULL THEN ${fails} END)`, kind: 'unknown' }
}

/** `escape`: what escapes in a pattern that names nothing. */
export function like(name: string, escape: string | null): Operator {
  return special(COMPARISON, escape === null ? `a ${name} b` : `a ${name} b ESCAPE '${escape}'`, (left, right) => {
    const used = right.escape ?? (right.text !== undefined && !right.text.includes('\\') ? null : escape)
    const sql = `(${left.sql} ${name} ${right.sql}${used === null ? '' : ` ESCAPE ${escapeText(used)}`})`
    return { sql, kind: 'boolean' }
  })
}

export function negated(operator: Operator): Operator {
  const make: Make = (left, right, refuse) =>
    ({ sql: `(NOT ${operator.make(left, right, refuse).sql})`, kind: 'boolean' })
  return special(operator.level, `NOT ${operator.shown}`, make)
}

const compare = (form: string): Operator => operator(COMPARISON, form, 'boolean')

/** What all have. */
export const commonOperators: Readonly<Record<string, Operator>> = {
  'OR': operator(OR, '($1 OR $2)', 'boolean'),
  'AND': operator(AND, '($1 AND $2)', 'boolean'),
  '=': compare('($1 = $2)'), '<>': compare('($1 <> $2)'), '!=': compare('($1 <> $2)'),
  '<': compare('($1 < $2)'), '<=': compare('($1 <= $2)'), '>': compare('($1 > $2)'), '>=': compare('($1 >= $2)'),
  'IS': compare('($1 IS $2)'), 'IN': compare('($1 IN $2)'), 'NOT IN': compare('($1 NOT IN $2)'),
  '+': special(PLUS, 'a + b', plus),
  '-': special(PLUS, 'a - b', minus),
  '*': special(TIMES, 'a * b', (left, right) => ({ sql: `(${left.sql} * ${right.sql})`, kind: numeric(left, right) })),
}

export const distinctFrom: Readonly<Record<string, Operator>> = {
  'IS DISTINCT FROM': compare('($1 IS DISTINCT FROM $2)'),
  'IS NOT DISTINCT FROM': compare('($1 IS NOT DISTINCT FROM $2)'),
}
