/**
 * What may stand at the end of a text: DuckDB's own suggestions (`sql_auto_complete`), on an instance that holds the
 * catalog's tables without rows and nothing else. It reads no file and no folder, so it can suggest none.
 */

import type { TableColumn, TableName } from '../catalog/table.ts'
import { quoteName } from '../proto/sql-text.ts'
import { Database, HOME_DATABASE, type Connection } from './duckdb.ts'

export interface CompletionRequest {
  /** Up to where the suggestions stand. */
  readonly text: string
  readonly defaultCatalog: string
  readonly defaultSchema: string
  readonly tables: readonly { readonly name: TableName; readonly columns: readonly TableColumn[] }[]
  readonly maxSuggestions: number
}

export interface Suggestion {
  readonly text: string
  /** Where it begins in the text, in characters: what stands from there on is replaced. */
  readonly start: number
  /** DuckDB's word: keyword, catalog, schema, table, column, scalar_function, … */
  readonly kind: string
  /** 0 is best. */
  readonly score: number
  /** What people type next; null: nothing is known. */
  readonly next: string | null
}

/** Names alone take little of it. */
const MEMORY_LIMIT = '128MB'
/** Paths of the planner's machine. */
const hiddenKinds: ReadonlySet<string> = new Set(['file_name', 'directory'])

export class CompletionDatabase {
  #database: Database | null = null
  #connection: Connection | null = null
  /** What it was made of. */
  #state = ''

  async complete(request: CompletionRequest): Promise<readonly Suggestion[]> {
    const { text, maxSuggestions } = request
    const connection = await this.#enter(request)
    const rows = await connection.rowsOf('SELECT suggestion, suggestion_start, suggestion_type, suggestion_score, '
      + 'extra_char FROM sql_auto_complete($1::VARCHAR)', text)
    const bytes = Buffer.from(text)
    return rows.map(([suggestion, start, kind, score, next]): Suggestion => ({
      text: String(suggestion), start: bytes.toString('utf8', 0, Number(start)).length, kind: String(kind),
      score: Number(score), next: next === null ? null : String(next),
    })).filter(({ text, kind }) => !hiddenKinds.has(kind) && !text.includes(HOME_DATABASE)).slice(0, maxSuggestions)
  }

  close(): void {
    this.#connection?.close()
    this.#database?.close()
    this.#connection = null
    this.#database = null
  }

  async #enter({ tables, defaultCatalog, defaultSchema }: CompletionRequest): Promise<Connection> {
    const state = JSON.stringify([tables, defaultCatalog, defaultSchema])
    if (this.#connection !== null && this.#state === state) return this.#connection
    this.close()
    this.#database = await Database.open({ directories: [], files: [] }, { memory_limit: MEMORY_LIMIT })
    this.#connection = await this.#database.connect()
    this.#state = state
    await this.#connection.run(statements(tables, defaultCatalog, defaultSchema).join('; '))
    return this.#connection
  }
}

function statements(tables: CompletionRequest['tables'], catalog: string, schema: string): readonly string[] {
  const schemas = new Map<string, readonly string[]>()
  const add = (path: readonly string[]): void => { schemas.set(path.join('\n').toLowerCase(), path) }
  for (const { name } of tables) add([name.catalog, name.schema])
  const isTemporary = catalog.toLowerCase() === 'temp'
  if (!isTemporary) add([catalog, schema])
  return [
    ...[...schemas.values()].flatMap(([database = '', own = '']) => [
      `ATTACH IF NOT EXISTS ':memory:' AS ${quoteName(database)}`,
      `CREATE SCHEMA IF NOT EXISTS ${quoteName(database)}.${quoteName(own)}`,
    ]),
    ...tables.map(({ name, columns }) => {
      const list = columns.map(column => `${quoteName(column.name)} ${column.type}`).join(', ')
      return `CREATE TABLE ${[name.catalog, name.schema, name.table].map(quoteName).join('.')} (${list})`
    }),
    ...isTemporary ? [] : [`USE ${quoteName(catalog)}.${quoteName(schema)}`],
  ]
}
