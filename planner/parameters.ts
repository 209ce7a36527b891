/**
 * Parameters in a text of SQL: where they stand, and the text with values in their place. DuckDB's syntax tree knows
 * which parameters there are but not where, so they are found among the text's tokens. What DuckDB finds and what is
 * found here is compared.
 */

import type { TableColumn } from '../catalog/table.ts'
import { QueryError } from '../proto/errors.ts'
import { sqlTokens } from '../proto/sql-tokens.ts'

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

/** In the order of the text; one that is named twice stands here twice. */
export function findParameters(sql: string): readonly Parameter[] {
  if (!/[?$]/.test(sql)) return []
  let nextNumber = 1
  const tokens = sqlTokens(sql)
  return tokens.flatMap(({ kind, text, start: from, end: to }, i): Parameter[] => {
    if (kind !== 'symbol' || (text !== '$' && text !== '?')) return []
    const word = tokens[i + 1]
    const [name] = word?.kind === 'word' ? (text === '?' ? /^[0-9]+/ : /^(?:[0-9]+|[^$]+)/).exec(word.text) ?? [] : []
    if (name !== undefined) return [{ name: name.toLowerCase(), from, to: to + name.length }]
    return text === '?' ? [{ name: String(nextNumber++), from, to }] : []
  })
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

/** The text with the arguments of an EXECUTE in the places of its parameters; `name := value` gives one by name. */
export function withArguments(sql: string, values: readonly string[]): string {
  const byName = new Map(values.map((value, i) => {
    const [, name, named] = /^([\p{L}_][\p{L}\p{N}_]*)\s*:?=\s*([^=][\s\S]*)$/u.exec(value) ?? []
    return name === undefined || named === undefined ? [String(i + 1), value] : [name.toLowerCase(), named]
  }))
  const names = parameterNames(findParameters(sql))
  const missing = names.find(name => !byName.has(name))
  if (missing !== undefined) throw wrong(`no value is given for the parameter $${missing}`)
  const extra = [...byName.keys()].find(name => !names.includes(name))
  if (extra !== undefined) throw wrong(`the statement has no parameter $${extra}`)
  return bindText(sql, byName).sql
}

function wrong(message: string): QueryError {
  return new QueryError('INVALID_REQUEST', message)
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
