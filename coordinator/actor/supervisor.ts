/**
 * What happens after an actor crashed, which is always our own fault: it stops, and its heir is told once.
 *
 *   crashed            its heir                   what becomes of it
 *   StageActor         its query actor            the query fails with INTERNAL
 *   QueryActor         its query handle           the query fails with INTERNAL, its executors are released
 *   ExecutorActor      the fleet actor            counts as a lost executor; watched anew
 *   fleet, admission   whoever made them          nothing can be scheduled: the process ends, the others take over
 *
 * The coordinator goes on in all cases but the last. No actor is started again with old state: what made it crash is
 * in that state.
 */

import { QueryError } from '../../proto/errors.ts'

export function crashError(actor: string, reason: unknown): QueryError {
  const message = reason instanceof Error ? reason.message : String(reason)
  return new QueryError('INTERNAL', `${actor} stopped: ${message}`, { cause: reason })
}
