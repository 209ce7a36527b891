/**
 * What a session sees beside the tables of the cluster: what it has made, and catalogs that are files. Listed on its
 * own instance, without a look at any of the cluster's tables; a file that others write for longer than a moment is
 * left out.
 */

import { QueryError } from '../../proto/errors.ts'
import type { QueryId } from '../../proto/ids.ts'
import { quoteText } from '../../proto/sql-text.ts'
import { UTC } from '../../proto/time-zone.ts'
import { rowText } from '../serve/row-text.ts'
import type { OwnInstances } from './own-instances.ts'
import type { Session } from './session.ts'

export interface OwnColumn {
  readonly name: string
  /** DuckDB's text of it. */
  readonly type: string
  readonly nullable: boolean
  readonly comment: string | null
}

export interface OwnTable {
  readonly catalog: string
  readonly schema: string
  /** null: a schema, which may have none. */
  readonly table: string | null
  readonly kind: 'TABLE' | 'VIEW' | 'LOCAL TEMPORARY' | null
  readonly columns: readonly OwnColumn[]
}

export interface OwnKey {
  readonly catalog: string
  readonly schema: string
  readonly table: string
  readonly name: string
  readonly columns: readonly string[]
  /** Of a foreign key: what it refers to, in the same schema. */
  readonly refers: { readonly table: string; readonly columns: readonly string[] } | null
}

/** Of one list, as text: some 100,000 columns. */
const MAX_CHARACTERS = 16 * 1024 * 1024

const tablesSql = `WITH named AS (
    SELECT database_name AS d, schema_name AS s, table_name AS t,
      CASE WHEN temporary THEN 'LOCAL TEMPORARY' ELSE 'TABLE' END AS kind FROM duckdb_tables() WHERE NOT internal
    UNION ALL SELECT database_name, schema_name, view_name, 'VIEW' FROM duckdb_views() WHERE NOT internal
    UNION ALL SELECT database_name, schema_name, NULL, NULL FROM duckdb_schemas()
      WHERE schema_name NOT IN ('information_schema', 'pg_catalog')
  ), columns AS (
    SELECT database_name AS d, schema_name AS s, table_name AS t,
      list([column_name, data_type, CASE WHEN is_nullable THEN 'yes' ELSE 'no' END, comment] ORDER BY column_index) AS c
    FROM duckdb_columns() WHERE NOT internal GROUP BY ALL
  )
  SELECT d, s, t, kind, c FROM named LEFT JOIN columns USING (d, s, t)`
const keysSql = `SELECT database_name AS d, schema_name, table_name, constraint_name, constraint_column_names,
    CASE WHEN constraint_type = 'FOREIGN KEY' THEN referenced_table END, referenced_column_names
  FROM duckdb_constraints() WHERE constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')`

export class OwnCatalog {
  readonly #own: OwnInstances
  readonly #newId: () => string

  constructor(own: OwnInstances, newId: () => string) {
    this.#own = own
    this.#newId = newId
  }

  async tables(session: Session): Promise<readonly OwnTable[]> {
    type Row = [string, string, string | null, OwnTable['kind'], (readonly [string, string, string, string | null])[]]
    const rows = await this.#rows(session, tablesSql) as readonly Row[]
    return rows.map(([catalog, schema, table, kind, columns]) => ({
      catalog, schema, table, kind, columns: (columns ?? []).map(([name, type, nullable, comment]) =>
        ({ name, type, nullable: nullable === 'yes', comment })),
    }))
  }

  async keys(session: Session): Promise<readonly OwnKey[]> {
    type Row = [string, string, string, string, string[], string | null, string[] | null]
    const rows = await this.#rows(session, keysSql) as readonly Row[]
    return rows.map(([catalog, schema, table, name, columns, refersTo, refersColumns]) => ({
      catalog, schema, table, name, columns,
      refers: refersTo === null ? null : { table: refersTo, columns: refersColumns ?? [] },
    }))
  }

  /** Of its catalogs alone. */
  async #rows(session: Session, listing: string): Promise<readonly unknown[]> {
    if (!this.#own.hasOwn(session)) return []
    const catalogs = ['memory', 'temp', ...this.#own.databases.names].map(name => quoteText(name.toLowerCase()))
    const sql = `SELECT * FROM (${listing}) WHERE lower(d) IN (${catalogs.join(', ')})`
    const request = {
      sql, defaultCatalog: 'memory', defaultSchema: 'main', settings: {}, principal: session.principal,
      sessionId: session.id, clientInterface: 'ArrowFlightSQL',
    } as const
    const query = this.#own.submit(session, request, 'own-list', this.#newId() as QueryId)
    try {
      const columns = await query.columns
      let text = ''
      for await (const piece of rowText(query.frames(), columns, 'arrays', UTC)) {
        text += piece
        if (text.length <= MAX_CHARACTERS) continue
        throw new QueryError('RESULT_TOO_LARGE', `a list of tables of more than ${MAX_CHARACTERS} characters`)
      }
      return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as unknown)
    } finally {
      query.release()
    }
  }
}
