/**
 * A text as the list of its statements, and of each what it asks for, so that whoever serves a session knows where it
 * goes. DuckDB says it: what it can write down as a SELECT is a query, and of SET, USE, BEGIN and their like it gives
 * name and value. Only of what it cannot bind here (it knows no table) the first word chooses the way; there DuckDB is
 * asked again, on the instance that has the tables, before anything runs.
 *
 * The pieces between semicolons are our own reading. DuckDB must find one statement in each piece; so nothing can hide
 * behind a semicolon that we do not see. Of REFRESH, which DuckDB does not know, every token is accounted for.
 */

import { QueryError } from '../proto/errors.ts'
import { identifier, meaningfulTokens, splitStatements, type StatementText } from '../proto/sql-tokens.ts'
import { fromDuckdb } from './duckdb-error.ts'
import type { NamedTable } from './messages.ts'
import { readsMetadata } from './metadata.ts'
import { pivotQuestions, type PivotQuestion } from './pivot-values.ts'
import type { PlanningDatabase } from './planning-database.ts'
import { sessionSetting } from './session-settings.ts'
import { readExecute, readExplain, readPrepare, readRefresh, rewritePragma } from './statement-forms.ts'
import { checkText, firstWords, refusal, refuseQuery } from './statement.ts'
import { NOT_SELECT } from './syntax.ts'

export type StatementKind =
  /** It reads. `metadata`: the catalog itself (SHOW TABLES, information_schema, …), rather than tables. */
  | { readonly kind: 'query'; readonly names: readonly NamedTable[]; readonly metadata: boolean }
  /** A setting that a session may have; null: back to its default. */
  | { readonly kind: 'set'; readonly name: string; readonly value: string | null }
  /** A catalog, a schema, or both, as in USE; null: back to the defaults. */
  | { readonly kind: 'use'; readonly path: readonly string[] | null }
  /** One of the other kinds, with lists that are asked for first; see pivot-values. */
  | { readonly kind: 'pivot'; readonly questions: readonly PivotQuestion[] }
  | { readonly kind: 'transaction'; readonly action: 'begin' | 'commit' | 'rollback' }
  /** `inner` is what EXECUTE will run. */
  | { readonly kind: 'prepare'; readonly name: string; readonly inner: string }
  /** Arguments as they stand. */
  | { readonly kind: 'execute'; readonly name: string; readonly arguments: readonly string[] }
  | { readonly kind: 'deallocate'; readonly name: string }
  /** `inner` begins at `offset` of the statement's text. */
  | { readonly kind: 'explain'; readonly analyze: boolean; readonly format: string; readonly inner: string
    readonly offset: number }
  /** Skein's own: the files of a table or of a catalog are looked at again. */
  | { readonly kind: 'refresh'; readonly path: readonly string[] }
  /** It changes data or objects, which only the session's own instance has: `word` is what it begins with. */
  | { readonly kind: 'change'; readonly word: string }
  | { readonly kind: 'refused'; readonly code: QueryError['code']; readonly message: string
    readonly position: number | undefined }

export type Statement = StatementText & StatementKind

/** `text`: what runs in the place of the statement's own. */
type Kind = StatementKind & { readonly text?: string }

/** Statements of one text; a script has some tens. */
const MAX_STATEMENTS = 1_000
/** What creates or changes data and objects. */
const changing: ReadonlySet<string> = new Set([
  'CREATE', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'MERGE', 'DROP', 'ALTER', 'COMMENT',
  'WITH',
])

/** Rejects with SYNTAX_ERROR if one of them does not parse, with its place in the whole text. */
export async function statementsIn(database: PlanningDatabase, sql: string): Promise<readonly Statement[]> {
  checkText(sql)
  const pieces = splitStatements(sql)
  if (pieces.length === 0) throw new QueryError('SYNTAX_ERROR', 'the text holds no statement')
  if (pieces.length > MAX_STATEMENTS) {
    throw new QueryError('INVALID_REQUEST', `the text holds ${pieces.length} statements, more than ${MAX_STATEMENTS}`)
  }
  const statements: Statement[] = []
  for (const piece of pieces) statements.push({ ...piece, ...await kindOf(database, piece, sql) })
  return statements
}

async function kindOf(database: PlanningDatabase, { text, start }: StatementText, sql: string): Promise<Kind> {
  try {
    return await kindOfOne(database, text)
  } catch (thrown) {
    if (!(thrown instanceof QueryError)) throw thrown
    const place = thrown.position === undefined ? undefined : thrown.position + start
    if (thrown.code === 'SYNTAX_ERROR') throw await inWholeText(database, thrown, place, sql)
    return { kind: 'refused', code: thrown.code, message: thrown.message, position: thrown.position }
  }
}

/** DuckDB's own message about the whole text counts lines from its beginning. */
async function inWholeText(
  database: PlanningDatabase, error: QueryError, position: number | undefined, sql: string,
): Promise<QueryError> {
  const told = await database.countStatements(sql).then(() => undefined, (thrown: unknown) => fromDuckdb(thrown, sql))
  if (told?.code === 'SYNTAX_ERROR') return told
  return new QueryError(error.code, error.message, { position, cause: error })
}

async function kindOfOne(database: PlanningDatabase, text: string): Promise<Kind> {
  const refresh = readRefresh(text)
  if (refresh !== null) return { kind: 'refresh', ...refresh }
  const syntax = await database.syntax(text)
  if (syntax !== NOT_SELECT) {
    if (syntax.statementCount !== 1) throw notOne(syntax.statementCount)
    const metadata = readsMetadata(syntax)
    if (!metadata) refuseQuery(syntax)
    return { kind: 'query', names: await database.namedTables(syntax, text), metadata }
  }
  const [word, second] = firstWords(text)
  if (word === 'PRAGMA') {
    const rewritten = rewritePragma(text)
    return { ...await kindOfOne(database, rewritten), text: rewritten }
  }
  if (word === 'PREPARE' && (await pivotQuestions(readPrepare(text).inner, parses(database))).length > 0) {
    return { kind: 'prepare', ...readPrepare(text) }
  }
  const count = await database.countStatements(text).catch((thrown: unknown) => { throw fromDuckdb(thrown, text) })
  const questions = count > 1 && pivoting.has(word ?? '') ? await pivotQuestions(text, parses(database)) : []
  if (questions.length > 0) return { kind: 'pivot', questions }
  if (word === 'PIVOT' || word === 'PIVOT_WIDER') throw refusal(text)
  if (count !== 1) throw notOne(count)
  switch (word) {
    // a variable may be made of tables, so only the instance that has it can bind it
    case 'SET': case 'RESET': if (second === 'VARIABLE') return { kind: 'change', word }; break
    case 'EXPLAIN': return { kind: 'explain', ...readExplain(text) }
    case 'PREPARE': return { kind: 'prepare', ...readPrepare(text) }
    case 'EXECUTE': return { kind: 'execute', ...readExecute(text) }
    default: break
  }
  return ofPlan(await database.plainPlan(text), text, database)
}

/** What a PIVOT may stand in, where DuckDB lets it stand without a list. */
const pivoting: ReadonlySet<string> = new Set([
  'PIVOT', 'PIVOT_WIDER', 'SELECT', 'FROM', 'DESCRIBE', 'DESC', 'SHOW', 'SUMMARIZE', 'EXPLAIN', ...changing,
])

function parses(database: PlanningDatabase): (sql: string) => Promise<boolean> {
  return async sql => database.syntax(sql).then(syntax => syntax !== NOT_SELECT, () => false)
}

function notOne(count: number): QueryError {
  return new QueryError('UNSUPPORTED_STATEMENT', `DuckDB reads ${count} statements where one was expected`)
}

/** `plan`: the root of the plan as DuckDB binds it without any table; null if that is not possible. */
async function ofPlan(plan: PlainPlan | null, text: string, database: PlanningDatabase): Promise<StatementKind> {
  switch (plan?.type) {
    case 'LOGICAL_SET': return ofSet(plan, text, database)
    case 'LOGICAL_RESET': {
      const name = plan.name ?? ''
      return isPath(name) ? { kind: 'use', path: null } : { kind: 'set', name: sessionSetting(name), value: null }
    }
    case 'LOGICAL_TRANSACTION': return { kind: 'transaction', action: actionOf(plan.info?.type ?? '') }
    case 'LOGICAL_DROP':
      if (plan.info?.type === 'PREPARED_STATEMENT') return { kind: 'deallocate', name: plan.info.name ?? '' }
      break
    default: break
  }
  const refused = refusal(text)
  const [word = ''] = firstWords(text)
  if (refused.code === 'PERMISSION_DENIED' || !changing.has(word)) throw refused
  return { kind: 'change', word }
}

/** Of a plan's root what is asked of it here. */
export interface PlainPlan {
  readonly type?: string
  readonly name?: string
  readonly scope?: string
  readonly value?: { readonly is_null?: boolean; readonly value?: unknown }
  readonly info?: { readonly type?: string; readonly name?: string }
}

async function ofSet(plan: PlainPlan, text: string, database: PlanningDatabase): Promise<StatementKind> {
  const { name = '', scope, value } = plan
  if (scope === 'GLOBAL') throw new QueryError('PERMISSION_DENIED', 'SET GLOBAL is not allowed')
  if (isPath(name)) return { kind: 'use', path: pathOf(String(value?.value ?? '')) }
  // of some settings it is an internal error of DuckDB's, after which the instance takes nothing more
  if (value?.is_null === true) throw new QueryError('UNSUPPORTED_STATEMENT', `SET ${name} to NULL: RESET takes it back`)
  await database.trySetting(text, name).catch((thrown: unknown) => { throw fromDuckdb(thrown, text) })
  return { kind: 'set', name: sessionSetting(name), value: String(value?.value) }
}

function isPath(name: string): boolean {
  return ['schema', 'search_path'].includes(name.toLowerCase())
}

/** `a`, `a.b`, with quotes where DuckDB needs them. */
function pathOf(value: string): readonly string[] {
  const tokens = meaningfulTokens(value)
  const path = tokens.flatMap(token => identifier(token) ?? [])
  const isPathText = tokens.every((token, i) => i % 2 === 0 ? identifier(token) !== undefined : token.text === '.')
  if (isPathText && (path.length === 1 || path.length === 2)) return path
  throw new QueryError('UNSUPPORTED_STATEMENT', `'${value}' is not one catalog, schema or catalog.schema`)
}

function actionOf(type: string): 'begin' | 'commit' | 'rollback' {
  switch (type) {
    case 'BEGIN_TRANSACTION': return 'begin'
    case 'COMMIT': return 'commit'
    case 'ROLLBACK': return 'rollback'
    default: throw new QueryError('UNSUPPORTED_STATEMENT', `the transaction statement ${type} is not supported`)
  }
}
