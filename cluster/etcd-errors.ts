/** What etcd and its library throw, as QueryErrors, and which of it may be better the next time. */

import { isBrokenCircuitError } from 'cockatiel'
import { QueryError, type ErrorCode } from '../proto/errors.ts'

/** By gRPC status: the library keeps its number in the text of the message, `14 UNAVAILABLE: …`. */
const byStatus: Readonly<Record<number, ErrorCode>> = {
  1: 'CANCELLED', 3: 'INVALID_REQUEST', 4: 'UNAVAILABLE', 5: 'NOT_FOUND', 7: 'PERMISSION_DENIED', 8: 'UNAVAILABLE',
  11: 'NOT_FOUND', 13: 'UNAVAILABLE', 14: 'UNAVAILABLE', 16: 'UNAUTHENTICATED',
}
/** Texts of etcd that the library makes errors of without a status. */
const byText: readonly (readonly [RegExp, ErrorCode])[] = [
  [/lease not found/, 'NOT_FOUND'],
  [/compacted/, 'NOT_FOUND'],
  [/permission denied/, 'PERMISSION_DENIED'],
  [/invalid auth token|authentication failed|user name is empty/, 'UNAUTHENTICATED'],
  [/too large|too many operations/, 'INVALID_REQUEST'],
  [/leader|timed out|too many requests|no space|stopped/, 'UNAVAILABLE'],
]

export function etcdError(thrown: unknown): QueryError {
  if (thrown instanceof QueryError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new QueryError(codeOf(thrown, message), `the metadata store: ${message}`, { cause: thrown })
}

/** Nothing says that the call was not done. */
export function mayBeTriedAgain(thrown: unknown): boolean {
  const { code } = etcdError(thrown)
  return code === 'UNAVAILABLE' || code === 'CANCELLED' // a host that was given up cancels its other calls
}

function codeOf(thrown: unknown, message: string): ErrorCode {
  if (thrown instanceof Error && isBrokenCircuitError(thrown)) return 'UNAVAILABLE'
  const known = byText.find(([pattern]) => pattern.test(message))
  if (known !== undefined) return known[1]
  const status = /^(\d{1,2}) [A-Z_]+:/.exec(message)?.[1]
  return (status === undefined ? undefined : byStatus[Number(status)]) ?? 'UNAVAILABLE'
}
