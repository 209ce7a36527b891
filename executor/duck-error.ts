/**
 * DuckDB's failures: its class of exception and its own message, taken from the JSON that connections are told to give
 * (`errors_as_json`), and the code of ours that they mean. DuckDB's words come first in every message.
 */

import { readCastMark, type CastOrigin } from '../proto/cast-mark.ts'
import { QueryError, type ErrorCode } from '../proto/errors.ts'
import { isDiskFull } from './troubles.ts'

export interface DuckErrorOptions extends ErrorOptions {
  readonly position?: number | undefined
  readonly origin?: CastOrigin | undefined
}

/** As DuckDB threw it. */
export class DuckError extends Error {
  override readonly name = 'DuckError'
  /** DuckDB's class of exception, e.g. `Conversion`. */
  readonly type: string
  /** Where in the text of the statement, in bytes from 0. */
  readonly position: number | undefined
  /** Of the cast that failed, in a text that we emitted. */
  readonly origin: CastOrigin | undefined

  constructor(type: string, message: string, options: DuckErrorOptions) {
    super(message, options)
    this.type = type
    this.position = options.position
    this.origin = options.origin
  }
}

/** `thrown` by the binding when `sql` ran, as a DuckError; what is not DuckDB's comes back as it was. */
export function duckError(thrown: unknown, sql = ''): unknown {
  if (!(thrown instanceof Error)) return thrown
  const json = /^\{.*\}$/s.test(thrown.message) ? parsed(thrown.message) : undefined
  if (json !== undefined) {
    const { exception_type: type, exception_message: message, position } = json
    const at = typeof position === 'string' && /^\d+$/.test(position) ? Number(position) : undefined
    const origin = at === undefined ? undefined : readCastMark(sql, at)
    const told = origin === undefined ? String(message) : ofColumn(String(message), origin)
    return new DuckError(String(type), `${String(type)} Error: ${told}`, { position: at, origin, cause: thrown })
  }
  const plain = /^(?:Failed to [a-z ]+: )?((?:[A-Z][A-Za-z]+ )+?)Error: /.exec(thrown.message)
  if (plain?.[1] === undefined) return thrown
  return new DuckError(plain[1].trim(), thrown.message, { cause: thrown })
}

const CAST_COLUMN = ' when casting from source column '

/** DuckDB names the column in our text. */
function ofColumn(message: string, { column }: CastOrigin): string {
  const at = message.lastIndexOf(CAST_COLUMN)
  if (at < 0) return message
  return message.slice(0, at) + (column === null ? '' : CAST_COLUMN + column)
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'exception_type' in value ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Parquet files that are cut off or overwritten: DuckDB says Invalid Input, as it does of users' values. */
const CORRUPT = new RegExp([
  "no magic bytes found at end of file '", "^Invalid Input Error: File '.*' too small to be a parquet file",
  'failed to read file "', 'TProtocolException', 'footer length error', 'decompression failure',
].join('|'), 'i')

/** What is missing is a table, or where a table would be. */
const MISSING_TABLE = new RegExp(
  '^(Catalog Error: (Table|View|Schema|Catalog|Table or schema) with name .* does not exist'
  + '|Binder Error: Catalog "[^"]*" does not)')

const THERE_ALREADY = /^Catalog Error: [^"]* with name "?.*"? already exists/

/**
 * The QueryError that a task ends with. What is the executor's trouble and not the statement's may be tried elsewhere:
 * a full disk, a DuckDB that has failed for good. `files` are those it read: named if DuckDB does not say which is bad.
 */
export function taskError(thrown: unknown, files: readonly string[]): QueryError {
  if (isDiskFull(thrown)) return new QueryError('EXECUTOR_FULL', thrown.message, { cause: thrown })
  if (thrown instanceof QueryError) return thrown
  if (!(thrown instanceof DuckError)) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return new QueryError('INTERNAL', message, { cause: thrown })
  }
  if (isFatal(thrown)) return new QueryError('EXECUTOR_LOST', thrown.message, { cause: thrown })
  const code = codeOf(thrown)
  const named = code === 'FILE_CORRUPT' || code === 'FILE_NOT_FOUND' ? nameFiles(thrown.message, files) : thrown.message
  return new QueryError(code, named, { cause: thrown, position: thrown.position })
}

/** True if the instance refuses everything from now on and must be made anew. */
export function isFatal(thrown: unknown): boolean {
  if (!(thrown instanceof DuckError)) return false
  return thrown.type === 'FATAL' || thrown.message.includes('database has been invalidated')
}

function codeOf({ type, message }: DuckError): ErrorCode {
  switch (type) {
    case 'Out of Memory': return message.includes('max_temp_directory_size') ? 'DISK_FULL' : 'OUT_OF_MEMORY'
    case 'INTERRUPT': return 'CANCELLED'
    case 'INTERNAL': case 'FATAL': return 'INTERNAL'
    case 'Permission': return 'PERMISSION_DENIED'
    case 'Parser': case 'Syntax': return 'SYNTAX_ERROR'
    case 'Binder': case 'Catalog':
      if (THERE_ALREADY.test(message)) return 'TABLE_EXISTS'
      return MISSING_TABLE.test(message) ? 'TABLE_NOT_FOUND' : 'BIND_ERROR'
    case 'IO':
      if (/max_temp_directory_size/i.test(message)) return 'DISK_FULL'
      if (/no files found|no such file/i.test(message)) return 'FILE_NOT_FOUND'
      return 'FILE_CORRUPT'
    case 'TransactionContext': case 'Transaction': return 'TRANSACTION_ERROR'
    case 'Serialization': return 'FILE_CORRUPT'
    case 'Invalid Input': case 'Invalid': return CORRUPT.test(message) ? 'FILE_CORRUPT' : 'EXECUTION_ERROR'
    default: return 'EXECUTION_ERROR'
  }
}

/** Files beyond these are counted, not named. */
const NAMED_FILES = 3

function nameFiles(message: string, files: readonly string[]): string {
  if (files.length === 0 || files.some(file => message.includes(file))) return message
  const more = files.length > NAMED_FILES ? ` and ${files.length - NAMED_FILES} more` : ''
  return `${message} (reading ${files.slice(0, NAMED_FILES).join(', ')}${more})`
}
