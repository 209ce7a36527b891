/**
 * The tokens of a text of DuckDB SQL: what its lexer must know to tell the inside of strings, names and comments from
 * what stands between them. It finds where statements end and which names a text may hold; what a statement is, and
 * what it may do, DuckDB alone decides.
 */

/**
 * open: a string, a quoted name, a dollar text or a comment without its end; always the last one.
 */
export type TokenKind = 'space' | 'comment' | 'text' | 'name' | 'word' | 'symbol' | 'open'

export interface SqlToken {
  readonly kind: TokenKind
  /** As it stands. */
  readonly text: string
  /** In characters. */
  readonly start: number
  readonly end: number
}

/** Of names: beyond ASCII everything but what DuckDB takes for space. */
const LETTER = '(?:[A-Za-z_]|(?!\\s)[\\u{80}-\\u{10ffff}])'
const LETTER_OR_DIGIT = `(?:[0-9]|${LETTER})`

/** Sticky, so nothing is skipped. */
const TOKEN = new RegExp([
  '(?<space>\\s+)', '(?<line>--[^\\n\\r]*)', '(?<block>/\\*)',
  "(?<text>[eE]'(?:[^'\\\\]|\\\\.|'')*'|'(?:[^']|'')*')", '(?<name>"(?:[^"]|"")*")',
  `(?<dollar>\\$(?:${LETTER}${LETTER_OR_DIGIT}*)?\\$)`, "(?<open>[eE]?'|\")",
  `(?<word>${LETTER_OR_DIGIT}(?:${LETTER_OR_DIGIT}|\\$)*)`, '.',
].join('|'), 'ysu')

export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = []
  for (let at = 0; at < sql.length;) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(sql)
    const [kind, end] = match === null ? ['open' as const, sql.length] : read(sql, match, TOKEN.lastIndex)
    tokens.push({ kind, text: sql.slice(at, end), start: at, end })
    at = end
  }
  return tokens
}

function read(sql: string, { groups = {} }: RegExpExecArray, end: number): [TokenKind, number] {
  if (groups['space'] !== undefined) return ['space', end]
  if (groups['line'] !== undefined) return ['comment', end]
  if (groups['text'] !== undefined) return ['text', end]
  if (groups['name'] !== undefined) return ['name', end]
  if (groups['word'] !== undefined) return ['word', end]
  if (groups['open'] !== undefined) return ['open', sql.length]
  if (groups['block'] !== undefined) {
    const close = endOfComment(sql, end)
    return close === -1 ? ['open', sql.length] : ['comment', close]
  }
  const dollar = groups['dollar']
  if (dollar === undefined) return ['symbol', end]
  const close = sql.indexOf(dollar, end)
  return close === -1 ? ['open', sql.length] : ['text', close + dollar.length]
}

/** Comments nest; -1: it has no end. */
function endOfComment(sql: string, from: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = from
  for (let depth = 1; depth > 0;) {
    const match = mark.exec(sql)
    if (match === null) return -1
    depth += match[0] === '/*' ? 1 : -1
  }
  return mark.lastIndex
}

/** One statement of a text, without the semicolon and the comments around it. */
export interface StatementText {
  readonly text: string
  /** Where it begins, in characters. */
  readonly start: number
}

/** What stands between semicolons, as far as it is not empty. What is not closed belongs to the last one. */
export function splitStatements(sql: string): StatementText[] {
  const statements: StatementText[] = []
  let from = -1
  let to = -1
  const end = (): void => {
    if (from >= 0) statements.push({ text: sql.slice(from, to), start: from })
    from = -1
  }
  for (const { kind, text, start, end: tokenEnd } of sqlTokens(sql)) {
    if (kind === 'symbol' && text === ';') end()
    else if (kind !== 'space' && kind !== 'comment') {
      if (from < 0) from = start
      to = tokenEnd
    }
  }
  end()
  return statements
}

/** A word or a quoted name as DuckDB reads it; undefined for other tokens. */
export function identifier({ kind, text }: SqlToken): string | undefined {
  if (kind === 'word') return text
  return kind === 'name' ? text.slice(1, -1).replaceAll('""', '"') : undefined
}

/** Without space and comments. */
export function meaningfulTokens(sql: string): SqlToken[] {
  return sqlTokens(sql).filter(({ kind }) => kind !== 'space' && kind !== 'comment')
}
