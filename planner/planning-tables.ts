/**
 * The tables of a planning instance: one view a table, over its skeleton. Views stay from one request to the next and
 * are made again when the table's version changes; making one binds it, half a millisecond.
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

/** Databases that every instance has. */
const reserved: ReadonlySet<string> = new Set(['system', 'temp', HOME_DATABASE])

export class PlanningTables {
  readonly #run: (sql: string) => Promise<void>
  /** Skeleton path by version, by qualified name. */
  readonly #views = new Map<string, string>()
  readonly #schemas = new Set<string>()
  readonly #catalogs = new Map<string, string>()

  constructor(run: (sql: string) => Promise<void>) {
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
    this.#schema(defaultCatalog, defaultSchema, statements)
    const made: [string, string][] = []
    for (const { name, version, skeletonPath } of tables) {
      const key = keyOf(name)
      const state = `${version}\n${skeletonPath}`
      if (this.#views.get(key) === state) continue
      this.#schema(name.catalog, name.schema, statements)
      const view = [name.catalog, name.schema, name.table].map(quoteName).join('.')
      statements.push(`CREATE OR REPLACE VIEW ${view} AS SELECT * FROM ${skeleton(skeletonPath)}`)
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
