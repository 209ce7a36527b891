/**
 * A PIVOT without a list of values, which DuckDB makes two statements of: one that asks for the values, and the PIVOT
 * over them. Here too: each column that has no list is a question, whose answers, in their order, become its list.
 *
 *   PIVOT t ON kind USING count(*)   ▶   SELECT DISTINCT CAST(kind AS VARCHAR) FROM t WHERE … ORDER BY 1
 *                                        PIVOT t ON kind IN ('buy', 'view') USING count(*)
 */

import { meaningfulTokens, type SqlToken } from '../proto/sql-tokens.ts'

export interface PivotQuestion {
  /** Gives one column of texts. */
  readonly sql: string
  /** Where the list goes, in characters of the text. */
  readonly at: number
  /** What stands in both: [from, to) of the text is at `at` of the question. */
  readonly pieces: readonly { readonly at: number; readonly from: number; readonly to: number }[]
}

/** A place in a question as one in the text; undefined: it is of the question's own words. */
export function placeInText({ pieces }: PivotQuestion, place: number): number | undefined {
  const piece = pieces.find(({ at, from, to }) => place >= at && place < at + to - from)
  return piece === undefined ? undefined : piece.from + place - piece.at
}

/** Clauses behind the columns of a PIVOT. */
const behind = /^(?:USING|GROUP|ORDER|LIMIT|OFFSET|UNION|EXCEPT|INTERSECT)$/i
const PIVOT = /^PIVOT(?:_WIDER)?$/i

/** Empty: there is none. `parses` says whether a text is a query. */
export async function pivotQuestions(
  sql: string, parses: (sql: string) => Promise<boolean>,
): Promise<readonly PivotQuestion[]> {
  const tokens = meaningfulTokens(sql)
  const questions: PivotQuestion[] = []
  for (const [i, token] of tokens.entries()) {
    if (!PIVOT.test(token.text) || token.kind !== 'word') continue
    const on = nextAt(tokens, i + 1, /^ON$/i)
    if (on === undefined) continue // … PIVOT (… FOR … IN …)
    const end = nextAt(tokens, on + 1, behind) ?? endAt(tokens, on + 1)
    const source = [token.end, tokens[on]?.start ?? sql.length] as const
    const before = await commonTables(sql, tokens, i, parses)
    for (const [from, to] of items(tokens, on + 1, end)) {
      if (nextAt(tokens, from, /^IN$/i, to) !== undefined) continue
      const [first, last] = [tokens[from], tokens[to - 1]]
      if (first === undefined || last === undefined) return []
      questions.push(question(sql, before, [first.start, last.end], source))
    }
  }
  return questions
}

type Range = readonly [from: number, to: number]

function question(sql: string, before: number, column: Range, source: Range): PivotQuestion {
  const parts: readonly (string | Range)[] = [
    [0, before], before === 0 ? '' : ' ', 'SELECT DISTINCT CAST((', column, ') AS VARCHAR) FROM', source,
    'WHERE (', column, ') IS NOT NULL ORDER BY 1 ASC',
  ]
  const pieces: PivotQuestion['pieces'][number][] = []
  let text = ''
  for (const part of parts) {
    if (typeof part !== 'string') pieces.push({ at: text.length, from: part[0], to: part[1] })
    text += typeof part === 'string' ? part : sql.slice(...part)
  }
  return { sql: text, at: column[1], pieces }
}

/** Where what comes before it in a WITH ends, as far as that is whole. */
async function commonTables(
  sql: string, tokens: readonly SqlToken[], pivot: number, parses: (sql: string) => Promise<boolean>,
): Promise<number> {
  if (tokens[0]?.text.toUpperCase() !== 'WITH') return 0
  for (let i = pivot - 1; i > 0; i--) {
    const { text = '', end = 0 } = tokens[i] ?? {}
    if (text === ')' && depthAt(tokens, i + 1) === 0 && await parses(`${sql.slice(0, end)} SELECT 1`)) {
      return end
    }
  }
  return 0
}

/** Between commas, as far as none is in parentheses. */
function items(tokens: readonly SqlToken[], from: number, to: number): readonly Range[] {
  const all: Range[] = []
  for (let start = from; start < to;) {
    const comma = nextAt(tokens, start, /^,$/, to) ?? to
    all.push([start, comma])
    start = comma + 1
  }
  return all
}

/** The next such token of the same parentheses, before `to`. */
function nextAt(tokens: readonly SqlToken[], from: number, what: RegExp, to = tokens.length): number | undefined {
  let depth = 0
  for (let i = from; i < to; i++) {
    const token = tokens[i]
    if (token === undefined) return undefined
    depth += step(token)
    if (depth < 0) return undefined
    if (depth === 0 && token.kind !== 'text' && token.kind !== 'name' && what.test(token.text)) return i
  }
  return undefined
}

/** Where the parentheses, or the text, end. */
function endAt(tokens: readonly SqlToken[], from: number): number {
  let depth = 0
  for (let i = from; i < tokens.length; i++) {
    depth += step(tokens[i])
    if (depth < 0) return i
  }
  return tokens.length
}

function depthAt(tokens: readonly SqlToken[], to: number): number {
  return tokens.slice(0, to).reduce((depth, token) => depth + step(token), 0)
}

function step(token: SqlToken | undefined): number {
  if (token?.kind !== 'symbol') return 0
  return /^[([{]$/.test(token.text) ? 1 : /^[)\]}]$/.test(token.text) ? -1 : 0
}
