/**
 * A PIVOT without a list of values, which DuckDB makes two statements of: one that asks for the values, and the PIVOT
 * over them. Here too: each column that has no list is a question, whose answers, in their order, become its list.
 *
 *   PIVOT t ON kind USING count(*)   ▶   SELECT DISTINCT CAST(kind AS VARCHAR) FROM t WHERE … ORDER BY 1
 *                                        PIVOT t ON kind IN ('buy', 'view') USING count(*)
 *
 * There is no empty list. A column without a value gets one that it does not have, and the columns that this makes are
 * left out: SELECT COLUMNS(…) FROM (PIVOT … ON kind IN ('no value …') …).
 */

import { meaningfulTokens, type SqlToken } from '../proto/sql-tokens.ts'
import { quoteText } from '../proto/sql-text.ts'
import type { Edit } from './text-edits.ts'

export interface PivotQuestion {
  /** Gives one column of texts. */
  readonly sql: string
  /** Where the list goes, in characters of the text. */
  readonly at: number
  /** Of the text, the PIVOT with all its clauses. */
  readonly pivot: Range
  /** What stands in both: [from, to) of the text is at `at` of the question. */
  readonly pieces: readonly { readonly at: number; readonly from: number; readonly to: number }[]
}

type Range = readonly [from: number, to: number]

/** In no value and in no name of a column. */
const NO_VALUE = 'no value 5d0c6f0e9b5e4a51'

/** `answers`: by question, the values of its column. */
export function listEdits(
  questions: readonly PivotQuestion[], answers: readonly (readonly string[])[],
): readonly Edit[] {
  const edits: Edit[] = []
  const empty = new Map<number, Range>()
  for (const [i, { at, pivot }] of questions.entries()) {
    const values = answers[i] ?? []
    if (values.length === 0) empty.set(pivot[0], pivot)
    const list = values.length === 0 ? [NO_VALUE] : values
    edits.push({ start: at, end: at, text: ` IN (${list.map(quoteText).join(', ')})` })
  }
  for (const [start, end] of empty.values()) {
    const named = `COLUMNS(lambda c: NOT contains(c, ${quoteText(NO_VALUE)}))`
    edits.push({ start, end: start, text: `SELECT ${named} FROM (` }, { start: end, end, text: ')' })
  }
  return edits.sort((a, b) => a.start - b.start)
}

/** True of an error that there is no column but those that are left out. */
export function leavesNoColumn({ message }: Error): boolean {
  return message.includes(NO_VALUE)
}

/** A place in a question as one in the text; undefined: it is of the question's own words. */
export function placeInText({ pieces }: PivotQuestion, place: number): number | undefined {
  const piece = pieces.find(({ at, from, to }) => place >= at && place < at + to - from)
  return piece === undefined ? undefined : piece.from + place - piece.at
}

/** Clauses behind the columns of a PIVOT. */
const behind = /^(?:USING|GROUP|ORDER|LIMIT|OFFSET|UNION|EXCEPT|INTERSECT)$/i
const combining = /^(?:UNION|EXCEPT|INTERSECT)$/i
const PIVOT = /^PIVOT(?:_WIDER)?$/i
const WITH = /^WITH$/i

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
    const last = (nextAt(tokens, end, combining) ?? endAt(tokens, end)) - 1
    const pivot = [token.start, tokens[last]?.end ?? sql.length] as const
    const source = [token.end, tokens[on]?.start ?? sql.length] as const
    const before = await commonTables(sql, tokens, i, parses)
    for (const [from, to] of items(tokens, on + 1, end)) {
      if (nextAt(tokens, from, /^IN$/i, to) !== undefined) continue
      const [first, last] = [tokens[from], tokens[to - 1]]
      if (first === undefined || last === undefined) return []
      questions.push({ ...question(sql, before, [first.start, last.end], source), pivot })
    }
  }
  return questions
}

function question(
  sql: string, before: readonly Range[], column: Range, source: Range,
): Omit<PivotQuestion, 'pivot'> {
  const parts: readonly (string | Range)[] = [
    ...before.flatMap((common, i) => [common, i < before.length - 1 ? ' SELECT * FROM (' : ' ']),
    'SELECT DISTINCT CAST((', column, ') AS VARCHAR) FROM', source, 'WHERE (', column, ') IS NOT NULL',
    ')'.repeat(Math.max(0, before.length - 1)), ' ORDER BY 1 ASC',
  ]
  const pieces: PivotQuestion['pieces'][number][] = []
  let text = ''
  for (const part of parts) {
    if (typeof part !== 'string') pieces.push({ at: text.length, from: part[0], to: part[1] })
    text += typeof part === 'string' ? part : sql.slice(...part)
  }
  return { sql: text, at: column[1], pieces }
}

/** Of every WITH around it, outermost first: what comes before it there, as far as that is whole. */
async function commonTables(
  sql: string, tokens: readonly SqlToken[], pivot: number, parses: (sql: string) => Promise<boolean>,
): Promise<readonly Range[]> {
  const opening = openAt(tokens, pivot)
  const found: Range[] = []
  for (const [level, from] of [0, ...opening.map(at => at + 1)].entries()) {
    const to = opening[level] ?? pivot
    const at = level === 0 ? nextAt(tokens, 0, WITH, to) : WITH.test(tokens[from]?.text ?? '') ? from : undefined
    const common = at === undefined ? null : await wholeTables(sql, tokens, [at, to], parses)
    if (common !== null) found.push(common)
  }
  return found
}

/** Of the WITH that the range of tokens begins with, the tables that end within it; null: none does. */
async function wholeTables(
  sql: string, tokens: readonly SqlToken[], [from, to]: Range, parses: (sql: string) => Promise<boolean>,
): Promise<Range | null> {
  const { start = 0 } = tokens[from] ?? {}
  for (let i = to - 1; i > from; i--) {
    const { text = '', end = 0 } = tokens[i] ?? {}
    const isOutside = text === ')' && depthAt(tokens.slice(from), i + 1 - from) === 0
    if (isOutside && await parses(`${sql.slice(start, end)} SELECT 1`)) return [start, end]
  }
  return null
}

/** The parentheses that are open before a token, outermost first. */
function openAt(tokens: readonly SqlToken[], to: number): readonly number[] {
  const open: number[] = []
  for (let i = 0; i < to; i++) {
    const change = step(tokens[i])
    if (change > 0) open.push(i)
    else if (change < 0) open.pop()
  }
  return open
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
