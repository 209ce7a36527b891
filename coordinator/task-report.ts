/** What a stage tells of one attempt at a task. */

import type { TaskStats } from '../proto/gen/executor_pb.js'
import type { MemberKey } from './member.ts'
import type { PlacedTask } from './place.ts'
import type { TaskReport } from './running-query.ts'

export interface ReportedTask {
  readonly stage: number
  readonly partition: number
  readonly attempt: number
  readonly key: MemberKey
  readonly splits: PlacedTask['splits']
}

/** By its executor; absent: nothing yet. */
export interface Seen {
  readonly stats?: TaskStats | undefined
  readonly fraction?: number
}

export function taskReport(
  { stage, partition, attempt, key, splits }: ReportedTask, state: TaskReport['state'], { stats, fraction = 0 }: Seen,
): TaskReport {
  return {
    stage, partition, attempt, executor: key.slice(0, key.indexOf('/')), state,
    files: [...new Set(splits.map(({ split }) => split.file.key))],
    rows: Number(stats?.rowCount ?? 0), outputBytes: Number(stats?.outputBytes ?? 0),
    bytesFetched: Number(stats?.bytesFetched ?? 0), bytesCached: Number(stats?.bytesCached ?? 0),
    exchangeBytes: Number(stats?.exchangeBytes ?? 0), runMs: stats?.runMs ?? 0, progress: fraction,
    peakBytes: Number(stats?.peakBytes ?? 0), spilled: stats?.spilled ?? false, cpuMs: stats?.cpuMs ?? 0,
    queuedMs: stats?.queuedMs ?? 0,
  }
}
