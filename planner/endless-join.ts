/**
 * A fault of DuckDB 1.5: an ASOF RIGHT or FULL JOIN waits for ever, past an interrupt, where one thread reads what
 * comes out of it and a part of its right rows has no left ones. So it is on executors
 * of one thread, below a SAMPLE, below some LIMITs. What the planner writes has no such join (emit-join.ts); a text
 * as it was written may.
 */

interface Tree { readonly [key: string]: unknown }

/** `plan`: JSON of a plan, before or after the optimizer. */
export function hasEndlessJoin(plan: unknown): boolean {
  const left: unknown[] = [plan]
  while (left.length > 0) {
    const node = left.pop()
    if (typeof node !== 'object' || node === null) continue
    const { type, join_type: kind } = node as Tree
    if (type === 'LOGICAL_ASOF_JOIN' && (kind === 'RIGHT' || kind === 'FULL')) return true
    left.push(...Object.values(node))
  }
  return false
}
