/** Lines of a shell that begin with a backslash: what they ask for. */

import { QueryError } from '../../proto/errors.ts'
import { quoteText } from '../../proto/sql-text.ts'

export type ShellFormat = 'table' | 'json' | 'csv'

export type ShellCommand =
  | { readonly kind: 'quit' }
  | { readonly kind: 'help' }
  /** null: the other way round. */
  | { readonly kind: 'timing'; readonly on: boolean | null }
  | { readonly kind: 'format'; readonly format: ShellFormat }
  /** null: which one it is, is asked. */
  | { readonly kind: 'dialect'; readonly dialect: string | null }
  /** `sql` null: the statement before. */
  | { readonly kind: 'explain'; readonly analyze: boolean; readonly sql: string | null }
  /** A statement that is written shorter. */
  | { readonly kind: 'statement'; readonly sql: string }

export const SHELL_HELP = `  \\q                          leave
  \\d                          tables, those of the session too
  \\d NAME                     columns of a table
  \\l                          catalogs
  \\explain [analyze] [SQL]    what is done for a statement; without one, for the last
  \\timing [on|off]            how long each statement takes
  \\format table|json|csv      how rows are shown
  \\dialect [NAME]             what statements are written in: duckdb, mysql, snowflake, bigquery, tsql, trino
  \\?                          this text
  A statement ends with a semicolon and may go over several lines. Ctrl-C cancels it, Tab completes it.
`

/** For completion. */
export const commandWords = ['\\q', '\\d', '\\l', '\\explain', '\\timing', '\\format', '\\dialect', '\\?']

/** What a name of tables is, in the list of them. */
const LIST = `SELECT database_name AS catalog, schema_name AS "schema", table_name AS name, 'table' AS kind
FROM duckdb_tables() WHERE NOT internal
UNION ALL SELECT database_name, schema_name, view_name, 'view' FROM duckdb_views() WHERE NOT internal
ORDER BY ALL`

export function readCommand(line: string): ShellCommand {
  const [, name = '', rest = ''] = /^\\(\S*)\s*([\s\S]*?)[\s;]*$/.exec(line) ?? []
  switch (name) {
    case 'q': case 'quit': return { kind: 'quit' }
    case '?': case 'h': case 'help': return { kind: 'help' }
    case 'timing': return { kind: 'timing', on: switchOf(rest) }
    case 'format': return { kind: 'format', format: shellFormat(rest) }
    case 'dialect': return { kind: 'dialect', dialect: rest === '' ? null : rest.toLowerCase() }
    case 'explain': {
      const [, analyze, sql = ''] = /^(analyze\b)?\s*([\s\S]*)$/i.exec(rest) ?? []
      return { kind: 'explain', analyze: analyze !== undefined, sql: sql === '' ? null : sql }
    }
    case 'd': case 'dt': return { kind: 'statement', sql: rest === '' ? LIST : `DESCRIBE ${rest}` }
    case 'l': return { kind: 'statement', sql: 'SHOW DATABASES' }
    default: throw new QueryError('INVALID_REQUEST', `no command ${quoteText(`\\${name}`)}; \\? lists them`)
  }
}

export function shellFormat(word: string): ShellFormat {
  if (word === 'table' || word === 'json' || word === 'csv') return word
  throw new QueryError('INVALID_REQUEST', `the format of a shell is table, json or csv, not '${word}'`)
}

function switchOf(word: string): boolean | null {
  switch (word.toLowerCase()) {
    case '': return null
    case 'on': return true
    case 'off': return false
    default: throw new QueryError('INVALID_REQUEST', `\\timing takes on or off, not '${word}'`)
  }
}
