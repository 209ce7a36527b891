/** `skein admin drain ID [--now] [--wait]` and `undrain ID`. */

import { delay, type Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import type { AdminService } from '../proto/gen/admin_pb.js'
import type { CallOptions, ServiceClient } from '../proto/grpc-channel.ts'

/** A coordinator moves caches for a minute at most. */
const DRAIN_DEADLINE_MS = 90_000
/** The longest queries that operators wait for. */
const WAIT_MS = 24 * 3_600_000
const LOOK_MS = 250

export interface DrainCommand {
  readonly kind: 'drain' | 'undrain'
  readonly id: string
  /** Its cached files are not moved first. */
  readonly now: boolean
  /** Until nobody needs it. */
  readonly wait: boolean
}

export const drainUsage = ['drain ID [--now] [--wait]', 'undrain ID']

/** The text to print. */
export async function runDrain(
  { kind, id, now, wait }: DrainCommand, service: ServiceClient<typeof AdminService>, options: CallOptions,
  clock: Clock,
): Promise<string> {
  if (kind === 'undrain') {
    await service.undrainExecutor({ id }, options)
    return `${id} takes queries again\n`
  }
  const { filesMoved } = await service.drainExecutor({ id, now }, { deadlineMs: DRAIN_DEADLINE_MS })
  if (!wait) return `${id} drains; ${filesMoved} cached files were moved\n`
  const untilMs = clock.nowMs() + WAIT_MS
  for (;;) {
    const { executors } = await service.listExecutors({}, options)
    const state = executors.find(executor => executor.id === id)?.state
    if (state === 'drained') return `${id} is drained; ${filesMoved} cached files were moved\n`
    // one that is lost or gone may have had queries
    if (state !== 'draining' && state !== 'active') throw new QueryError('EXECUTOR_LOST', `${id} is gone`)
    if (clock.nowMs() > untilMs) throw new QueryError('DEADLINE_EXCEEDED', `${id} drains for ${WAIT_MS} ms already`)
    await delay(clock, LOOK_MS)
  }
}
