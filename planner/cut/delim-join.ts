/**
 * A DelimJoin becomes an ordinary join: its source is an exchange that both the join and the DelimScans read.
 *
 *   DelimJoin                      Join
 *     source                         Exchange (1) > source
 *     other                          other
 *       DelimScan                      Distinct > Project keys > Exchange (1)
 *
 *   source is not apart, or small    (1) as for a CTE: see cte.ts
 *   source is large                  (1) hash(keys), so that equal keys are in one task for the Distinct
 *   keys cannot be hashed            (1) broadcast
 */

import type { DelimJoin, Plan } from '../plan.ts'
import { isCheapToShare } from './cost.ts'
import { cutShared } from './cte.ts'
import { column, typeOf } from './expressions.ts'
import { apart, areHashable, COPIED, exchange, hash, isApart, type CutContext, type Placed } from './spread.ts'

/** What the join reads as its source, and what its DelimScans are. */
export interface DelimSource {
  readonly source: Placed
  readonly scan: Placed
}

export function cutDelimSource(delim: DelimJoin, source: Placed, identity: number, context: CutContext): DelimSource {
  const shared = shareSource(delim, source, identity, context)
  const keys = delim.keys.map((key, i) => column(i, typeOf(key)))
  const project: Plan = { kind: 'Project', input: shared.plan, expressions: delim.keys, rows: shared.plan.rows }
  const scan: Plan = { kind: 'Distinct', input: project, on: false, targets: keys, orders: [], rows: shared.plan.rows }
  const by = delim.keys.map((_, i) => [i])
  return { source: shared, scan: { plan: scan, spread: isApart(shared) ? apart(by) : shared.spread } }
}

function shareSource(delim: DelimJoin, source: Placed, identity: number, context: CutContext): Placed {
  if (!isApart(source) || isCheapToShare(source.plan, context)) {
    return cutShared(source, 2, identity, context)
  }
  if (!areHashable(delim.keys)) {
    const copied = exchange(source.plan, { kind: 'broadcast' }, 'keys that cannot be hashed', identity)
    return { plan: copied, spread: COPIED }
  }
  const why = 'a correlated subquery: rows of equal keys meet in one task'
  const { spread } = hash(source, delim.keys, why)
  return { plan: exchange(source.plan, { kind: 'hash', keys: delim.keys }, why, identity), spread }
}
