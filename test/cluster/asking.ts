/** Statements of sessions of their own, to a cluster of processes. */

import type { Skein, SkeinOutcome } from './skein.ts'

export type Ask = (sql: string) => Promise<SkeinOutcome>

/** Each call begins another session, of that `id`; `user`: who asks. */
export function sessionsOf(skein: Skein): (user?: string) => Ask & { readonly id: string } {
  let sessions = 0
  return user => {
    const id = `00000000-0000-4000-8000-${String(++sessions).padStart(12, '0')}`
    const ask: Ask = sql => skein.query(sql, { fields: { session_id: id }, ...user !== undefined && { user } })
    return Object.assign(ask, { id })
  }
}
