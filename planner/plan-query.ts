/**
 * Planning of one statement, inside a planner thread:
 *
 *   parse ▶ screen ▶ bind ▶ authorise ▶ columns ▶ optimise ▶ decode ▶ prune ▶ choose ▶ distribute ▶ cut ▶ dry bind
 *                                                    └──── Unsupported ────┴──────────┬──────────────────┘
 *   whole, its own text  ◀───────────────────────────┘                                ▼
 *                                                                          whole, one emitted fragment
 *
 * Up to `columns` a failure is the user's error. After that there is none: the statement is known to run, and what
 * the planner cannot do makes it run whole, with the reason kept. This is the one place that catches Unsupported.
 */

import type { TableColumn } from '../catalog/table.ts'
import { hasEndlessJoin } from '../proto/endless-join.ts'
import { QueryError } from '../proto/errors.ts'
import { parseDuckType } from '../proto/types.ts'
import { assemble, type FragmentDraft } from './assemble.ts'
import { columnsRead } from './columns-read.ts'
import { authorise, screen, screenUnread, type Authority } from './authority.ts'
import { prunableScans, readsNothingSplit, wholeReason } from './choose.ts'
import { decodePlan } from './decode.ts'
import { anyOperator, comparesByType } from './cut/operator.ts'
import { isSplitTable } from './cut/scan.ts'
import { contextOf, distribute } from './distribute.ts'
import { bindFragments } from './dry-bind.ts'
import { fromDuckdb } from './duckdb-error.ts'
import { hasJoinThatStatisticsMayEmpty } from './emptied-join.ts'
import { cutAtExchanges, type Fragment } from './fragment.ts'
import { volatileFunctions } from './functions.ts'
import { estimateGroups } from './group-estimate.ts'
import { plainRows } from './plain-rows.ts'
import type { NamedTable } from './messages.ts'
import type { Plan } from './plan.ts'
import type { PlannedQuery, PlanRequest, PruneScans } from './planned-query.ts'
import type { PlanningDatabase, PlanningSession } from './planning-database.ts'
import { readStatement } from './statement.ts'
import { NOT_SELECT, type Syntax } from './syntax.ts'
import { Unsupported } from './unsupported.ts'

const ENDLESS_JOIN = 'an ASOF RIGHT or FULL JOIN in a statement that cannot be written anew'

/** Every table that the text may mean. A text that may not run has none: planning it tells why. */
export async function namesIn(database: PlanningDatabase, sql: string): Promise<readonly NamedTable[]> {
  const syntax = await database.syntax(sql)
  if (syntax === NOT_SELECT) return []
  return database.namedTables(syntax, sql)
}

export async function planQuery(
  database: PlanningDatabase, request: PlanRequest, prune: PruneScans,
): Promise<PlannedQuery> {
  const { sql, tables } = request
  const session = await database.enter(request)
  const syntax = await readStatement(sql, text => database.syntax(text)).catch(async (thrown: unknown) => {
    throw await withLine(session, sql, thrown)
  })
  screen(syntax, tables, sql)
  try {
    return await planReading(database, session, syntax, request, prune)
  } catch (thrown) {
    // a name of an earlier request may have been in the way, or in the message
    if (!database.seesOthers(tables) || !isAboutNames(thrown)) throw thrown
    return planReading(database, await database.enterAlone(request), syntax, request, prune)
  }
}

function isAboutNames(thrown: unknown): boolean {
  return thrown instanceof QueryError && ['BIND_ERROR', 'TABLE_NOT_FOUND', 'PERMISSION_DENIED'].includes(thrown.code)
}

async function planReading(
  database: PlanningDatabase, session: PlanningSession, syntax: Syntax, request: PlanRequest, prune: PruneScans,
): Promise<PlannedQuery> {
  const [bound, early] = await bothEnded(
    bindStatement(session, syntax, request), optimizedEarly(session, request))
  const { authority, columns, plan } = valueOf(bound)
  const planned = { columns, tablesRead: authority.tables, volatile: authority.volatile }
  try {
    if (authority.statementFunction !== null) throw new Unsupported(`the function ${authority.statementFunction}`)
    if (syntax.shows.length > 0) throw new Unsupported('DESCRIBE and SUMMARIZE')
    // DuckDB's parser obeys it, json_serialize_plan does not
    if (isTrue(request.settings['integer_division'])) throw new Unsupported('the setting integer_division')
    return { ...planned, ...await cutPlan(session, request, { columns, plan, early }, prune), sqlKind: 'emitted' }
  } catch (thrown) {
    if (!(thrown instanceof Unsupported) && !isUnknownType(thrown)) throw thrown
    database.note(thrown.cause)
    // what is sure to fail does so now; most of it are constants that cannot be folded
    await session.prepare(request.sql).catch((error: unknown) => { throw fromDuckdb(error, request.sql) })
    if (hasEndlessJoin(plan)) throw new QueryError('UNSUPPORTED_STATEMENT', `${ENDLESS_JOIN} (${thrown.message})`)
    // of what has no plan, as SUMMARIZE, it is not known what it reads
    const lean = plan === null ? null : parsePlan(await session.leanPlan(request.sql))
    const fragments = [originalFragment(request, authority.tables, columns, lean)]
    return { ...planned, fragments, sqlKind: 'original', wholeReason: thrown.message }
  }
}

/**
 * The optimised plan of a text whose tables are all small, as JSON, asked for while the text is bound: so it costs no
 * time of its own. Nothing reads it before the statement is authorised. null: it is asked for then, with estimates.
 */
async function optimizedEarly(
  session: PlanningSession, { sql, tables, thresholds }: PlanRequest,
): Promise<string | null> {
  return tables.some(table => isSplitTable(table, thresholds)) ? null : session.optimizedPlan(sql)
}

function isTrue(setting: string | undefined): boolean {
  return setting !== undefined && !/^(false|f|0|no|off)$/i.test(setting)
}

/** A type that DuckDB has and the planner cannot write; every other error of the user is known by now. */
function isUnknownType(thrown: unknown): thrown is QueryError {
  return thrown instanceof QueryError && thrown.code === 'UNSUPPORTED_STATEMENT'
}

interface Bound {
  readonly authority: Authority
  readonly columns: readonly TableColumn[]
  /** As JSON, before the optimizer; null: DuckDB cannot write it down. */
  readonly plan: unknown
}

/** Rejects with DuckDB's message if the statement does not bind, and with PERMISSION_DENIED if it may not run. */
export async function bindStatement(
  session: PlanningSession, syntax: Syntax, { sql, tables }: Pick<PlanRequest, 'sql' | 'tables'>,
): Promise<Bound> {
  const [json, bound] = await bothEnded(session.boundPlan(sql), session.bind(sql))
  const plan = parsePlan(valueOf(json))
  const authority = plan === null ? null : authorise(plan, tables)
  if (bound.status === 'rejected') throw fromDuckdb(bound.reason, sql)
  const { columns } = bound.value
  if (authority === null) screenUnread(syntax, tables, sql)
  if (columns.length === 0) throw new QueryError('UNSUPPORTED_STATEMENT', 'the statement gives no columns')
  const all = tables.map((_, position) => position)
  // binds, but has no plan that can be read: the syntax tree alone has passed it
  if (authority === null) return { authority: { tables: all, volatile: true, statementFunction: null }, columns, plan }
  // DESCRIBE reads names that its plan does not hold any more
  return { authority: syntax.shows.length > 0 ? { ...authority, tables: all } : authority, columns, plan }
}

/** Questions to connections of their own, beside each other. Neither is under way any more when it ends. */
function bothEnded<A, B>(a: Promise<A>, b: Promise<B>): Promise<[PromiseSettledResult<A>, PromiseSettledResult<B>]> {
  return Promise.allSettled([a, b])
}

function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}

/** The bound plan; null if DuckDB has answered with an error: then binding gives its message, or has none. */
function parsePlan(json: string): unknown {
  const withoutNumbers = json.includes('NaN') || json.includes('Infinity')
    ? json.replace(/"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g, token => token.startsWith('"') ? token : 'null') : json
  const answer = JSON.parse(withoutNumbers) as { readonly error: boolean; readonly plans?: unknown }
  return answer.error ? null : answer.plans
}

/** The syntax tree's errors lack the line and the caret that binding adds. */
async function withLine(session: PlanningSession, sql: string, thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof QueryError) || thrown.code !== 'SYNTAX_ERROR') return thrown
  const { position } = thrown
  return session.bind(sql).then(() => thrown, (cause: unknown) => {
    const { code, message } = fromDuckdb(cause, sql)
    return code === 'SYNTAX_ERROR' ? new QueryError(code, message, { position, cause }) : thrown
  })
}

type Cut = Pick<PlannedQuery, 'fragments' | 'wholeReason'>

interface Binding extends Pick<Bound, 'columns' | 'plan'> {
  /** What `optimizedEarly` came to. */
  readonly early: PromiseSettledResult<string | null>
}

/** Throws Unsupported if the plan cannot be written as SQL again; if it only cannot be cut, it is one fragment. */
async function cutPlan(
  session: PlanningSession, request: PlanRequest, bound: Binding, prune: PruneScans,
): Promise<Cut> {
  const { tables, thresholds } = request
  const tableTypes = tables.map(table => table.columns.map(column => parseDuckType(column.type)))
  const context = contextOf({ tables, tableTypes, thresholds, volatileFunctions })
  const bind = (drafts: readonly FragmentDraft[]): Promise<readonly Fragment[]> =>
    bindFragments(drafts, tables, bound.columns, async sql => (await session.bind(sql)).columns)
  // who wants it explained is told the estimates
  const isPlain = request.explain !== true && readsNothingSplit(bound.plan, tables, thresholds)
  const plan = estimateGroups(await (isPlain ? plainPlan : optimizedPlan)(session, request, bound), tables)
  const whole = async (reason: string): Promise<Cut> => {
    const unsplit = { ...context, isSplit: tables.map(() => false) }
    const drafts = assemble(cutAtExchanges(plan), tables, unsplit, request.explain)
    return { fragments: await bind(drafts), wholeReason: reason }
  }
  const choice = { tables, thresholds }
  // asking what filters leave costs a round trip to another process
  const reason = (request.explain === true ? null : wholeReason(plan, { ...choice, estimates: null }))
    ?? wholeReason(plan, { ...choice, estimates: await prune(prunableScans(plan)) })
  if (reason !== null) return whole(reason)
  try {
    const cuts = cutAtExchanges(distribute(plan, context))
    return { fragments: await bind(assemble(cuts, tables, context, request.explain)), wholeReason: null }
  } catch (thrown) {
    if (!(thrown instanceof Unsupported)) throw thrown
    return whole(thrown.message)
  }
}

/** With DuckDB's estimates. */
function optimizedPlan(session: PlanningSession, request: PlanRequest, { plan, early }: Binding): Promise<Plan> {
  return decoded(request, plan, async sql => {
    const [json, shape] = await bothEnded(optimized(session, sql, early), session.explain(sql))
    return decodePlan(valueOf(json), valueOf(shape), request.tables)
  })
}

/** Without. */
function plainPlan(session: PlanningSession, request: PlanRequest, { plan, early }: Binding): Promise<Plan> {
  return decoded(request, plan, async sql =>
    plainRows(decodePlan(await optimized(session, sql, early), null, request.tables), request.tables))
}

async function optimized(session: PlanningSession, sql: string, early: Binding['early']): Promise<string> {
  return valueOf(early) ?? session.optimizedPlan(sql)
}

async function decoded(
  { sql, settings }: PlanRequest, boundPlan: unknown, decode: (sql: string) => Promise<Plan>,
): Promise<Plan> {
  try {
    const plan = await decode(sql)
    const hasCollation = Object.keys(settings).some(name => name.toLowerCase() === 'default_collation')
    if (anyOperator(plan, ({ kind }) => kind === 'Empty') && hasJoinThatStatisticsMayEmpty(boundPlan)) {
      throw new Unsupported('an ANTI JOIN that statistics may have emptied')
    }
    if (hasCollation && anyOperator(plan, comparesByType)) throw new Unsupported('a set operation of collated texts')
    return plan
  } catch (thrown) {
    if (thrown instanceof Unsupported) throw thrown
    // it has bound, so this is a gap of the optimizer's serialisation, or an error that running it will repeat
    throw new Unsupported(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
  }
}

/** The user's text, over tables of their own names. `lean`: its plan, without columns of no use; null: not known. */
function originalFragment(
  { sql, tables }: PlanRequest, read: readonly number[], columns: readonly TableColumn[], lean: unknown,
): Fragment {
  const touched = lean === null ? null : columnsRead(lean, tables)
  const columnsOf = (table: number): readonly number[] =>
    touched === null ? [...tables[table]?.columns.keys() ?? []] : touched.get(table) ?? []
  return {
    id: 0, sql, columns: columns.map(({ type }) => ({ type, wireType: type })),
    scans: read.map((table, id) => ({
      id, table, columns: columnsOf(table), filters: [], reads: 'all',
    })),
    inputs: [], restrictions: [], output: { kind: 'result' }, tasks: 'one', orderSensitive: true, maxRows: null,
    rows: Math.max(1, ...read.map(table => tables[table]?.rowCount ?? 0)),
    bytes: Math.max(1, ...read.map(table => tables[table]?.sizeBytes ?? 0)),
  }
}
