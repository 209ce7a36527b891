/**
 * DuckDB's errors as QueryErrors: the class that starts its message decides the code, the message is kept whole (with
 * `LINE 1: …` and its caret), and the place is what the caret points at.
 */

import { QueryError, type ErrorCode } from '../proto/errors.ts'

const codes: Readonly<Record<string, ErrorCode>> = {
  'Parser Error': 'SYNTAX_ERROR',
  'Syntax Error': 'SYNTAX_ERROR',
  'Binder Error': 'BIND_ERROR',
  'Catalog Error': 'BIND_ERROR',
  'Permission Error': 'PERMISSION_DENIED',
  'Not implemented Error': 'UNSUPPORTED_STATEMENT',
  'Conversion Error': 'EXECUTION_ERROR',
  'Out of Range Error': 'EXECUTION_ERROR',
  'Invalid Input Error': 'EXECUTION_ERROR',
  'Invalid Error': 'EXECUTION_ERROR',
  'Mismatch Type Error': 'EXECUTION_ERROR',
  'Out of Memory Error': 'PLANNING_LIMIT',
  'Extension Autoloading Error': 'PERMISSION_DENIED',
}

/** Of a Catalog Error: what is missing is a table, or where a table would be. */
const MISSING_TABLE = /^Catalog Error: (Table|View|Schema|Catalog|Table or schema) with name /

/** For errors that a user's text can cause: parsing, binding, preparing. What has no class is our own fault. */
export function fromDuckdb(thrown: unknown, sql: string): QueryError {
  if (thrown instanceof QueryError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const end = message.indexOf(':')
  const code = MISSING_TABLE.test(message) || missingCatalog(message) ? 'TABLE_NOT_FOUND' : codes[message.slice(0, end)]
  return new QueryError(code ?? 'INTERNAL', message, { cause: thrown, position: caretPosition(message, sql) })
}

function missingCatalog(message: string): boolean {
  return /^Binder Error: Catalog "[^"]*" does not exist/.test(message)
}

/** DuckDB's counted in bytes of UTF-8, ours in characters. */
export function positionOf(offset: number | null, sql: string): number | undefined {
  if (offset === null || !Number.isSafeInteger(offset)) return undefined
  return Buffer.from(sql).subarray(0, offset).toString().length
}

/**
 * From the message's last two lines:
 *   LINE 2: …what stands around it…
 *           ^
 * DuckDB cuts long lines at both ends and marks the cut with `...`; then the place is searched in the line's text.
 */
function caretPosition(message: string, sql: string): number | undefined {
  const found = /\nLINE (\d+): (.*)\n( *)\^/.exec(message)
  if (found === null) return undefined
  const [, lineNumber = '', shown = '', spaces = ''] = found
  const lines = sql.split('\n')
  const index = Number(lineNumber) - 1
  const line = lines[index]
  if (line === undefined) return undefined
  const start = lines.slice(0, index).reduce((sum, before) => sum + before.length + 1, 0)
  const column = spaces.length - `LINE ${lineNumber}: `.length
  const cutBefore = shown.startsWith('...') && !line.startsWith('...')
  const part = shown.slice(cutBefore ? 3 : 0).replace(/\.\.\.$/, '')
  const at = cutBefore ? line.indexOf(part) - 3 : 0
  return at < -3 || column < 0 ? undefined : start + at + column
}
