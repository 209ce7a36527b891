/**
 * A query in a foreign dialect as one of DuckDB's. What does not stand in the dialect's tables, or is not understood to
 * its last token, is refused with its place in the text. What comes out is bound and authorised like any other text: a
 * translation decides nothing about what a client may read.
 */

import { withLine } from '../../proto/error-place.ts'
import { quoteName } from '../../proto/sql-text.ts'
import { QueryError, unreachable } from '../../proto/errors.ts'
import type { Dialect, DialectName } from './dialect.ts'
import { foreignTokens } from './lexer.ts'
import { loadGrammar, parseSelect } from './parser.ts'
import { Queries } from './query.ts'
import { checkNames } from './names.ts'
import { refused } from './refusal.ts'
import { Source } from './source.ts'

/** Characters; the longest statements that people write have a tenth of it. */
const MAX_LENGTH = 100_000

/** Its tables and lexicon, loaded at the first use. */
export async function dialectNamed(name: DialectName): Promise<Dialect> {
  switch (name) {
    case 'mysql': return (await import('./mysql.ts')).mysql
    case 'snowflake': return (await import('./snowflake.ts')).snowflake
    case 'bigquery': return (await import('./bigquery.ts')).bigquery
    case 'tsql': return (await import('./tsql.ts')).tsql
    case 'trino': return (await import('./trino.ts')).trino
    default: return unreachable(name)
  }
}

/** DuckDB's text. Rejects with SYNTAX_ERROR, or UNSUPPORTED_STATEMENT for what has no translation. */
export async function translate(name: DialectName, sql: string): Promise<string> {
  if (sql.length > MAX_LENGTH) {
    throw new QueryError('INVALID_REQUEST',
      `a text to translate has at most ${MAX_LENGTH} characters, not ${sql.length}`)
  }
  const dialect = await dialectNamed(name)
  const grammar = await loadGrammar(dialect)
  try {
    return translateBy(dialect, sql, text => parseSelect(grammar, text))
  } catch (thrown) {
    if (!(thrown instanceof QueryError)) throw thrown
    const message = `${name}: ${thrown.message}`
    const { position } = thrown
    throw new QueryError(thrown.code, position === undefined ? message : withLine(message, position, sql), {
      position, cause: thrown,
    })
  }
}

/** `parse`: as the dialect's grammar reads a SELECT. */
export function translateBy(dialect: Dialect, sql: string, parse: ConstructorParameters<typeof Queries>[2]): string {
  const all = foreignTokens(sql, dialect.lexicon)
  const isEnd = all.findLastIndex(({ word }) => word !== ';') + 1
  const source = new Source(all.slice(0, isEnd))
  const more = source.findWord({ from: 0, to: isEnd }, ';')
  if (more < isEnd) throw refused('a text of more than one statement', source.place(more))
  checkNames(source, dialect)
  const plain = sessionStatement(source, isEnd)
  if (plain !== null) return plain
  const from = afterExplain(source)
  if (!source.startsQuery(from)) throw notQuery(source, from)
  const explain = sql.slice(source.place(0), source.place(from))
  return explain + new Queries(source, dialect, parse).query({ from, to: isEnd })
}

/** USE and SHOW, which are the same everywhere. */
function sessionStatement(source: Source, length: number): string | null {
  const isShow = source.is(0, 'SHOW', 'TABLES') || source.is(0, 'SHOW', 'DATABASES')
  if (isShow && length === 2) return `SHOW ${source.word(1)}`
  const isPath = source.isName(1) && (length === 2 || (length === 4 && source.is(2, '.') && source.isName(3)))
  if (!source.is(0, 'USE') || !isPath) return null
  return `USE ${[1, ...length === 4 ? [3] : []].map(i => quoteName(source.tokens[i]?.value ?? '')).join('.')}`
}

/** Where the statement begins after EXPLAIN and its words, which are DuckDB's. */
function afterExplain(source: Source): number {
  if (!source.is(0, 'EXPLAIN')) return 0
  const at = source.is(1, 'ANALYZE') ? 2 : 1
  const hasOptions = source.is(at, '(') && !source.startsQuery(at)
  return hasOptions ? source.close(at) + 1 : at
}

function notQuery(source: Source, at: number): Error {
  if (source.tokens.length === 0) return new QueryError('SYNTAX_ERROR', 'the text holds no statement')
  if (at >= source.tokens.length) return source.unexpected(at)
  const what = source.word(at) || 'what is no query'
  return refused(`${what}: only SELECT is, with WITH and set operations; it`, source.place(at))
}
