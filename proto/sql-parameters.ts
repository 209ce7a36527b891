/** Parameters of a prepared statement, given as SQL: `?` in order, `$1` by number, `$name` by name. */

import { QueryError } from './errors.ts'
import { sqlTokens } from './sql-tokens.ts'

interface Place {
  readonly start: number
  readonly end: number
  /** `1`, `name`. */
  readonly parameter: string
}

/** The text with each value, in parentheses, in the place of its parameter; `name := value` gives one by name. */
export function withArguments(sql: string, values: readonly string[]): string {
  const byName = new Map(values.map((value, i) => {
    const named = /^([\p{L}_][\p{L}\p{N}_]*)\s*:?=\s*([^=][\s\S]*)$/u.exec(value)
    return named === null ? [String(i + 1), value] : [(named[1] ?? '').toLowerCase(), named[2] ?? '']
  }))
  const places = parameters(sql)
  const used = new Set(places.map(({ parameter }) => parameter))
  const missing = [...used].find(parameter => !byName.has(parameter))
  if (missing !== undefined) throw wrong(`no value is given for the parameter $${missing}`)
  const extra = [...byName.keys()].find(parameter => !used.has(parameter))
  if (extra !== undefined) throw wrong(`the statement has no parameter $${extra}`)
  let text = ''
  let at = 0
  for (const { start, end, parameter } of places) {
    text += `${sql.slice(at, start)}(${byName.get(parameter) ?? ''})`
    at = end
  }
  return text + sql.slice(at)
}

function wrong(message: string): QueryError {
  return new QueryError('INVALID_REQUEST', message)
}

function parameters(sql: string): Place[] {
  const tokens = sqlTokens(sql)
  let counted = 0
  return tokens.flatMap(({ kind, text, start, end }, i): Place[] => {
    if (kind !== 'symbol') return []
    const next = tokens[i + 1]
    const isNamed = next?.kind === 'word' && next.start === end
    if (text === '?' && !(isNamed && /^\d+$/.test(next.text))) return [{ start, end, parameter: String(++counted) }]
    if ((text !== '$' && text !== '?') || !isNamed) return []
    return [{ start, end: next.end, parameter: next.text.toLowerCase() }]
  })
}
