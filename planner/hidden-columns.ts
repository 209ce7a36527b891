/**
 * Columns of a table that no `*` means, as DuckDB's readers have them: filename, file_row_number. To DuckDB they are
 * columns like others here; hide-columns.ts writes a text so that nothing means them but their names.
 */

import type { NameDefaults } from '../catalog/meanings.ts'
import type { TableName } from '../catalog/table.ts'
import { QueryError } from '../proto/errors.ts'
import { identifier, meaningfulTokens } from '../proto/sql-tokens.ts'

/** What readers make beside the columns of their files. */
export const HIDDEN_COLUMNS: readonly string[] = ['filename', 'file_row_number']

/** True if the text may mean such a column. */
export function mentionsHidden(sql: string): boolean {
  if (!HIDDEN_COLUMNS.some(name => sql.toLowerCase().includes(name))) return false
  return meaningfulTokens(sql).some(token => HIDDEN_COLUMNS.includes(identifier(token)?.toLowerCase() ?? ''))
}

/** True of what DuckDB says where such a column is missing: it names it, or others that are alike. */
export function isAboutHidden(error: unknown): boolean {
  return error instanceof QueryError && error.code === 'BIND_ERROR'
    && HIDDEN_COLUMNS.some(name => error.message.toLowerCase().includes(name))
}

/** The name of the table that has a table's hidden columns, where both are. */
export function nameApart(table: string): string {
  return `${table} of files`
}

export interface HidingTable {
  readonly name: TableName
  /** The hidden ones come last. */
  readonly columns: readonly { readonly name: string }[]
  /** Empty: it has none. */
  readonly hidden: readonly string[]
}

export interface HidingRequest {
  readonly sql: string
  readonly tables: readonly HidingTable[]
  readonly defaults: NameDefaults
  /** Absent: the tables are there under their own names. */
  readonly apart?: {
    /** Relations besides; they go before tables of the same name. */
    readonly own: readonly { readonly path: readonly string[]; readonly columns: readonly string[] }[]
  }
}

export function cannotHide(what: string): QueryError {
  return new QueryError('UNSUPPORTED_STATEMENT',
    `${what} cannot be combined with the columns ${HIDDEN_COLUMNS.join(' and ')} of files; name the columns`)
}
