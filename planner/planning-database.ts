/**
 * The DuckDB that a planner thread thinks with: its tables are views over skeletons, which have footers and no rows, so
 * it can bind and optimise every statement and must run none. One request at a time.
 *
 * Its optimizer leaves out what would make the plan hard to write as SQL again, and what the executors do better for
 * themselves. `column_lifetime` is left out for a fault: with it DuckDB 1.5.6 cannot serialise some of its own plans
 * ("inequal num bindings/types"). `statistics_propagation` has to stay, or others cannot be serialised.
 */

import { quoteName } from '../proto/sql-text.ts'
import { Database, type BoundStatement, type Connection, type TextFunction } from './duckdb.ts'
import type { PlannerTable, PlanRequest } from './planned-query.ts'
import { PlanningTables } from './planning-tables.ts'
import { sessionSetting, settingStatements } from './session-settings.ts'
import type { PlainPlan } from './statement-list.ts'

/** Of DuckDB's buffers. What it folds into constants is outside of it; the parent process bounds that. */
const MEMORY_LIMIT = '512MB'

export const DISABLED_OPTIMIZERS = [
  'column_lifetime', 'compressed_materialization', 'join_filter_pushdown', 'late_materialization', 'in_clause',
  'common_subexpressions', 'reorder_filter', 'sum_rewriter', 'top_n_window_elimination', 'common_subplan',
  'row_group_pruner', 'regex_range', 'sampling_pushdown', 'window_self_join', 'duplicate_groups',
]

const DUCKDB_FAULT = /^(INTERNAL|FATAL) Error/

/** DuckDB's answers about one text; JSON where it says so. */
export interface PlanningSession {
  /** The plan as bound, before the optimizer. An error is JSON too. */
  readonly boundPlan: TextFunction
  readonly optimizedPlan: TextFunction
  /** The optimised plan's shape with estimated rows. */
  explain(sql: string): Promise<string>
  bind(sql: string): Promise<BoundStatement>
}

interface OpenSession extends PlanningSession {
  readonly key: string
  readonly connection: Connection
}

export class PlanningDatabase {
  readonly #database: Database
  readonly #tables: PlanningTables
  readonly #home: Connection
  readonly #plan: TextFunction
  /** The syntax tree of a text as JSON; binds nothing. */
  readonly parse: TextFunction
  #session: OpenSession | null = null
  #isFaulty = false

  /** `home` is in the empty home database: it makes and drops the views. */
  private constructor(database: Database, home: Connection, parse: TextFunction, plan: TextFunction) {
    this.#database = database
    this.#home = home
    this.#plan = plan
    this.#tables = new PlanningTables(sql => home.run(sql))
    this.parse = parse
  }

  static async open(skeletonDirectory: string): Promise<PlanningDatabase> {
    const database = await Database.open({ directories: [skeletonDirectory], files: [] }, {
      memory_limit: MEMORY_LIMIT,
      disabled_optimizers: DISABLED_OPTIMIZERS.join(','),
      parquet_metadata_cache: 'true',
    })
    const home = await database.connect()
    const parse = await home.textFunction(
      'SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true)')
    const plan = await home.textFunction('SELECT json_serialize_plan($1::VARCHAR, skip_null := true)')
    return new PlanningDatabase(database, home, parse, plan)
  }

  /** How many statements the parser sees. */
  countStatements(sql: string): Promise<number> {
    return this.#home.countStatements(sql)
  }

  /** The root of a statement's plan, bound where there is no table; null if it does not bind there. */
  async plainPlan(sql: string): Promise<PlainPlan | null> {
    const answer = JSON.parse(await this.#plan(sql)) as { error: boolean; plans?: readonly PlainPlan[] }
    return answer.error ? null : answer.plans?.[0] ?? null
  }

  /** Rejects if DuckDB does not take the value. `sql` sets the session setting `name` and nothing else. */
  async trySetting(sql: string, name: string): Promise<void> {
    sessionSetting(name)
    const connection = await this.#database.connect()
    try {
      await connection.run(sql)
    } finally {
      connection.close()
    }
  }

  /** Makes the request's tables and defaults; the session is good until the next call. */
  async enter(request: PlanRequest): Promise<PlanningSession> {
    const { tables, defaultCatalog, defaultSchema, settings } = request
    if (this.#tables.isCrowded(tables)) return this.enterAlone(request)
    await this.#tables.use(tables, defaultCatalog, defaultSchema)
    const key = JSON.stringify([defaultCatalog, defaultSchema, Object.entries(settings)])
    if (this.#session?.key === key) return this.#session
    this.#closeSession()
    const connection = await this.#database.connect()
    await connection.run([
      `SET explain_output = 'optimized_only'`, ...settingStatements(settings),
      `USE ${quoteName(defaultCatalog)}.${quoteName(defaultSchema)}`,
    ].join('; '))
    this.#session = {
      key, connection,
      boundPlan: await connection.textFunction('SELECT json_serialize_plan($1::VARCHAR)'),
      optimizedPlan: await connection.textFunction('SELECT json_serialize_plan($1::VARCHAR, optimize := true)'),
      explain: async sql => String((await connection.rows(`EXPLAIN (FORMAT json) ${sql}`))[0]?.[1]),
      bind: sql => connection.bind(sql),
    }
    return this.#session
  }

  /** True if a name of the text may have been bound to a table that the request does not have. */
  seesOthers(tables: readonly PlannerTable[]): boolean {
    return this.#tables.holdsOthers(tables)
  }

  /** As `enter`, with no table but those of the request. */
  async enterAlone(request: PlanRequest): Promise<PlanningSession> {
    this.#closeSession()
    await this.#tables.reset()
    return this.enter(request)
  }

  /** DuckDB has met a fault of its own, after which it answers nothing any more: open another one. */
  get isFaulty(): boolean {
    return this.#isFaulty
  }

  /** To be called with what its functions threw. */
  note(thrown: unknown): void {
    if (thrown instanceof Error && DUCKDB_FAULT.test(thrown.message)) this.#isFaulty = true
  }

  close(): void {
    this.#database.close()
  }

  #closeSession(): void {
    this.#session?.connection.close()
    this.#session = null
  }
}
