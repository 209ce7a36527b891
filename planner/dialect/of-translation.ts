/** Errors of DuckDB's about a translation: their place is in a text that the client has never seen. */

import { QueryError } from '../../proto/errors.ts'

/** Of a long one, its beginning. */
const MAX_SHOWN = 2_000

/** With the translation instead of a place; what has no place in the text is left as it is. */
export function ofTranslation(thrown: unknown, sql: string): unknown {
  if (!(thrown instanceof QueryError)) return thrown
  if (thrown.position === undefined && !/\nLINE \d+: /.test(thrown.message)) return thrown
  const shown = sql.length > MAX_SHOWN ? `${sql.slice(0, MAX_SHOWN)} …` : sql
  const message = `${thrown.message}\n\nthe translation that this is about: ${shown}`
  return new QueryError(thrown.code, message, { cause: thrown, retryAfterMs: thrown.retryAfterMs })
}
