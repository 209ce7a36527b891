/** What a translation says no to: with the place in the text that the client sent. */

import { QueryError } from '../../proto/errors.ts'

/** What is meant is known, and has no translation here. */
export function refused(what: string, position?: number): QueryError {
  return new QueryError('UNSUPPORTED_STATEMENT', `${what} is not translated`, { position })
}

export function syntaxError(what: string, position?: number): QueryError {
  return new QueryError('SYNTAX_ERROR', what, { position })
}

/** It is text with quotes in DuckDB. */
export const UNCAST_JSON = 'a path into JSON without a cast'
