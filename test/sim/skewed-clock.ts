/** A process's own clock in the simulation: it stands elsewhere than that of others, and runs faster or slower. */

import type { Clock } from '../../proto/clock.ts'
import type { Simulation } from './simulation.ts'

export interface Skew {
  /** Each way. */
  readonly maxOffsetMs: number
  /** Of a second, gained or lost in it. */
  readonly maxDrift: number
}

export function skewedClock({ clock, random }: Simulation, { maxOffsetMs, maxDrift }: Skew): Clock {
  const [offsetMs, rate] = [maxOffsetMs * (2 * random() - 1), 1 - maxDrift + 2 * maxDrift * random()]
  return {
    nowMs: () => maxOffsetMs + offsetMs + rate * clock.nowMs(), // from an origin of its own, above 0
    wallMs: () => offsetMs + rate * clock.wallMs(),
    after: (delayMs, callback) => clock.after(delayMs / rate, callback),
  }
}
