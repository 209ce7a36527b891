/**
 * The rows that a change gives, in forms that Arrow has. A query gets casts around it; INSERT, UPDATE, DELETE and MERGE
 * stand in no subquery, so the casts go into the list of their RETURNING.
 */

import { QueryError } from '../proto/errors.ts'
import { quoteName } from '../proto/sql-text.ts'
import { identifier, meaningfulTokens, type SqlToken } from '../proto/sql-tokens.ts'
import { statementText } from './statement-text.ts'

export interface Returned {
  readonly name: string
  /** The type to cast to; null: it is as it has to be. */
  readonly form: string | null
}

/** UNSUPPORTED_STATEMENT where it cannot be told which part of the list to cast. */
export function castReturned(sql: string, columns: readonly Returned[]): string {
  const own = statementText(sql)
  const items = returnedItems(meaningfulTokens(own))
  const star = items.findIndex(([token, ...more]) => token?.text === '*' && more.length === 0)
  const starColumns = star < 0 ? 0 : columns.length - items.length + 1
  const list = items.flatMap((tokens, i) => {
    if (i === star) return columns.slice(i, i + starColumns).map(column => cast(quoteName(column.name), column))
    const column = columns[star >= 0 && i > star ? i + starColumns - 1 : i]
    if (column === undefined || column.form === null) return [textOf(own, tokens)]
    return [cast(valueOf(own, tokens, column), column)]
  })
  const [first] = items[0] ?? []
  if (first === undefined || list.length !== columns.length) refuse(columns.find(({ form }) => form !== null))
  return own.slice(0, first.start) + list.join(', ')
}

/** Between the commas behind the last RETURNING that stands in no brackets. */
function returnedItems(tokens: readonly SqlToken[]): readonly SqlToken[][] {
  let depth = 0
  let items: SqlToken[][] = []
  for (const token of tokens) {
    if (/^[([{]$/.test(token.text)) depth++
    if (/^[)\]}]$/.test(token.text)) depth--
    if (depth === 0 && token.kind === 'word' && token.text.toUpperCase() === 'RETURNING') items = [[]]
    else if (depth === 0 && token.text === ',') items.push([])
    else items.at(-1)?.push(token)
  }
  return items
}

/** A column, or what stands before `AS name`. */
function valueOf(sql: string, tokens: readonly SqlToken[], column: Returned): string {
  if (tokens.at(-2)?.text.toUpperCase() === 'AS') return textOf(sql, tokens.slice(0, -2))
  const isPath = tokens.every((token, i) => i % 2 === 0 ? identifier(token) !== undefined : token.text === '.')
  return isPath ? textOf(sql, tokens) : refuse(column)
}

function textOf(sql: string, tokens: readonly SqlToken[]): string {
  return sql.slice(tokens[0]?.start, tokens.at(-1)?.end)
}

function cast(value: string, { name, form }: Returned): string {
  return form === null ? value : `CAST(${value} AS ${form}) AS ${quoteName(name)}`
}

function refuse(column: Returned | undefined): never {
  const { name = '', form = '' } = column ?? {}
  throw new QueryError('UNSUPPORTED_STATEMENT',
    `the type of ${quoteName(name)} has no form in Arrow: return CAST(… AS ${form}) AS ${quoteName(name)}`)
}
