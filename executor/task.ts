/**
 * The life of a task.
 *
 *   queued ──▶ running ──▶ succeeded
 *     │           ├──────▶ failed
 *     │           └─ cancelling ──▶ failed     until DuckDB has really stopped
 *     └──────────────────────────▶ failed
 *
 * A task is a value; `advance` is the only function that makes the next one. The last two states are final: late events
 * leave them as they are. A task that succeeds while it is being cancelled has still failed: nobody wants its files.
 */

import { QueryError, unreachable } from '../proto/errors.ts'
import type { ExecutorId } from '../proto/ids.ts'
import type { WrittenFile } from './exchange-writer.ts'
import type { SampledKey } from './sampled-keys.ts'

export interface TaskStats {
  readonly rowCount: number
  readonly outputBytes: number
  readonly bytesFetched: number
  readonly bytesCached: number
  readonly exchangeBytes: number
  /** The largest share of its instance's memory; 0: it was too short to be looked at. */
  readonly peakBytes: number
  /** Its instance wrote to disk for want of memory meanwhile. */
  readonly spilled: boolean
  /** Its share of the CPU time of the process. */
  readonly cpuMs: number
}

export type Task =
  | { readonly state: 'queued'; readonly queuedAtMs: number }
  | {
    readonly state: 'running'; readonly queuedMs: number; readonly startedAtMs: number
    /** What is done, 0 to 1, by DuckDB's guess. */
    readonly fraction: number
  }
  | { readonly state: 'cancelling'; readonly cause: QueryError }
  | {
    readonly state: 'succeeded'; readonly files: readonly WrittenFile[]; readonly sample: readonly SampledKey[]
    readonly stats: TaskStats
    readonly queuedMs: number; readonly runMs: number
  }
  | { readonly state: 'failed'; readonly cause: QueryError; readonly lostExecutors: readonly ExecutorId[] }

export type TaskEvent =
  | { readonly kind: 'started'; readonly nowMs: number }
  | { readonly kind: 'progressed'; readonly fraction: number }
  | {
    readonly kind: 'succeeded'; readonly nowMs: number; readonly files: readonly WrittenFile[]
    /** Of a task that is to tell keys. */
    readonly sample: readonly SampledKey[]
    readonly stats: TaskStats
  }
  | { readonly kind: 'failed'; readonly cause: QueryError; readonly lostExecutors: readonly ExecutorId[] }
  | { readonly kind: 'cancelled'; readonly reason: string }

export function isFinal(task: Task): boolean {
  return task.state === 'succeeded' || task.state === 'failed'
}

/** Pure; an event that the state cannot get is a bug and throws. */
export function advance(task: Task, event: TaskEvent): Task {
  switch (task.state) {
    case 'queued': return queued(task, event)
    case 'running': return running(task, event)
    case 'cancelling': return cancelling(task, event)
    case 'succeeded': case 'failed': return task
    default: return unreachable(task)
  }
}

function queued(task: Extract<Task, { state: 'queued' }>, event: TaskEvent): Task {
  switch (event.kind) {
    case 'started':
      return { state: 'running', queuedMs: event.nowMs - task.queuedAtMs, startedAtMs: event.nowMs, fraction: 0 }
    case 'failed': return { state: 'failed', cause: event.cause, lostExecutors: event.lostExecutors }
    case 'cancelled': return { state: 'failed', cause: cancelled(event.reason), lostExecutors: [] }
    case 'progressed': case 'succeeded': throw new Error(`a queued task cannot have ${event.kind}`)
    default: return unreachable(event)
  }
}

function running(task: Extract<Task, { state: 'running' }>, event: TaskEvent): Task {
  switch (event.kind) {
    case 'succeeded': {
      const { files, sample, stats, nowMs } = event
      return { state: 'succeeded', files, sample, stats, queuedMs: task.queuedMs, runMs: nowMs - task.startedAtMs }
    }
    case 'failed': return { state: 'failed', cause: event.cause, lostExecutors: event.lostExecutors }
    case 'cancelled': return { state: 'cancelling', cause: cancelled(event.reason) }
    case 'progressed': return event.fraction > task.fraction ? { ...task, fraction: event.fraction } : task
    case 'started': throw new Error('a running task cannot start')
    default: return unreachable(event)
  }
}

function cancelling(task: Extract<Task, { state: 'cancelling' }>, event: TaskEvent): Task {
  switch (event.kind) {
    case 'succeeded': case 'failed': return { state: 'failed', cause: task.cause, lostExecutors: [] }
    case 'progressed': case 'cancelled': return task
    case 'started': throw new Error('a task that is being cancelled cannot start')
    default: return unreachable(event)
  }
}

function cancelled(reason: string): QueryError {
  return new QueryError('CANCELLED', reason)
}
