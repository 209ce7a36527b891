/**
 * How this coordinator drains: while it does, only what was begun goes on, and who asks for more is sent elsewhere with
 * UNAVAILABLE, which may be tried again. Told by an operator, at any coordinator, or by SIGTERM.
 */

import type { DutyKeeper } from '../cluster/duty.ts'
import { delay, type Clock } from '../proto/clock.ts'
import type { CoordinatorId } from '../proto/ids.ts'
import type { Leave } from '../proto/parent.ts'
import type { Doors } from './doors.ts'
import type { CoordinatorAdmin } from './serve/coordinator-admin.ts'
import type { Peers } from './system/peers.ts'

/** The clients of the last statements come back, and are told to go elsewhere. */
const HEARD_MS = 250
/** For answers to get out to clients that read them. */
const ANSWERED_WITHIN_MS = 1_000

export function leaveOf(duty: DutyKeeper, clock: Clock, withinMs: number): Leave {
  return {
    withinMs,
    drained: async () => {
      duty.drain()
      await duty.whenDrained()
      await delay(clock, HEARD_MS)
    },
  }
}

/** Resolves once what clients were told has reached them, or after a moment. */
export async function leaveDoors(doors: Doors, clock: Clock): Promise<void> {
  await Promise.race([doors.leave(), delay(clock, ANSWERED_WITHIN_MS)])
}

export function coordinatorAdmin(peers: Peers, duty: DutyKeeper, own: CoordinatorId): CoordinatorAdmin {
  return {
    list: () => peers.list(),
    setDraining: async (info, draining) => {
      if (info.id !== own) await peers.setDraining(info, draining)
      else if (draining) duty.drain()
      else duty.undrain()
    },
  }
}
