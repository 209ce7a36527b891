/**
 * One executor as the coordinator reaches it. The only way to it: actors hold a channel, never an address, so that an
 * executor may as well be one that dialled in, or one of a simulation. Failures are QueryErrors; a call has no
 * outcome that its caller may rely on unless it resolved: what failed may have been done.
 */

import type { QueryId, TaskId } from '../proto/ids.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { TaskEvent } from '../proto/gen/executor_pb.js'
import type { TaskDefinitionInit } from '../proto/task.ts'

export interface ExecutorChannel {
  /** For people: where it is. */
  readonly address: string
  /** Books memory; EXECUTOR_FULL if it does not fit. Idempotent by query. */
  reserve(query: QueryId, memoryBytes: number): Promise<void>
  /** Resolves once the task is queued, not once it has run. Idempotent by task. */
  launch(task: TaskDefinitionInit): Promise<void>
  cancel(task: TaskId): Promise<void>
  /** No task will read what these have written: best effort, as `release` does it all. Idempotent. */
  removeOutputs(query: QueryId, tasks: readonly TaskId[]): Promise<void>
  /** No task of the query is to come: best effort, as `release` does it all. Idempotent. */
  freeMemory(query: QueryId): Promise<void>
  /**
   * The query is over there: nothing of it runs or is kept any more, but the results of `keep` that are there, as far
   * as there is room. Idempotent.
   */
  release(query: QueryId, keep: readonly TaskId[]): Promise<void>
  /** It takes no new query, or takes them again. Idempotent. */
  setDraining(draining: boolean): Promise<void>
  /**
   * Opens the stream of task events: Hello first, then the last status of every task not released, then changes and
   * heartbeats. `onEnd` is called once if it breaks; the returned function ends it without that.
   */
  watch(onEvent: (event: TaskEvent) => void, onEnd: (reason: unknown) => void): () => void
  /** The Arrow messages of the result that `task` makes, from `fromFrame` on; an end without a throw is its end. */
  fetchResult(query: QueryId, task: TaskId, fromFrame: number, signal: AbortSignal): AsyncIterable<RawFlightData>
  /** Ends the connection; running calls fail. */
  close(): void
}
