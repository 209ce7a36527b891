/**
 * Statements whose inside DuckDB does not hand out as a plan: EXPLAIN, PREPARE, EXECUTE, PRAGMA. DuckDB has parsed them
 * before they come here; what is taken out of them is a statement again, which goes the way of every other.
 */

import { QueryError } from '../proto/errors.ts'
import { identifier, meaningfulTokens, type SqlToken } from '../proto/sql-tokens.ts'
import { quoteName } from '../proto/sql-text.ts'

/** EXPLAIN [ANALYZE] [(option, …)] statement. */
export function readExplain(text: string): { analyze: boolean; format: string; inner: string; offset: number } {
  const tokens = new Tokens(text)
  tokens.word('EXPLAIN')
  let analyze = tokens.maybe('ANALYZE')
  let format = ''
  if (tokens.next?.text === '(' && isOption(tokens.at(1))) {
    for (const option of tokens.parentheses()) {
      const [name = '', value = ''] = option.trim().split(/\s+/)
      if (name.toUpperCase() === 'ANALYZE') analyze = value.toUpperCase() !== 'FALSE'
      else if (name.toUpperCase() === 'FORMAT') format = value.replaceAll("'", '').toLowerCase()
      else throw new QueryError('UNSUPPORTED_STATEMENT', `EXPLAIN has no option ${name}`)
    }
  }
  const { start, rest } = tokens
  return { analyze, format, inner: rest, offset: start }
}

function isOption(token: SqlToken | undefined): boolean {
  return ['FORMAT', 'ANALYZE', 'ANALYSE', 'VERBOSE'].includes(token?.text.toUpperCase() ?? '')
}

/** PREPARE name [(type, …)] AS statement. */
export function readPrepare(text: string): { name: string; inner: string } {
  const tokens = new Tokens(text)
  tokens.word('PREPARE')
  const name = tokens.identifier()
  if (tokens.next?.text === '(') tokens.parentheses()
  tokens.word('AS')
  return { name, inner: tokens.rest }
}

/** EXECUTE name [(argument, …)]. */
export function readExecute(text: string): { name: string; arguments: string[] } {
  const tokens = new Tokens(text)
  tokens.word('EXECUTE')
  const name = tokens.identifier()
  return { name, arguments: tokens.next === undefined ? [] : tokens.parentheses() }
}

/**
 * REFRESH [TABLE] name, where a name has parts and dots: Skein's own statement, which DuckDB does not parse. Every
 * token of the text is a part of this form, so nothing can hide in it; null: another statement, for DuckDB to read.
 */
export function readRefresh(text: string): { path: readonly string[] } | null {
  const [first, ...rest] = meaningfulTokens(text)
  if (first?.kind !== 'word' || first.text.toUpperCase() !== 'REFRESH') return null
  const [word, after] = rest
  const isNoise = word?.kind === 'word' && word.text.toUpperCase() === 'TABLE'
  const name = isNoise && after !== undefined && after.text !== '.' ? rest.slice(1) : rest
  const parts = name.flatMap(token => identifier(token) ?? [])
  const isName = name.length % 2 === 1 && parts.length <= MAX_NAME_PARTS
    && name.every((token, i) => i % 2 === 0 ? identifier(token) !== undefined : token.text === '.')
  return isName ? { path: parts } : null
}

/** catalog.schema.table. */
const MAX_NAME_PARTS = 3

/** What a PRAGMA that only tells stands for; the others would change something, or tell of the machine. */
export function rewritePragma(text: string): string {
  const tokens = new Tokens(text)
  tokens.word('PRAGMA')
  const name = tokens.identifier().toLowerCase()
  const given = tokens.next?.text === '(' ? tokens.parentheses() : []
  const isCall = tokens.next === undefined
  if (isCall && name === 'table_info' && given.length === 1) return tableInfo(given[0] ?? '')
  const select = isCall && given.length === 0 ? pragmas.get(name) : undefined
  if (select === undefined) throw new QueryError('PERMISSION_DENIED', `PRAGMA ${name} is not allowed`)
  return select
}

/** Of `'name'` or of a name, qualified or not. */
function tableInfo(argument: string): string {
  const name = argument.startsWith("'") ? argument.slice(1, -1).replaceAll("''", "'") : argument
  const path = meaningfulTokens(name).flatMap(token => identifier(token) ?? [])
  return `SELECT CAST(row_number() OVER () - 1 AS INTEGER) AS cid, column_name AS name, column_type AS type, `
    + `"null" = 'NO' AS "notnull", "default" AS dflt_value, coalesce(key, '') = 'PRI' AS pk `
    + `FROM (DESCRIBE ${path.map(quoteName).join('.')})`
}

const pragmas: ReadonlyMap<string, string> = new Map([
  ['show_tables', 'SHOW TABLES'],
  ['show_tables_expanded', 'SHOW ALL TABLES'],
  ['show_databases', 'SHOW DATABASES'],
  ['database_list', 'SELECT database_oid AS seq, database_name AS name, NULL::VARCHAR AS file FROM duckdb_databases() '
    + 'WHERE NOT internal ORDER BY 1'],
  ['version', 'SELECT * FROM pragma_version()'],
])

/** Reads a text token by token. */
class Tokens {
  readonly #text: string
  readonly #tokens: readonly SqlToken[]
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = meaningfulTokens(text)
  }

  get next(): SqlToken | undefined {
    return this.#tokens[this.#at]
  }

  at(offset: number): SqlToken | undefined {
    return this.#tokens[this.#at + offset]
  }

  /** Where what is left begins. */
  get start(): number {
    return this.next?.start ?? this.#text.length
  }

  get rest(): string {
    return this.#text.slice(this.start)
  }

  maybe(word: string): boolean {
    if (this.next?.text.toUpperCase() !== word) return false
    this.#at++
    return true
  }

  word(word: string): void {
    if (!this.maybe(word)) throw this.#odd()
  }

  identifier(): string {
    const { next } = this
    const name = next === undefined ? undefined : identifier(next)
    if (name === undefined) throw this.#odd()
    this.#at++
    return name
  }

  /** What stands between commas inside the parentheses that open here. */
  parentheses(): string[] {
    const parts: string[] = []
    let depth = 0
    let from = 0
    for (; this.next !== undefined; this.#at++) {
      const { text, start, end } = this.next
      if ('([{'.includes(text) && depth++ === 0) from = end
      else if (')]}'.includes(text)) {
        if (--depth > 0) continue
        this.#at++
        const last = this.#text.slice(from, start).trim()
        return parts.length === 0 && last === '' ? [] : [...parts, last]
      } else if (text === ',' && depth === 1) {
        parts.push(this.#text.slice(from, start).trim())
        from = end
      }
    }
    throw this.#odd()
  }

  #odd(): QueryError {
    return new QueryError('UNSUPPORTED_STATEMENT', 'this form of the statement is not supported', {
      position: this.start,
    })
  }
}
