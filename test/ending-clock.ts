/** The system's clock for one test: what still waits at its end is called off, so that its process can end. */

import { systemClock, type Clock } from '../proto/clock.ts'

export function endingClock(t: { teardown(callback: () => void): void }): Clock {
  const waiting = new Set<() => void>()
  t.teardown(() => { for (const cancel of waiting) cancel() })
  return {
    ...systemClock,
    after(delayMs, callback) {
      const cancel = systemClock.after(delayMs, () => {
        waiting.delete(cancel)
        callback()
      })
      waiting.add(cancel)
      return () => {
        waiting.delete(cancel)
        cancel()
      }
    },
  }
}
