/** What a client sent is not what it must be: one error for every rule, with the column and the reason. */

import { QueryError } from '../errors.ts'

/** `column`: its name, with those of the fields that lead to it; empty: the message as a whole. */
export function refuse(column: string, reason: string): never {
  const what = column === '' ? 'Arrow data' : `Arrow column "${column}"`
  throw new QueryError('INVALID_REQUEST', `${what}: ${reason}`)
}
