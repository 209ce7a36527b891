/** Statements of sessions of their own, to a cluster of processes. */

import type { Test } from 'tap'
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

/** Values as texts; of an error itself. */
export function rows(outcome: SkeinOutcome): unknown {
  return outcome.kind === 'rows' ? outcome.answer.rows.map(row => row.map(String)) : outcome
}

/** `rows`, or the code of the error. */
export function code(outcome: SkeinOutcome): string {
  return outcome.kind === 'rows' ? 'rows' : outcome.code
}

/** Each is answered, one after the other. */
export async function all(t: Test, ask: Ask, texts: readonly string[]): Promise<void> {
  for (const sql of texts) t.equal(code(await ask(sql)), 'rows', sql)
}
