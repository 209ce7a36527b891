/** Which failures of an attempt at a task are tried again, and which of them elsewhere. */

import { QueryError, type ErrorCode } from '../proto/errors.ts'

/** What another executor, or the same one later, may do better. SQL's own errors would come again. */
export const retried: ReadonlySet<ErrorCode> = new Set(
  ['UNAVAILABLE', 'EXECUTOR_LOST', 'INPUT_LOST', 'EXECUTOR_FULL', 'CANCELLED'],
)
/** What one executor may lack while another attempt runs elsewhere, which then goes on alone. */
export const ofTheExecutor: ReadonlySet<ErrorCode> = new Set(['OUT_OF_MEMORY', 'DISK_FULL', 'INTERNAL', 'FILE_CORRUPT'])
/** What an executor cannot reach, or is not reached by: others may. */
export const wantsOthers: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'EXECUTOR_LOST'])
/** Besides, for a launch without an answer. */
export const retriedLaunch: ReadonlySet<ErrorCode> = new Set([...retried, 'DEADLINE_EXCEEDED', 'INTERNAL', 'NOT_FOUND'])

/**
 * What says how a call ended, and not what the query did, is nothing that its user could make sense of. UNAVAILABLE, of
 * a task, is a store that does not answer: an executor that does not is another matter, which others know nothing of.
 */
export function notLaunched(cause: QueryError): QueryError {
  const isOfTheCall = cause.code === 'UNAVAILABLE' || !retried.has(cause.code)
  if (!isOfTheCall || !retriedLaunch.has(cause.code)) return cause
  return new QueryError('EXECUTOR_LOST', `an executor could not be given a task: ${cause.message}`, { cause })
}
