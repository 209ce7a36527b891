/** What a stage hears, of its query and of its executors, and what its query hears of it. */

import type { RawFlightData } from '../proto/flight-data.ts'
import type { QueryError } from '../proto/errors.ts'
import type { TaskNews } from './executor-actor.ts'
import type { Member, MemberKey } from './member.ts'
import type { TaskReport } from './running-query.ts'
import type { Output, StageInputs } from './task-definition.ts'

export type StageMessage = TaskNews
  | { readonly kind: 'crew'; readonly members: readonly Member[] }
  | { readonly kind: 'inputs-ready'; readonly inputs: StageInputs }
  | { readonly kind: 'again'; readonly partitions: ReadonlySet<number>; readonly epoch: number }
  /** What is done is enough: the rest need not be made. */
  | { readonly kind: 'enough' }
  | { readonly kind: 'executor-lost'; readonly key: MemberKey; readonly cause: QueryError }
  /** This attempt at a part of the result counts: the other is cancelled. */
  | { readonly kind: 'result-taken'; readonly partition: number; readonly attempt: number }
  /** No other attempt at this part of the result can count: rows of this one are with the client, or all here. */
  | { readonly kind: 'result-settled'; readonly partition: number; readonly attempt: number }
  | { readonly kind: 'dispatch' }
  /** Are any of its tasks much slower than the others? */
  | { readonly kind: 'look' }
  | { readonly kind: 'stop' }

/** What the query hears. */
export type StageReport =
  /** Of the result it is an offer, which the query answers by `result-taken`, `result-settled` or `again`. */
  | {
    readonly kind: 'partition-done'; readonly stage: number; readonly partition: number; readonly epoch: number
    readonly output: Output
    /** Other attempts at it that were current. */
    readonly beside: readonly number[]
  }
  | { readonly kind: 'stage-failed'; readonly stage: number; readonly cause: QueryError }
  /** A task could not read these; nothing starts until the inputs are given again. */
  | { readonly kind: 'inputs-lost'; readonly stage: number; readonly outputs: readonly Output[] }
  /** A try failed for want of something that another executor may have, or reach. */
  | { readonly kind: 'wanting' }
  | { readonly kind: 'task-report'; readonly report: TaskReport }
  /** This part of the result is being made there, or is made. `frames`: all of it, or none. */
  | {
    readonly kind: 'result-running'; readonly partition: number; readonly attempt: number; readonly key: MemberKey
    readonly epoch: number
    /** Other attempts at it that are current: as long as one of them is read, this one is not. */
    readonly beside: readonly number[]
    readonly frames: readonly RawFlightData[]
    /** There was no room for all of it where it is made. */
    readonly outgrown: boolean
    /** What the attempt before it failed with, if it did. */
    readonly after: QueryError | null
  }
