/** Waits for what other processes bring about; bounded, and says so when it has waited for too long. */

import { delay, systemClock } from '../../proto/clock.ts'

const LOOK_EVERY_MS = 20

export async function until(holds: () => boolean | Promise<boolean>, withinMs = 15_000, what = 'it'): Promise<void> {
  const untilMs = systemClock.nowMs() + withinMs
  while (!await holds()) {
    if (systemClock.nowMs() > untilMs) throw new Error(`${what} did not come about within ${withinMs} ms`)
    await delay(systemClock, LOOK_EVERY_MS)
  }
}
