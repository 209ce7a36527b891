/**
 * The parts of a text that read, each with its syntax tree: the text itself, or, where DuckDB has no tree of it (CREATE
 * TABLE … AS SELECT …, INSERT, macros), what in it can be a query: from a word that begins one to the end of its
 * parentheses or of the text.
 */

import { meaningfulTokens, type SqlToken } from '../proto/sql-tokens.ts'

export interface ReadingPart {
  /** `SELECT 1` and it, of a FROM without one. */
  readonly text: string
  /** In characters of the whole text. */
  readonly start: number
  readonly trees: readonly unknown[]
}

const beginning = /^(?:SELECT|WITH|FROM|VALUES|TABLE|PIVOT|UNPIVOT)$/i
/** Behind the query of an INSERT. */
const behind = /^(?:RETURNING|ON)$/i

/** `parse` rejects what is no query. */
export async function readingParts(
  sql: string, parse: (sql: string) => Promise<readonly unknown[]>,
): Promise<readonly ReadingPart[]> {
  const whole = await parse(sql).catch(() => null)
  if (whole !== null) return [{ text: sql, start: 0, trees: whole }]
  const tokens = meaningfulTokens(sql)
  const parts: ReadingPart[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]
    if (token?.kind !== 'word' || !beginning.test(token.text)) continue
    const before = isOfUpdate(tokens, i) ? 'SELECT 1 ' : ''
    for (const end of endsOf(tokens, i)) {
      const text = before + sql.slice(token.start, tokens[end - 1]?.end)
      const trees = await parse(text).catch(() => null)
      if (trees === null) continue
      parts.push({ text, start: token.start - before.length, trees })
      i = end - 1
      break
    }
  }
  return parts
}

/** The FROM of an UPDATE selects nothing. */
function isOfUpdate(tokens: readonly SqlToken[], at: number): boolean {
  return tokens[0]?.text.toUpperCase() === 'UPDATE' && tokens[at]?.text.toUpperCase() === 'FROM'
    && tokens.slice(0, at).every(({ text }) => text !== '(')
}

/** Where what begins at `from` may end, the farthest first; positions behind it. */
function endsOf(tokens: readonly SqlToken[], from: number): readonly number[] {
  const ends: number[] = []
  let depth = 0
  for (let i = from; i < tokens.length; i++) {
    const { kind = 'space', text = '' } = tokens[i] ?? {}
    if (kind === 'symbol' && (text === ')' || text === ']')) depth--
    if (depth < 0) return [i, ...ends]
    if (kind === 'symbol' && (text === '(' || text === '[')) depth++
    if (depth === 0 && kind === 'word' && behind.test(text)) ends.unshift(i)
  }
  return [tokens.length, ...ends]
}
