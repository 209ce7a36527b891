/**
 * What EXPLAIN answers, as programs read it. docs/EXPLAIN.md describes every field; a field keeps its name and meaning
 * while `version` stays, and new ones may come. Bytes and rows are numbers, times are milliseconds.
 */

import type { TableColumn } from '../catalog/table.ts'
import type { ExplainedOperator } from '../planner/fragment.ts'

export const EXPLANATION_VERSION = 1

export interface Explanation {
  readonly version: number
  /** Without the words of EXPLAIN. */
  readonly statement: string
  /** That the statement is a translation from; null: it is the client's own text. */
  readonly dialect: string | null
  readonly columns: readonly TableColumn[]
  /** Why it runs whole on one executor; null: it is distributed. */
  readonly whole_reason: string | null
  /** That take tasks now. */
  readonly executors: number
  readonly plan_ms: number
  readonly bytes: number
  readonly bytes_to_fetch: number
  readonly bytes_cached: number
  /** In execution order: the last one's rows are the result. */
  readonly stages: readonly ExplainedStage[]
  /** What was seen when it ran; null: it did not. */
  readonly actual: ActualQuery | null
}

export interface ExplainedStage {
  readonly stage: number
  readonly sql: string
  readonly operators: readonly OperatorLine[]
  readonly tasks: number
  readonly estimated_rows: number
  readonly estimated_bytes: number
  /** result, gather, broadcast, keep, or hash with its keys. */
  readonly output: string
  /** Why its rows go there. */
  readonly output_reason: string
  readonly inputs: readonly ExplainedInput[]
  readonly scans: readonly ExplainedScan[]
  /** Of the tasks that read splits of tables. */
  readonly placement: readonly ExplainedTask[]
  readonly actual: ActualStage | null
}

export interface OperatorLine {
  readonly depth: number
  readonly text: string
  readonly estimated_rows: number
  /** The stage that it reads, or null. */
  readonly reads: ExplainedOperator['reads']
}

export interface ExplainedInput {
  readonly stage: number
  readonly exchange: string
  readonly reason: string
}

export interface ExplainedScan {
  readonly table: string
  readonly columns: readonly string[]
  /** split: each file or range is read by one task. all: every task reads all of them. */
  readonly reads: 'split' | 'all'
  readonly files: number
  readonly files_kept: number
  readonly row_groups: number
  readonly row_groups_kept: number
  /** Of the columns that are read, in the row groups that are left. */
  readonly bytes: number
  /**
   * Of these bytes: to come from the bucket at most, and at hand. A local bucket is at hand; of a remote one what the
   * executors that would read it have in their caches. They are not asked when the statement has run.
   */
  readonly bytes_to_fetch: number
  readonly bytes_cached: number
  /** Until a task has rows enough, it reads on in so many steps at most; 1: it reads all at once. */
  readonly steps: number
}

export interface ExplainedTask {
  readonly executor: string | null
  /** The first of its files. */
  readonly files: readonly string[]
  readonly file_count: number
  readonly bytes: number
}

export interface ActualQuery {
  readonly elapsed_ms: number
  readonly plan_ms: number
  readonly cpu_ms: number
  /** Attempts at tasks, and how many of them were not the first. */
  readonly attempts: number
  readonly retries: number
  readonly executors: number
  readonly rows: number
  readonly result_bytes: number
  readonly bytes_fetched: number
  readonly bytes_cached: number
  readonly exchange_bytes: number
  readonly peak_memory_bytes: number
  readonly spilled: boolean
}

export interface ActualStage {
  readonly rows: number
  readonly bytes: number
  readonly exchange_bytes: number
  readonly bytes_fetched: number
  readonly bytes_cached: number
  readonly cpu_ms: number
  /** Sum over its tasks. */
  readonly run_ms: number
  /** From the first launch to the last end, since the query was accepted. */
  readonly from_ms: number
  readonly to_ms: number
  readonly peak_memory_bytes: number
  readonly spilled: boolean
  readonly attempts: number
  readonly retries: number
  readonly tasks: readonly ActualTask[]
}

export interface ActualTask {
  readonly partition: number
  readonly attempt: number
  readonly executor: string
  readonly state: string
  readonly rows: number
  readonly bytes: number
  readonly exchange_bytes: number
  readonly bytes_fetched: number
  readonly bytes_cached: number
  readonly cpu_ms: number
  readonly run_ms: number
  readonly queued_ms: number
  readonly from_ms: number
  readonly to_ms: number
  readonly peak_memory_bytes: number
  readonly spilled: boolean
}
