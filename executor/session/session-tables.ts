/**
 * The cluster's tables in the instance of a session, each in one of three forms under its own name: a view over its
 * files; a copy of its rows (CSV and JSON: DuckDB cannot write down a plan that reads them); an empty table, to be
 * listed. They are made on a connection of their own, outside of the session's transaction.
 *
 * What a transaction has seen of a catalog it goes on to see: DuckDB shows it nothing that was made later. So a table
 * that the transaction needs and that is not there yet is refused once it has looked at the catalog.
 */

import { FileFormat, type Scan } from '../../proto/gen/executor_pb.js'
import { QueryError } from '../../proto/errors.ts'
import { quoteName } from '../../proto/sql-text.ts'
import type { DuckConnection } from '../instances.ts'
import { scanSelect } from '../views.ts'

type Form = 'view' | 'copy' | 'empty'

interface Attached {
  readonly form: Form
  /** Changes with the table's columns and files. */
  readonly state: string
}

/** Tables of one session; a person names some tens. */
const MAX_TABLES = 10_000

export class SessionTables {
  readonly #admin: DuckConnection
  readonly #attached = new Map<string, Attached>()
  /** Schemas by catalog. */
  readonly #places = new Map<string, Set<string>>()
  /** Position in the last list of tables, by path. */
  #paths: ReadonlyMap<string, number> = new Map()

  constructor(admin: DuckConnection) {
    this.#admin = admin
  }

  /** The position of the table that has this file. */
  tableOf(path: string): number | undefined {
    return this.#paths.get(path)
  }

  /** `paths` are the local files of each table. `seen`: catalogs that an open transaction has looked at. */
  async use(
    tables: readonly Scan[], paths: readonly (readonly string[])[], listing: boolean, seen: ReadonlySet<string> | null,
  ): Promise<void> {
    for (const { catalog, schema } of tables) await this.place(catalog, schema)
    this.#paths = new Map(paths.flatMap((own, i) => own.map(path => [path, i])))
    if (listing) await this.#emptyOthers(tables, seen)
    for (const [i, table] of tables.entries()) await this.#one(table, paths[i] ?? [], listing, seen)
  }

  async place(catalog: string, schema: string): Promise<void> {
    if (builtIn.has(catalog.toLowerCase())) return
    const key = catalog.toLowerCase()
    const schemas = this.#places.get(key)
    if (schemas === undefined) await this.#admin.run(`ATTACH IF NOT EXISTS ':memory:' AS ${quoteName(catalog)}`)
    if (schemas?.has(schema.toLowerCase()) === true) return
    await this.#admin.run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(catalog)}.${quoteName(schema)}`)
    this.#places.set(key, (schemas ?? new Set()).add(schema.toLowerCase()))
  }

  /** Of all catalogs that are there. */
  get catalogs(): ReadonlySet<string> {
    return new Set(this.#places.keys())
  }

  /** No file of it is told of in a list. */
  async #emptyOthers(tables: readonly Scan[], seen: ReadonlySet<string> | null): Promise<void> {
    const listed = new Set(tables.map(keyOf))
    for (const [key, { form }] of this.#attached) {
      if (form === 'empty' || listed.has(key)) continue
      const [catalog = '', schema = '', table = ''] = key.split('\n')
      this.#checkUnseen(catalog, table, seen)
      await this.#drop(key, [catalog, schema, table])
    }
  }

  async #one(
    table: Scan, paths: readonly string[], listing: boolean, seen: ReadonlySet<string> | null,
  ): Promise<void> {
    const key = keyOf(table)
    const form: Form = listing ? 'empty' : table.format === FileFormat.PARQUET ? 'view' : 'copy'
    const state = JSON.stringify([table.columns.map(({ name, type }) => [name, type]), listing ? [] : paths,
      listing ? [] : table.splits.map(({ file }) => file?.etag)])
    const known = this.#attached.get(key)
    // another version of its files is the next transaction's
    if (known !== undefined && known.form === form && (known.state === state || isSeen(table, seen))) return
    this.#checkUnseen(table.catalog, table.table, seen)
    if (this.#attached.size >= MAX_TABLES) throw new QueryError('SESSION_LIMIT', `${MAX_TABLES} tables in one session`)
    const path = [table.catalog, table.schema, table.table]
    await this.#drop(key, path)
    const name = path.map(quoteName).join('.')
    await this.#admin.run(form === 'view' ? `CREATE VIEW ${name} AS ${scanSelect(table, paths)}`
      : form === 'copy' ? `CREATE TABLE ${name} AS ${scanSelect(table, paths)}` : emptyTable(name, table))
    this.#attached.set(key, { form, state })
  }

  #checkUnseen(catalog: string, table: string, seen: ReadonlySet<string> | null): void {
    if (!isSeen({ catalog }, seen)) return
    throw new QueryError('TRANSACTION_ERROR', `the transaction has read catalog ${catalog} before it named ${table}: `
      + 'name the table before BEGIN, or begin another transaction')
  }

  async #drop(key: string, path: readonly string[]): Promise<void> {
    const known = this.#attached.get(key)
    if (known === undefined) return
    await this.#admin.run(`DROP ${known.form === 'view' ? 'VIEW' : 'TABLE'} ${path.map(quoteName).join('.')}`)
    this.#attached.delete(key)
  }
}

/** Catalogs that every instance has. */
export const builtIn: ReadonlySet<string> = new Set(['memory', 'temp', 'system'])

function isSeen({ catalog }: { readonly catalog: string }, seen: ReadonlySet<string> | null): boolean {
  return seen?.has(catalog.toLowerCase()) === true
}

function emptyTable(name: string, { columns }: Scan): string {
  return `CREATE TABLE ${name} (${columns.map(column => `${quoteName(column.name)} ${column.type}`).join(', ')})`
}

function keyOf({ catalog, schema, table }: Pick<Scan, 'catalog' | 'schema' | 'table'>): string {
  return [catalog, schema, table].join('\n').toLowerCase()
}
