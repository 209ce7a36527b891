/**
 * The place of an error in the user's text, as DuckDB shows it at the end of its messages (of a long line it shows
 * another part):
 *
 *   LINE 2: WHERE amount::INTEGER > 5
 *                       ^
 */

import { QueryError, type ErrorCode } from './errors.ts'

/** Characters of a long line that are shown before the place, and as many from there on. */
const SHOWN = 40

/** An error at a place of `sql` that is counted in bytes, as DuckDB counts; undefined: it has none. */
export function errorAtByte(code: ErrorCode, message: string, offset: number | undefined, sql: string): QueryError {
  if (offset === undefined) return new QueryError(code, message)
  const position = Buffer.from(sql).toString('utf8', 0, offset).length
  return new QueryError(code, withLine(message, position, sql), { position })
}

/** The message with that place; `position` in characters. One that shows a line already stays as it is. */
export function withLine(message: string, position: number, sql: string): string {
  if (/\nLINE \d+: /.test(message)) return message
  const start = sql.lastIndexOf('\n', position - 1) + 1
  const end = sql.indexOf('\n', position)
  const line = sql.slice(start, end < 0 ? undefined : end)
  const [from, to] = [Math.max(0, position - start - SHOWN), position - start + SHOWN]
  const shown = `${from > 0 ? '...' : ''}${line.slice(from, to)}${to < line.length ? '...' : ''}`
  const head = `LINE ${sql.slice(0, start).split('\n').length}: `
  const caret = ' '.repeat(head.length + (from > 0 ? '...'.length : 0) + position - start - from)
  return `${message}\n\n${head}${shown}\n${caret}^`
}
