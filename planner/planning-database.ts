/**
 * The DuckDB that a planner thread thinks with. It binds and optimises every statement and must run none. One request
 * at a time. There are two instances, of the same names:
 *
 *   binder      its tables are empty: what a statement means, its columns, what it reads, whether a fragment binds
 *   optimizer   its tables are skeletons, which have footers and no rows: the plan and its estimates
 *
 * because opening skeletons is most of what a binding costs, and three in five need none. The binder optimises nothing.
 *
 * The optimizer leaves out what would make the plan hard to write as SQL again, and what the executors do better for
 * themselves. `column_lifetime` is left out for a fault: with it DuckDB 1.5.6 cannot serialise some of its own plans
 * ("inequal num bindings/types"). `statistics_propagation` has to stay, or others cannot be serialised.
 */

import { Database, type BoundStatement, type Connection, type StatementParameter, type TextFunction } from './duckdb.ts'
import { fileReferences } from './file-references.ts'
import type { NamedTable } from './messages.ts'
import type { PlannerTable, PlanRequest } from './planned-query.ts'
import { defaultPlace, emptyTables, PlanningTables, skeletons, type Stand } from './planning-tables.ts'
import { sessionSetting, settingStatements } from './session-settings.ts'
import type { PlainPlan } from './statement-list.ts'
import { type NOT_SELECT, readSyntax, type Syntax } from './syntax.ts'

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
  /** The bound plan without the columns that nothing needs. */
  leanPlan(sql: string): Promise<string>
  readonly optimizedPlan: TextFunction
  /** The optimised plan's shape with estimated rows. */
  explain(sql: string): Promise<string>
  /** Does not optimise: constants are not folded, so their errors are not found. */
  bind(sql: string): Promise<BoundStatement>
  /** Parameters of a text, with the types that they are bound to. */
  parameters(sql: string): Promise<readonly StatementParameter[]>
  /** Names of the columns of a text with parameters. */
  describedNames(sql: string): Promise<readonly string[]>
  /** As executors will prepare it: rejects with DuckDB's message if that is sure to fail. */
  prepare(sql: string): Promise<void>
}

interface OpenSession extends PlanningSession {
  readonly key: string
  readonly connections: readonly Connection[]
}

const BINDS_ONLY = 'PRAGMA disable_optimizer'
const SHAPE = `SET explain_output = 'optimized_only'`
const OPTIMIZED = 'SELECT json_serialize_plan($1::VARCHAR, optimize := true)'

const PARSE = 'SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true)'
/** Types with parameters inside of others, as ENUM('a')[]; the newest form is longer, and seldom needed. */
const NOT_IN_THE_OLD_FORM = /^\{"error":true,"error_type":"serialization"/

/** One of the two instances. */
interface Half {
  readonly database: Database
  readonly tables: PlanningTables
}

export class PlanningDatabase {
  readonly #binder: Half
  readonly #optimizer: Half
  /** In the binder's empty home database. */
  readonly #home: Connection
  readonly #plan: TextFunction
  readonly #parse: TextFunction
  /** Of the last text: its names are asked for, and then its plan. */
  #parsed: { readonly sql: string; readonly syntax: Syntax | typeof NOT_SELECT } | null = null
  #session: OpenSession | null = null
  #isFaulty = false

  private constructor(binder: Half, optimizer: Half, home: Connection, parse: TextFunction, plan: TextFunction) {
    this.#binder = binder
    this.#optimizer = optimizer
    this.#home = home
    this.#parse = parse
    this.#plan = plan
  }

  static async open(skeletonDirectory: string): Promise<PlanningDatabase> {
    const binder = await Database.open({ directories: [], files: [] }, { memory_limit: MEMORY_LIMIT })
    await binder.leaveOptimizer('unused_columns')
    const optimizer = await Database.open({ directories: [skeletonDirectory], files: [] }, {
      memory_limit: MEMORY_LIMIT,
      disabled_optimizers: DISABLED_OPTIMIZERS.join(','),
      parquet_metadata_cache: 'true',
      storage_compatibility_version: 'latest', // of the syntax trees that it writes
    })
    const home = await binder.connect()
    const parse = await home.textFunction(PARSE)
    const latest = await (await optimizer.connect()).textFunction(PARSE)
    const parseAnyForm: TextFunction = async sql => {
      const tree = await parse(sql)
      return NOT_IN_THE_OLD_FORM.test(tree) ? latest(sql) : tree
    }
    const plan = await home.textFunction('SELECT json_serialize_plan($1::VARCHAR, skip_null := true)')
    return new PlanningDatabase(
      await half(binder, emptyTables), await half(optimizer, skeletons), home, parseAnyForm, plan)
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
    const connection = await this.#binder.database.connect()
    try {
      await connection.run(sql)
    } finally {
      connection.close()
    }
  }

  /** Binds nothing. Rejects with the parser's message and place. */
  async syntax(sql: string): Promise<Syntax | typeof NOT_SELECT> {
    if (this.#parsed?.sql !== sql) this.#parsed = { sql, syntax: readSyntax(await this.#parse(sql), sql) }
    return this.#parsed.syntax
  }

  /** The trees of a text's statements; rejects if it does not parse, or holds what has no tree. */
  async trees(sql: string): Promise<readonly unknown[]> {
    const tree = JSON.parse(await this.#parse(sql)) as { error?: boolean; statements?: readonly unknown[] }
    if (tree.error === true || tree.statements === undefined) throw new Error('the text has no tree')
    return tree.statements
  }

  /** Every table that a text may mean, and the files that it names. `syntax` is the text's. */
  async namedTables(syntax: Syntax, sql: string): Promise<readonly NamedTable[]> {
    const names = syntax.tables.map(({ catalog, schema, name }): NamedTable => ({ catalog, schema, table: name }))
    const files = await fileReferences(syntax.relations, sql, text => this.trees(text))
    return [
      ...new Map(names.map(name => [JSON.stringify(name), name])).values(),
      ...files.map(files => ({ catalog: null, schema: null, table: files.name, files })),
    ]
  }

  /** Makes the request's tables and defaults; the session is good until the next call. */
  async enter(request: Omit<PlanRequest, 'thresholds'>): Promise<PlanningSession> {
    const { tables, defaultCatalog, defaultSchema, settings } = request
    if (this.#binder.tables.isCrowded(tables)) return this.enterAlone(request)
    for (const { tables: own } of [this.#binder, this.#optimizer]) {
      await own.use(tables, defaultCatalog, defaultSchema)
    }
    const key = JSON.stringify([defaultCatalog, defaultSchema, Object.entries(settings)])
    if (this.#session?.key === key) return this.#session
    this.#closeSession()
    const connect = async ({ database }: Half, setting: string): Promise<Connection> => {
      const connection = await database.connect()
      const use = `USE ${defaultPlace(defaultCatalog, defaultSchema)}`
      await connection.run([setting, ...settingStatements(settings), use].join('; '))
      return connection
    }
    // what is asked at the same time has connections of its own
    const [binder, reader] = [await connect(this.#binder, BINDS_ONLY), await connect(this.#binder, BINDS_ONLY)]
    const [optimizer, explainer] = [await connect(this.#optimizer, SHAPE), await connect(this.#optimizer, SHAPE)]
    this.#session = {
      key, connections: [binder, reader, optimizer, explainer],
      boundPlan: await reader.textFunction('SELECT json_serialize_plan($1::VARCHAR)'),
      leanPlan: async sql => {
        const lean = await connect(this.#binder, 'PRAGMA enable_optimizer')
        try {
          return await (await lean.textFunction(OPTIMIZED))(sql)
        } finally {
          lean.close()
        }
      },
      optimizedPlan: await optimizer.textFunction(OPTIMIZED),
      explain: async sql => String((await explainer.rows(`EXPLAIN (FORMAT json) ${sql}`))[0]?.[1]),
      bind: sql => binder.bind(sql),
      parameters: sql => binder.parameters(sql),
      describedNames: sql => binder.describedNames(sql),
      prepare: async sql => { await optimizer.bind(sql) },
    }
    return this.#session
  }

  /** True if a name of the text may have been bound to a table that the request does not have. */
  seesOthers(tables: readonly PlannerTable[]): boolean {
    return this.#binder.tables.holdsOthers(tables)
  }

  /** As `enter`, with no table but those of the request. */
  async enterAlone(request: Omit<PlanRequest, 'thresholds'>): Promise<PlanningSession> {
    this.#closeSession()
    for (const { tables } of [this.#binder, this.#optimizer]) await tables.reset()
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
    this.#binder.database.close()
    this.#optimizer.database.close()
  }

  #closeSession(): void {
    for (const connection of this.#session?.connections ?? []) connection.close()
    this.#session = null
  }
}

/** Its views are made and dropped by a connection that is in the empty home database. */
async function half(database: Database, stand: Stand): Promise<Half> {
  const home = await database.connect()
  return { database, tables: new PlanningTables(stand, sql => home.run(sql)) }
}
