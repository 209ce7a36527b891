/**
 * A statement through decode and emit: planned on a planning database over the tables of tables.ts, written as one SQL
 * text, and run on a plain DuckDB beside the original text.
 */

import { decodePlan } from '../../planner/decode.ts'
import { emit } from '../../planner/emit.ts'
import type { Plan } from '../../planner/plan.ts'
import { PlanningDatabase, type PlanningSession } from '../../planner/planning-database.ts'
import { quoteName } from '../../proto/sql-text.ts'
import { DuckDBInstance, type DuckDBConnection } from '../duckdb.ts'
import { difference } from './compare.ts'
import { answer } from './in-process-cluster.ts'
import { makeTables, requestOf, type Tables } from './planner-tables.ts'
import { tables as selects } from './tables.ts'

/** One with summer time, so that a time zone that is lost shows. */
const TIME_ZONE = 'Europe/Berlin'

export class RoundTrip {
  readonly #files: Tables
  readonly #database: PlanningDatabase
  readonly #session: PlanningSession
  readonly #instance: DuckDBInstance
  /** The tables' names are views; settings as the session has them. */
  readonly plain: DuckDBConnection

  private constructor(files: Tables, database: PlanningDatabase, session: PlanningSession, plain: Plain) {
    this.#files = files
    this.#database = database
    this.#session = session
    this.#instance = plain.instance
    this.plain = plain.connection
  }

  static async open(): Promise<RoundTrip> {
    const files = await makeTables(selects)
    const database = await PlanningDatabase.open(files.folder)
    const session = await database.enter(requestOf('', files.tables, { settings: { TimeZone: TIME_ZONE } }))
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
    const connection = await instance.connect()
    await connection.run(`SET TimeZone = '${TIME_ZONE}'`)
    for (const { name, skeletonPath } of files.tables) {
      await connection.run(`CREATE VIEW ${quoteName(name.table)} AS SELECT * FROM read_parquet('${skeletonPath}')`)
    }
    return new RoundTrip(files, database, session, { instance, connection })
  }

  async close(): Promise<void> {
    this.#database.close()
    this.#instance.closeSync()
    await this.#files.remove()
  }

  async planJson(sql: string): Promise<string> {
    return this.#session.optimizedPlan(sql)
  }

  async explainJson(sql: string): Promise<string> {
    return this.#session.explain(sql)
  }

  async plan(sql: string): Promise<Plan> {
    return this.decode(await this.planJson(sql), await this.explainJson(sql))
  }

  decode(planJson: string, explainJson: string): Plan {
    return decodePlan(planJson, explainJson, this.#files.tables)
  }

  text(plan: Plan): string {
    const tables = this.#files.tables
    return emit(plan, {
      scan: scan => quoteName(tables[scan.table]?.name.table ?? ''),
      exchange: () => { throw new Error('no exchange is in a plan as decoded') },
      columnName: (table, column) => tables[table]?.columns[column]?.name ?? '',
    }).sql
  }

  /** null if the emitted text gives the same types and rows as the statement; else what differs, and the text. */
  async difference(sql: string): Promise<string | null> {
    const plan = await this.plan(sql)
    const text = this.text(plan)
    const expected = await answer(this.plain, sql)
    const actual = await answer(this.plain, text).catch((thrown: unknown) => String(thrown))
    const found = typeof actual === 'string' ? actual : difference(expected, actual, isOrdered(plan))
    return found === null ? null : `${sql}\n${text}\n${found}`
  }

  tableName(table: number): string {
    return this.#files.tables[table]?.name.table ?? '?'
  }

  columnName(table: number, column: number): string {
    return this.#files.tables[table]?.columns[column]?.name ?? '?'
  }
}

interface Plain {
  readonly instance: DuckDBInstance
  readonly connection: DuckDBConnection
}

function isOrdered(plan: Plan): boolean {
  if (plan.kind === 'Project') return isOrdered(plan.input)
  return plan.kind === 'Sort' || plan.kind === 'TopN'
}
