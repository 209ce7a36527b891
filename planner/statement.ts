/**
 * What kind of statement a text is, and whether it may run: one statement that reads. DuckDB's parser decides; the
 * first word of the text only chooses the words of a refusal.
 */

import { QueryError } from '../proto/errors.ts'
import { meaningfulTokens } from '../proto/sql-tokens.ts'
import { NOT_SELECT, type Syntax } from './syntax.ts'

/** Longer texts are refused: parsing and binding cost memory in proportion. */
export const MAX_SQL_CHARACTERS = 4 * 1024 * 1024

/** Statements that would change settings, or reach what is outside the catalogs. */
const reachesOutside: ReadonlySet<string> = new Set([
  'SET', 'RESET', 'ATTACH', 'DETACH', 'INSTALL', 'LOAD', 'COPY', 'EXPORT', 'IMPORT', 'PRAGMA', 'USE', 'CALL',
  'UPDATE EXTENSIONS', 'CREATE SECRET', 'DROP SECRET',
])

/** Rejects a text that DuckDB shall not see. */
export function checkText(sql: string): void {
  const { length } = sql
  if (length > MAX_SQL_CHARACTERS) {
    throw new QueryError('INVALID_REQUEST', `the statement has ${length} characters, more than ${MAX_SQL_CHARACTERS}`)
  }
  const position = sql.indexOf('\0')
  if (position >= 0) throw new QueryError('SYNTAX_ERROR', 'the statement has a zero character', { position })
}

/** Resolves to what the text mentions if it is one reading statement, else rejects with a typed error. */
export async function readStatement(
  sql: string, parse: (sql: string) => Promise<Syntax | typeof NOT_SELECT>,
): Promise<Syntax> {
  checkText(sql)
  const syntax = await parse(sql)
  if (syntax === NOT_SELECT) throw refusal(sql)
  if (syntax.statementCount === 0) throw new QueryError('SYNTAX_ERROR', 'the text holds no statement')
  if (syntax.statementCount > 1) throw severalStatements(syntax.statementCount)
  refuseQuery(syntax)
  return syntax
}

/** Rejects one that lacks a value, or lists what is not in tables. */
export function refuseQuery(syntax: Syntax): void {
  const [parameter] = syntax.parameters
  if (parameter !== undefined) {
    throw new QueryError('INVALID_REQUEST', `no value is given for the parameter $${parameter}`)
  }
  const listed = syntax.shows.find(({ name }) => name !== 'DESCRIBE' && name !== 'SUMMARY')
  if (listed !== undefined) throw unsupported(`SHOW ${shownList(listed.schema ?? '')} is not supported`)
}

function severalStatements(count: number): QueryError {
  return unsupported(`the text holds ${count} statements; send them one by one`)
}

function unsupported(message: string): QueryError {
  return new QueryError('UNSUPPORTED_STATEMENT', message)
}

/** What a SELECT may begin with: such a text that is none is several statements, or makes one on the way. */
const selectWords: ReadonlySet<string> = new Set([
  'SELECT', 'WITH', 'FROM', 'VALUES', 'TABLE', 'DESCRIBE', 'DESC', 'SHOW', 'SUMMARIZE', 'UNPIVOT',
])

/** Why a text that parses but is not a SELECT does not run. */
export function refusal(sql: string): QueryError {
  const [first = '', second, ...more] = firstWords(sql)
  if (first === 'EXPLAIN') return unsupported('EXPLAIN stands only once, at the beginning')
  if (first === 'PIVOT' || first === 'PIVOT_WIDER') {
    return unsupported('PIVOT without a list of values is not supported; name them: ON column IN (…)')
  }
  if (selectWords.has(first)) {
    return unsupported('several statements, or a PIVOT without a list of values, are not supported')
  }
  const isSecret = SECRET.test([first, second, ...more].join(' '))
  const isExtensions = first === 'UPDATE' && second === 'EXTENSIONS'
  const name = isSecret ? `${first} SECRET` : isExtensions ? `${first} ${second}` : first
  if (reachesOutside.has(name)) return new QueryError('PERMISSION_DENIED', `${name} is not allowed`)
  return unsupported(`${name || 'this statement'} is not supported; only statements that read are`)
}

/** Not every name of a table that is called so. */
const SECRET = /^(CREATE|DROP|ALTER)( OR REPLACE)?( PERSISTENT| TEMPORARY| TEMP)? SECRET\b/
const FIRST_WORDS = 5

/** The first words in upper case, past comments, semicolons and parentheses. */
export function firstWords(sql: string): readonly string[] {
  const tokens = meaningfulTokens(sql.slice(0, WORDS_WITHIN)).filter(({ text }) => text !== ';' && text !== '(')
  return tokens.slice(0, FIRST_WORDS).map(({ text }) => text.toUpperCase())
}

/** Characters of the text in which its first words are looked for. */
const WORDS_WITHIN = 10_000

function shownList(name: string): string {
  return name === '__show_tables_expanded' ? 'ALL TABLES' : name.replaceAll('"', '').toUpperCase()
}
