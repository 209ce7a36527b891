/** Bounds of queries, with their defaults; configuration may change them. */

import { RESULT_HOLD_BYTES } from '../proto/config.ts'
import { DEFAULT_GROUP, type ResourceGroup } from '../proto/resource-group.ts'
import { MAX_PARTITIONS } from './stage-plans.ts'

export interface QueryLimits {
  /** From acceptance to the last row; null: none. */
  readonly deadlineMs: number | null
  /** How long a query waits for memory and slots that others hold. */
  readonly queueMs: number
  /** How long a query waits while no executor can work for it. */
  readonly executorWaitMs: number
  /** How long a result is kept for a client that neither reads nor releases it. */
  readonly keepResultMs: number
  /** Bytes of a result held back before rows go out. */
  readonly holdBytes: number
  readonly maxPartitions: number
  /** Queries that plan, wait or run at once: each holds a plan and its tasks. */
  readonly maxQueries: number
  /** Ended queries that are remembered. */
  readonly maxEnded: number
  /** Results are kept for others that ask the same. */
  readonly shareResults: boolean
}

export const defaultLimits: QueryLimits = {
  deadlineMs: DEFAULT_GROUP.statementTimeoutMs,
  queueMs: DEFAULT_GROUP.queueTimeoutMs,
  executorWaitMs: 20_000,
  keepResultMs: DEFAULT_GROUP.idleTimeoutMs,
  holdBytes: RESULT_HOLD_BYTES,
  maxPartitions: MAX_PARTITIONS,
  maxQueries: 1_000,
  maxEnded: 1_000,
  shareResults: true,
}

/** `limits` for a query of the group. */
export function limitsOf(group: ResourceGroup, limits: QueryLimits): QueryLimits {
  return {
    ...limits,
    deadlineMs: group.statementTimeoutMs ?? limits.deadlineMs,
    queueMs: group.queueTimeoutMs,
    keepResultMs: group.idleTimeoutMs,
  }
}
