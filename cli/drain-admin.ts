/** `skein admin drain ID [--now] [--wait]` and `undrain ID`: of executors, and of coordinators. */

import { delay, type Clock } from '../proto/clock.ts'
import { QueryError } from '../proto/errors.ts'
import type { AdminService, Coordinator } from '../proto/gen/admin_pb.js'
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

type Admin = ServiceClient<typeof AdminService>

/** The text to print. */
export async function runDrain(
  command: DrainCommand, service: Admin, options: CallOptions, clock: Clock,
): Promise<string> {
  const { kind, id, now, wait } = command
  const isCoordinator = (await coordinatorOf(id, service, options)) !== undefined
  if (kind === 'undrain') {
    if (isCoordinator) await service.undrainCoordinator({ id }, options)
    else await service.undrainExecutor({ id }, options)
    return `${id} takes queries again\n`
  }
  const more = isCoordinator ? '' : await drainExecutor(id, now, service)
  if (isCoordinator) await service.drainCoordinator({ id }, options)
  if (!wait) return `${id} drains${more}\n`
  const state = isCoordinator ? async () => (await coordinatorOf(id, service, options))?.state
    : async () => (await service.listExecutors({}, options)).executors.find(executor => executor.id === id)?.state
  const untilMs = clock.nowMs() + WAIT_MS
  for (;;) {
    const seen = await state()
    if (seen === 'drained') return `${id} is drained${more}\n`
    // one that is lost or gone may have had queries
    if (seen !== 'draining' && seen !== 'active') throw new QueryError('NOT_FOUND', `${id} is gone`)
    if (clock.nowMs() > untilMs) throw new QueryError('DEADLINE_EXCEEDED', `${id} drains for ${WAIT_MS} ms already`)
    await delay(clock, LOOK_MS)
  }
}

async function drainExecutor(id: string, now: boolean, service: Admin): Promise<string> {
  const { filesMoved } = await service.drainExecutor({ id, now }, { deadlineMs: DRAIN_DEADLINE_MS })
  return `; ${filesMoved} cached files were moved`
}

async function coordinatorOf(id: string, service: Admin, options: CallOptions): Promise<Coordinator | undefined> {
  return (await service.listCoordinators({}, options)).coordinators.find(coordinator => coordinator.id === id)
}
