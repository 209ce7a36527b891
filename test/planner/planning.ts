/**
 * Tables and a planning DuckDB for tests of plans: the tables lie in several Parquet files each, and one file with all
 * their rows is what the planner binds. Settings as the product's planning database has them.
 */

import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { TableColumn } from '../../catalog/table.ts'
import { assemble } from '../../planner/assemble.ts'
import { withInputs } from '../../planner/cut/with-inputs.ts'
import { decodePlan } from '../../planner/decode.ts'
import { contextOf, distribute } from '../../planner/distribute.ts'
import { explainExpression, explainOrders } from '../../planner/explain-expression.ts'
import { explainPlan, type ExplainNames } from '../../planner/explain.ts'
import { cutAtExchanges, type Cut, type FragmentTasks } from '../../planner/fragment.ts'
import { volatileFunctions } from '../../planner/functions.ts'
import { isOrderSensitive } from '../../planner/order-sensitivity.ts'
import { planQuery } from '../../planner/plan-query.ts'
import { inputs, type Plan } from '../../planner/plan.ts'
import type { PlannedQuery, PlannerTable, PlanThresholds } from '../../planner/planned-query.ts'
import { PlanningDatabase } from '../../planner/planning-database.ts'
import { quoteName, quoteText } from '../../proto/sql-text.ts'
import { parseDuckType } from '../../proto/types.ts'
import { DuckDBInstance, type DuckDBConnection } from '../duckdb.ts'
import { answer, type Answer, type ClusterTable } from './in-process-cluster.ts'
import { pruneNothing, requestOf } from './planner-tables.ts'

/** Nothing is copied and nothing is read by every task, unless a rule has no other way. */
export const FORCED: PlanThresholds = { wholeBytes: 0, broadcastRows: 0, replicateRows: 0, sortRows: 0 }
export const DEFAULTS: PlanThresholds = {
  wholeBytes: 0, broadcastRows: 200_000, replicateRows: 10_000, sortRows: 500_000,
}

export class Planning {
  readonly tables: readonly PlannerTable[]
  /** The same tables as a cluster reads them. */
  readonly clusterTables: readonly ClusterTable[]
  readonly database: PlanningDatabase
  readonly #instance: DuckDBInstance
  readonly #plain: DuckDBConnection

  private constructor(opened: Opened) {
    this.tables = opened.tables
    this.clusterTables = opened.clusterTables
    this.database = opened.database
    this.#instance = opened.instance
    this.#plain = opened.plain
  }

  /** `folder` has one folder of Parquet files for each name. `dividedBy`: names of columns that divide their tables. */
  static async open(folder: string, names: readonly string[], dividedBy: readonly string[] = []): Promise<Planning> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1', enable_external_file_cache: 'false' })
    const plain = await instance.connect()
    await plain.run(`SET TimeZone = 'UTC'`)
    const skeletons = join(folder, 'skeletons')
    await mkdir(skeletons, { recursive: true })
    const tables: PlannerTable[] = []
    const clusterTables: ClusterTable[] = []
    for (const name of names) {
      const files = (await readdir(join(folder, name))).filter(file => file.endsWith('.parquet')).sort()
        .map(file => join(folder, name, file))
      const table = await openTable(plain, name, files, join(skeletons, `${name}.parquet`))
      const dividedColumns = table.columns.map(column => dividedBy.includes(column.name))
      tables.push({ ...table, dividedColumns, orderedColumns: dividedColumns })
      clusterTables.push({ columns: table.columns, files })
    }
    const database = await PlanningDatabase.open(skeletons)
    return new Planning({ tables, clusterTables, database, instance, plain })
  }

  close(): void {
    this.database.close()
    this.#instance.closeSync()
  }

  plan(sql: string, thresholds: PlanThresholds, explain = false): Promise<PlannedQuery> {
    return planQuery(this.database, requestOf(sql, this.tables, { thresholds, explain }), pruneNothing(this.tables))
  }

  /** DuckDB's plan of the text, as the planner decodes it. */
  async decoded(sql: string): Promise<Plan> {
    const session = await this.database.enter(requestOf(sql, this.tables))
    return decodePlan(await session.optimizedPlan(sql), await session.explain(sql), this.tables)
  }

  /**
   * Its fragments as text: the plan of each, with what it reads of others by their numbers. `times`: as if every table,
   * and so every estimate, had so many times the rows. `isOrdered`: as if they lay in order of every column.
   */
  async explained(
    sql: string, thresholds: PlanThresholds, { times = 1, isOrdered = false } = {},
  ): Promise<string> {
    const tableTypes = this.tables.map(table => table.columns.map(column => parseDuckType(column.type)))
    const tables = this.tables.map(table => ({
      ...table, rowCount: table.rowCount * times, orderedColumns: table.columns.map(() => isOrdered),
    }))
    const context = contextOf({ tables, tableTypes, thresholds, volatileFunctions })
    const cuts = cutAtExchanges(distribute(grown(await this.decoded(sql), times), context))
    const drafts = assemble(cuts, this.tables, context)
    return cuts.map((cut, i) => explainCut(cut, drafts[i]?.tasks ?? 'one', this.#names)).join('')
  }

  readonly #names: ExplainNames = {
    table: table => this.tables[table]?.name.table ?? '?',
    column: (table, column) => this.tables[table]?.columns[column]?.name ?? '?',
  }

  /** Plain DuckDB in a session with these settings. */
  async oracleWith<T>(
    settings: Readonly<Record<string, string>>, ask: (connection: DuckDBConnection) => Promise<T>,
  ): Promise<T> {
    const connection = await this.#instance.connect()
    try {
      for (const [name, value] of Object.entries(settings)) {
        await connection.run(`SET SESSION ${name} = ${quoteText(value)}`)
      }
      return await ask(connection)
    } finally {
      connection.closeSync()
    }
  }

  /** What plain DuckDB says. */
  oracle(sql: string): Promise<Answer> {
    return answer(this.#plain, sql)
  }
}

function grown(plan: Plan, times: number): Plan {
  return { ...withInputs(plan, inputs(plan).map(input => grown(input, times))), rows: plan.rows * times }
}

function explainCut(cut: Cut, tasks: FragmentTasks, names: ExplainNames): string {
  const read = (plan: Plan): Plan => {
    if (plan.kind !== 'Exchange') return withInputs(plan, inputs(plan).map(read))
    return { kind: 'CteScan', index: cut.inputs.get(plan) ?? -1, types: [], rows: plan.rows }
  }
  const { output } = cut
  const column = (i: number): string => `c${i}`
  const by = output.kind === 'hash' ? output.keys.map(key => explainExpression(key, column)).join(', ')
    : output.kind === 'range' ? explainOrders(output.orders, column) : null
  const keys = by === null ? '' : ` [${by}]`
  const sensitive = isOrderSensitive(cut, volatileFunctions) ? ', order sensitive' : ''
  const plan = explainPlan(read(cut.root), names, '  ').replaceAll('CteScan ', 'Fragment ')
  return `${cut.id}: ${tasks}, ${output.kind}${keys}${sensitive}\n${plan}`
}

interface Opened extends Pick<Planning, 'tables' | 'clusterTables' | 'database'> {
  readonly instance: DuckDBInstance
  readonly plain: DuckDBConnection
}

async function openTable(
  plain: DuckDBConnection, name: string, files: readonly string[], skeletonPath: string,
): Promise<PlannerTable> {
  const parts = `read_parquet([${files.map(quoteText).join(', ')}], hive_partitioning = false)`
  await plain.run(`CREATE VIEW ${quoteName(name)} AS SELECT * FROM ${parts}`)
  await plain.run(`COPY (FROM ${quoteName(name)}) TO ${quoteText(skeletonPath)} (FORMAT parquet)`)
  const [[rows, bytes] = []] = (await plain.runAndReadAll(
    `SELECT sum(row_group_num_rows), sum(total_compressed_size) FROM (
      SELECT any_value(row_group_num_rows) AS row_group_num_rows, sum(total_compressed_size) AS total_compressed_size
      FROM parquet_metadata(${quoteText(skeletonPath)}) GROUP BY row_group_id)`)).getRowsJson()
  const columns = await columnsOf(plain, `FROM ${quoteName(name)}`)
  return {
    name: { catalog: 'lake', schema: 'main', table: name }, version: '1', skeletonPath, columns,
    rowCount: Number(rows ?? 0), sizeBytes: Number(bytes ?? 0),
    distinctCounts: await distinctCounts(plain, skeletonPath, columns),
  }
}

/** Of columns with a dictionary, as the catalog takes them from footers. */
async function distinctCounts(
  plain: DuckDBConnection, path: string, columns: readonly TableColumn[],
): Promise<readonly (number | null)[]> {
  const told = await plain.runAndReadAll(`SELECT path_in_schema, max(stats_distinct_count)
    FROM parquet_metadata(${quoteText(path)}) WHERE stats_distinct_count IS NOT NULL GROUP BY ALL`)
  const counts = new Map(told.getRowsJson().map(([column, count]) => [String(column), Number(count)]))
  return columns.map(column => counts.get(column.name) ?? null)
}

async function columnsOf(connection: DuckDBConnection, sql: string): Promise<readonly TableColumn[]> {
  const described = await connection.runAndReadAll(`DESCRIBE ${sql}`)
  return described.getRowsJson().map(([name, type]) => ({ name: String(name), type: String(type) }))
}

/** Writes each SELECT as the table of its name, dealt over `files` files row by row; some may be empty. */
export async function writeTables(
  folder: string, selects: Readonly<Record<string, string>>, files: number,
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  for (const [name, sql] of Object.entries(selects)) {
    await mkdir(join(folder, name), { recursive: true })
    for (let i = 0; i < files; i++) {
      const dealt = `SELECT *, row_number() OVER () % ${files} AS dealt FROM (${sql})`
      const part = `SELECT * EXCLUDE (dealt) FROM (${dealt}) WHERE dealt = ${i}`
      await connection.run(`COPY (${part}) TO ${quoteText(join(folder, name, `${i}.parquet`))} (FORMAT parquet)`)
    }
  }
  instance.closeSync()
}
