/** A task's life as its coordinator is told it. */

import type { MessageInitShape } from '@bufbuild/protobuf'
import { unreachable } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import type { TaskEventSchema, TaskStatusSchema } from '../proto/gen/executor_pb.js'
import type { TaskId } from '../proto/ids.ts'
import type { Task } from './task.ts'

/** Without the mark that protobuf-es gives a made message. */
type Plain<T> = Omit<T, '$typeName' | '$unknown'>

export type TaskEventInit = Plain<MessageInitShape<typeof TaskEventSchema>>
export type TaskStatusInit = Plain<MessageInitShape<typeof TaskStatusSchema>> & { readonly taskId: TaskId }

/**
 * `result`: the frames that go with the end of a task; `outgrown`: there was no room for all that it made. A task being
 * cancelled still runs.
 */
export function taskStatus(
  taskId: TaskId, task: Task, result: readonly RawFlightData[], outgrown: boolean,
): TaskStatusInit {
  switch (task.state) {
    case 'queued': return { taskId, state: { case: 'queued', value: {} } }
    case 'running': return { taskId, state: { case: 'running', value: { fraction: task.fraction, outgrown } } }
    case 'cancelling': return { taskId, state: { case: 'running', value: {} } }
    case 'succeeded': return { taskId, state: { case: 'succeeded', value: { ...succeeded(task, result), outgrown } } }
    case 'failed': {
      const { cause: { code, message, position }, lostExecutors } = task
      const place = position === undefined ? {} : { position }
      const value = { code, message, lostExecutors: [...lostExecutors], ...place }
      return { taskId, state: { case: 'failed', value } }
    }
    default: return unreachable(task)
  }
}

function succeeded(
  { files, sample, stats, queuedMs, runMs }: Extract<Task, { state: 'succeeded' }>, result: readonly RawFlightData[],
) {
  return {
    result: [...result],
    sample: sample.map(({ key, rows }) => ({ key, rows: BigInt(rows) })),
    files: files.map(({ partition, path, sizeBytes, rowCount }) =>
      ({ partition, path, sizeBytes: BigInt(sizeBytes), rowCount: BigInt(rowCount) })),
    stats: {
      rowCount: BigInt(stats.rowCount), outputBytes: BigInt(stats.outputBytes),
      bytesFetched: BigInt(stats.bytesFetched), bytesCached: BigInt(stats.bytesCached),
      exchangeBytes: BigInt(stats.exchangeBytes), queuedMs, runMs, peakBytes: BigInt(stats.peakBytes),
      spilled: stats.spilled, cpuMs: stats.cpuMs,
    },
  }
}
