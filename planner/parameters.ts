/**
 * Parameters in a text of SQL: where they stand, and the text with values in their place. DuckDB's syntax tree knows
 * which parameters there are but not where, so the text is scanned for them as DuckDB's own scanner reads it: past
 * quoted texts and names, comments and dollar-quoted texts. What DuckDB finds and what is found here is compared.
 */

import type { TableColumn } from '../catalog/table.ts'
import { QueryError } from '../proto/errors.ts'

export interface Parameter {
  /** `1`, `2`, … or the name that the text gives it; in lower case, as DuckDB keeps them. */
  readonly name: string
  /** Characters of the text: [from, to). */
  readonly from: number
  readonly to: number
}

/** A text with values, and the way back from a place in it to the place in the text that was written. */
export interface BoundText {
  readonly sql: string
  readonly originalPosition: (position: number) => number
}

/** In this order, each at one position: what holds no parameter, then what is one. */
const TOKENS = new RegExp([
  /[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)/, // with escapes
  /'(?:[^']|'')*(?:'|$)/,
  /"(?:[^"]|"")*(?:"|$)/,
  /--[^\n\r]*/,
  /\/\*/,
  /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/, // opens a dollar-quoted text
  /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/,
  /\$(?<named>[A-Za-z0-9_\u0080-\uffff]+)/,
  /\?(?<numbered>[0-9]*)/,
].map(({ source }) => source).join('|'), 'g')

/** In the order of the text; one that is named twice stands here twice. */
export function findParameters(sql: string): readonly Parameter[] {
  const found: Parameter[] = []
  const tokens = new RegExp(TOKENS)
  let nextNumber = 1
  for (let match = tokens.exec(sql); match !== null; match = tokens.exec(sql)) {
    const [token] = match
    const { named, numbered } = match.groups ?? {}
    const { index: from } = match
    if (token === '/*') tokens.lastIndex = endOfComment(sql, tokens.lastIndex)
    else if (named !== undefined) found.push({ name: named.toLowerCase(), from, to: tokens.lastIndex })
    else if (numbered !== undefined) {
      const name = numbered === '' ? String(nextNumber++) : numbered
      found.push({ name, from, to: tokens.lastIndex })
    } else if (token.startsWith('$')) {
      const end = sql.indexOf(token, tokens.lastIndex)
      tokens.lastIndex = end < 0 ? sql.length : end + token.length
    }
  }
  return found
}

/** Comments nest. */
function endOfComment(sql: string, from: number): number {
  const marks = /\/\*|\*\//g
  marks.lastIndex = from
  let depth = 1
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return sql.length
}

/** Names in the order of their numbers, or of their first mention. */
export function parameterNames(parameters: readonly Parameter[]): readonly string[] {
  const names = [...new Set(parameters.map(({ name }) => name))]
  return names.every(isNumber) ? names.sort((a, b) => Number(a) - Number(b)) : names
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name)
}

/** `values`: SQL by name. Throws INVALID_REQUEST for a parameter that has none. */
export function bindText(sql: string, values: ReadonlyMap<string, string>): BoundText {
  const pieces: string[] = []
  /** Where the text after each parameter begins, here and there. */
  const marks: { readonly bound: number; readonly original: number }[] = [{ bound: 0, original: 0 }]
  let at = 0
  let length = 0
  const add = (piece: string): void => {
    pieces.push(piece)
    length += piece.length
  }
  for (const { name, from, to } of findParameters(sql)) {
    const value = values.get(name)
    if (value === undefined) {
      throw new QueryError('INVALID_REQUEST', `no value is given for the parameter $${name}`, { position: from })
    }
    add(sql.slice(at, from))
    marks.push({ bound: length, original: from })
    add(`(${value})`)
    marks.push({ bound: length, original: to })
    at = to
  }
  add(sql.slice(at))
  const originalPosition = (position: number): number => {
    const i = marks.findLastIndex(({ bound }) => bound <= position)
    const mark = marks[i] ?? { bound: 0, original: 0 }
    const isInValue = i % 2 === 1
    return mark.original + (isInValue ? 0 : position - mark.bound)
  }
  return { sql: pieces.join(''), originalPosition }
}

/**
 * Columns of a bound text under the names that the text with parameters gives them: DuckDB names a column by its text,
 * `$1` where a value now stands. A name without a parameter in it is as it is with values.
 */
export function named(columns: readonly TableColumn[], names: readonly string[]): readonly TableColumn[] {
  if (names.length !== columns.length) return columns
  return columns.map((column, i) => {
    const name = names[i] ?? column.name
    return name.includes('$') && name !== column.name ? { ...column, name } : column
  })
}

/** What a bound text has met, with its place in the text that the client sent. */
export function placedError(thrown: unknown, { originalPosition }: BoundText): unknown {
  if (!(thrown instanceof QueryError) || thrown.position === undefined) return thrown
  return new QueryError(thrown.code, thrown.message, { cause: thrown, position: originalPosition(thrown.position) })
}
