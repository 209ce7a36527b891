/** When a query began, by the calendar, and whether it is over. */

import type { Clock } from '../../proto/clock.ts'
import type { LoggedQuery } from './ports.ts'

/** Milliseconds since 1970. */
export function startedAtMs(query: LoggedQuery, clock: Clock): number {
  const ageMs = query.query === undefined ? query.stats().elapsed_ms : clock.nowMs() - query.query.startedMs
  return clock.wallMs() - ageMs
}

export function hasEnded(query: LoggedQuery): boolean {
  const state = query.state()
  return state !== 'planning' && state !== 'running'
}
