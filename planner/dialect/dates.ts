/** Functions of dates whose unit is an argument, and formats of dates that are written out. */

import type { Call, Kind, Rendered, Rule, Value } from './dialect.ts'
import { escapeText } from './literal.ts'
import { asMoment, moved } from './operators.ts'
import { at, code, exactly, literal, moment } from './rules.ts'

/** A dialect's words for units, each with DuckDB's. */
export type Units = Readonly<Record<string, string>>

const plain = ['MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR']
/** Weeks of seven days: right where they are a length, or begin on Monday as DuckDB's do. */
export const commonUnits: Units = Object.fromEntries(plain.map(unit => [unit, unit]))
/** Where a week begins on another day. */
export const unitsWithoutWeeks: Units = Object.fromEntries(
  plain.filter(unit => unit !== 'WEEK').map(unit => [unit, unit]))

const parts = ['YEAR', 'QUARTER', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND']
/** Parts of a date that are the same everywhere. */
export const commonParts: Units = Object.fromEntries(parts.map(part => [part, part]))

/** A bare word, or a string. */
export function unitOf(call: Call, value: Value, units: Units): string {
  const word = (value.word ?? value.text ?? '').toUpperCase()
  const unit = Object.hasOwn(units, word) ? units[word] : undefined
  return unit ?? call.refuse(word === '' ? `the unit of ${call.name}` : `the unit ${word} in ${call.name}`, value)
}

/** `order`: where the unit, the count and the date stand. */
export function addUnits(order: readonly ['unit' | 'count' | 'date', string, string], units: Units): Rule {
  const [unitAt, countAt, dateAt] = ['unit', 'count', 'date'].map(name => order.indexOf(name))
  return code('unknown', 'date + count * INTERVAL 1 unit', (call): Rendered => {
    exactly(call, 3)
    const unit = unitOf(call, at(call, unitAt ?? 0), units)
    return moved(at(call, dateAt ?? 0), '+', `(INTERVAL 1 ${unit} * ${at(call, countAt ?? 0).sql})`, unit)
  })
}

/** `DATE_ADD(date, INTERVAL …)` */
export function addInterval(sign: '+' | '-'): Rule {
  return code('unknown', `date ${sign} interval`, (call): Rendered => {
    exactly(call, 2)
    const by = at(call, 1)
    if (by.kind !== 'interval') return call.refuse(`${call.name} of what is no INTERVAL`, by)
    return moved(at(call, 0), sign, by.sql, by.word)
  })
}

/** boundaries: how many begin in between. whole: how many have gone by. */
export function difference(
  how: 'boundaries' | 'whole', order: readonly ('unit' | 'from' | 'to')[], units: Units,
): Rule {
  const [unitAt, fromAt, toAt] = ['unit', 'from', 'to'].map(name => order.findIndex(one => one === name))
  const name = how === 'boundaries' ? 'date_diff' : 'date_sub'
  return code('integer', `${name}(unit, from, to)`, call => {
    exactly(call, 3)
    const unit = unitOf(call, at(call, unitAt ?? 0), units)
    const [from, to] = [moment(call, fromAt ?? 0).sql, moment(call, toAt ?? 0).sql]
    if (how === 'boundaries') return boundaries(unit, from, to)
    return `date_sub('${unit.toLowerCase()}', ${from}, ${to})`
  })
}

/** How many units begin in between. DuckDB's own date_diff counts weeks by seven days, not by their Mondays. */
export function boundaries(unit: string, from: string, to: string): string {
  if (unit !== 'WEEK') return `date_diff('${unit.toLowerCase()}', ${from}, ${to})`
  return `(date_diff('day', date_trunc('week', ${from}), date_trunc('week', ${to})) // 7)`
}

/** Of a date it is a date, else of the kind of its argument. */
export function truncation(order: 'unit-first' | 'date-first', units: Units): Rule {
  return code('unknown', 'date_trunc(unit, date)', (call): Rendered => {
    exactly(call, 2)
    const [unit, date] = order === 'unit-first' ? [at(call, 0), at(call, 1)] : [at(call, 1), at(call, 0)]
    const { sql, kind } = asMoment(date)
    const cut = `date_trunc('${unitOf(call, unit, units).toLowerCase()}', ${sql})`
    return { sql: kind === 'date' ? `CAST(${cut} AS DATE)` : cut, kind }
  })
}

/** A part of a date by name: EXTRACT, DATE_PART, DATEPART. */
export function part(parts: Units): Rule {
  return code('integer', "date_part('part', date)", call => {
    exactly(call, 2)
    return partOf(unitOf(call, at(call, 0), parts), moment(call, 1).sql)
  })
}

/** `part`: DuckDB's name, or a form with `$1`. */
export function partOf(part: string, date: string): string {
  return part.includes('$1') ? part.replaceAll('$1', () => date) : `date_part('${part.toLowerCase()}', ${date})`
}

/** YEAR(date) and the like. */
export function partFunction(name: string): Rule {
  return ofMoment('integer', partOf(name, '$1'))
}

/** A function of one date, which may be a string. */
export function ofMoment(kind: Kind, form: string): Rule {
  return code(kind, form.replaceAll('$1', 'a'), call => {
    exactly(call, 1)
    return form.replaceAll('$1', () => moment(call, 0).sql)
  })
}

/** Of a dialect's format each element with strftime's; other letters are refused. */
export type FormatElements = Readonly<Record<string, string>>

export function formatOf(call: Call, i: number, elements: FormatElements): string {
  const text = literal(call, i, 'a format')
  const names = Object.keys(elements).sort((a, b) => b.length - a.length)
  let format = ''
  for (let from = 0; from < text.length;) {
    const name = names.find(name => text.startsWith(name, from))
    const char = text[from] ?? ''
    if (name === undefined && /[A-Za-z%'"\\]/.test(char)) {
      const what = char === '%' ? text.slice(from, from + 2) : char
      return call.refuse(`the element ${what} of the format ${JSON.stringify(text)}`, at(call, i))
    }
    format += name === undefined ? char : elements[name] ?? ''
    from += name === undefined ? 1 : name.length
  }
  return escapeText(format)
}

export const mysqlElements: FormatElements = {
  '%Y': '%Y', '%y': '%y', '%m': '%m', '%c': '%-m', '%d': '%d', '%e': '%-d', '%H': '%H', '%k': '%-H', '%h': '%I',
  '%I': '%I', '%l': '%-I', '%i': '%M', '%s': '%S', '%S': '%S', '%f': '%f', '%p': '%p', '%M': '%B', '%b': '%b',
  '%W': '%A', '%a': '%a', '%j': '%j', '%T': '%H:%M:%S', '%%': '%%',
}

export function formatted(order: 'date-first' | 'format-first', elements: FormatElements): Rule {
  return code('text', 'strftime(date, format)', call => {
    exactly(call, 2)
    const [dateAt, formatAt] = order === 'date-first' ? [0, 1] : [1, 0]
    return `strftime(${moment(call, dateAt).sql}, ${formatOf(call, formatAt, elements)})`
  })
}

export function parsed(
  order: 'text-first' | 'format-first', elements: FormatElements, type: 'DATE' | 'TIMESTAMP', failing: 'null' | 'error',
): Rule {
  const name = failing === 'null' ? 'try_strptime' : 'strptime'
  const kind = type === 'DATE' ? 'date' : 'timestamp'
  return code(kind, type === 'DATE' ? `CAST(${name}(text, format) AS DATE)` : `${name}(text, format)`, call => {
    exactly(call, 2)
    const [textAt, formatAt] = order === 'text-first' ? [0, 1] : [1, 0]
    const sql = `${name}(${at(call, textAt).sql}, ${formatOf(call, formatAt, elements)})`
    return type === 'DATE' ? `CAST(${sql} AS DATE)` : sql
  })
}
