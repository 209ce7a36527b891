/**
 * The tables of a planning instance: one view a table, over what stands for its data. Views stay from one request to
 * the next and are made again when the table's version changes; making one binds it, half a millisecond.
 *
 * So views of earlier requests are visible too. A statement that reached one is planned again after `reset`, which
 * leaves the tables of the request alone; the same goes for a statement that fails to bind, so that no message can
 * suggest a name that its user may not know.
 */

import type { TableName } from '../catalog/table.ts'
import { QueryError } from '../proto/errors.ts'
import { quoteName, quoteText } from '../proto/sql-text.ts'
import { HOME_DATABASE } from './duckdb.ts'
import type { PlannerTable } from './planned-query.ts'

/** Views kept at most; then only those of the request at hand. */
const MAX_VIEWS = 512

/** The database of the empty tables. */
export const EMPTY_TABLES = 'skein tables'

/** A session may be in it; what it holds is not known here, and DuckDB cannot make it the default. */
const TEMPORARY = 'temp'
/** Databases that an instance has. */
const reserved: ReadonlySet<string> = new Set(['system', TEMPORARY, HOME_DATABASE, EMPTY_TABLES])

/** What the views of an instance read. */
export interface Stand {
  /** Statements that come before a table's view; its schema is there. */
  before(table: PlannerTable): readonly string[]
  /** A relation with the columns of the table. */
  relation(table: PlannerTable): string
  /** Statements that forget all that `before` made. */
  forget(): readonly string[]
}

/** A file with its footers and no rows: what estimates come from. Opening it is most of what a binding costs. */
export const skeletons: Stand = {
  before: () => [],
  relation: ({ skeletonPath }) => skeleton(skeletonPath),
  forget: () => [],
}


/** A table of no rows: binds in a fraction of the time, and tells nothing about the data. */
export const emptyTables: Stand = {
  before: table => [
    `ATTACH IF NOT EXISTS ':memory:' AS ${quoteName(EMPTY_TABLES)}`,
    `CREATE OR REPLACE TABLE ${emptyTable(table)} (${
      table.columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ')})`,
  ],
  relation: emptyTable,
  forget: () => [`DETACH DATABASE IF EXISTS ${quoteName(EMPTY_TABLES)}`],
}

/** Named by the skeleton, which is the table's identity; a path is no name that a statement may mention. */
function emptyTable({ skeletonPath }: PlannerTable): string {
  return `${quoteName(EMPTY_TABLES)}.main.${quoteName(skeletonPath)}`
}

/** As USE has it. */
export function defaultPlace(catalog: string, schema: string): string {
  return catalog.toLowerCase() === TEMPORARY ? quoteName(HOME_DATABASE) : `${quoteName(catalog)}.${quoteName(schema)}`
}

export class PlanningTables {
  readonly #run: (sql: string) => Promise<void>
  readonly #stand: Stand
  /** Skeleton path by version, by qualified name. */
  readonly #views = new Map<string, string>()
  readonly #schemas = new Set<string>()
  readonly #catalogs = new Map<string, string>()

  constructor(stand: Stand, run: (sql: string) => Promise<void>) {
    this.#stand = stand
    this.#run = run
  }

  /** True if `reset` has to come before `use`. */
  isCrowded(tables: readonly PlannerTable[]): boolean {
    return this.#views.size > 0 && this.#views.size + tables.length > MAX_VIEWS && this.holdsOthers(tables)
  }

  /** True if names can be bound to views of other requests. */
  holdsOthers(tables: readonly PlannerTable[]): boolean {
    const own = new Set(tables.map(({ name }) => keyOf(name)))
    return [...this.#views.keys()].some(key => !own.has(key))
  }

  /** Makes the views of `tables` and the schema of the defaults, as far as they are not there. */
  async use(tables: readonly PlannerTable[], defaultCatalog: string, defaultSchema: string): Promise<void> {
    const statements: string[] = []
    if (defaultCatalog.toLowerCase() !== TEMPORARY) this.#schema(defaultCatalog, defaultSchema, statements)
    const made: [string, string][] = []
    for (const table of tables) {
      const { name, version, skeletonPath } = table
      const key = keyOf(name)
      const state = `${version}\n${skeletonPath}`
      if (this.#views.get(key) === state) continue
      this.#schema(name.catalog, name.schema, statements)
      const view = [name.catalog, name.schema, name.table].map(quoteName).join('.')
      statements.push(...this.#stand.before(table))
      statements.push(`CREATE OR REPLACE VIEW ${view} AS SELECT * FROM ${this.#stand.relation(table)}`)
      made.push([key, state])
    }
    if (statements.length === 0) return
    try {
      await this.#run(statements.join('; '))
    } catch (cause) {
      await this.reset()
      // DuckDB's message names the skeleton, which is none of the user's business
      throw new Error(`the tables ${tables.map(({ name }) => name.table).join(', ')} cannot be bound`, { cause })
    }
    for (const [key, state] of made) this.#views.set(key, state)
  }

  /** Forgets all; connections that have one of the catalogs as their default have to choose again. */
  async reset(): Promise<void> {
    const attached = [...this.#catalogs.values()]
    this.#views.clear()
    this.#schemas.clear()
    this.#catalogs.clear()
    for (const catalog of attached) await this.#run(`DETACH DATABASE IF EXISTS ${quoteName(catalog)}`)
    for (const statement of this.#stand.forget()) await this.#run(statement)
  }

  #schema(catalog: string, schema: string, statements: string[]): void {
    const catalogKey = catalog.toLowerCase()
    if (reserved.has(catalogKey)) throw new QueryError('INVALID_CONFIG', `a catalog cannot have the name ${catalog}`)
    if (!this.#catalogs.has(catalogKey)) {
      this.#catalogs.set(catalogKey, catalog)
      statements.push(`ATTACH ':memory:' AS ${quoteName(catalog)}`)
    }
    const key = `${catalogKey}\n${schema.toLowerCase()}`
    if (this.#schemas.has(key)) return
    this.#schemas.add(key)
    statements.push(`CREATE SCHEMA IF NOT EXISTS ${quoteName(catalog)}.${quoteName(schema)}`)
  }
}

/** Never with Hive keys from the path: a skeleton holds all columns of its table. */
export function skeleton(path: string): string {
  return `read_parquet(${quoteText(path)}, hive_partitioning = false)`
}

/** DuckDB compares names without case. */
function keyOf(name: TableName): string {
  return [name.catalog, name.schema, name.table].join('\n').toLowerCase()
}
