/** The critical path of a statement on a cluster whose tasks run one at a time: medians over the rounds. */

import { randomUUID } from 'node:crypto'
import type { Skein } from '../../test/cluster/skein.ts'
import { median } from '../harness.ts'
import { unseenText } from '../unseen-text.ts'
import { criticalPath, type CriticalPath } from './critical-path.ts'
import type { TaskTurns } from './task-turns.ts'

/** On a busy machine an executor may seem to be lost. */
const MAX_SPOILED = 10

export interface MeasuredPath extends CriticalPath {
  /** The slowest task of each stage, in their order: who reads comes after whom it reads. */
  readonly stagesMs: readonly number[]
  /** Of the result. */
  readonly rows: number
}

/** After one run that fills the caches. */
export async function measuredPath(
  skein: Skein, sql: string, turns: TaskTurns, rounds: number,
): Promise<MeasuredPath> {
  const samples: MeasuredPath[] = []
  for (let run = 0; samples.length <= rounds; run++) {
    if (run > rounds + MAX_SPOILED) throw new Error(`${run} runs, and tasks were repeated in most: ${sql}`)
    const path = await onePath(skein, unseenText(sql, `path ${run}`), turns)
    if (path !== undefined) samples.push(path)
  }
  samples.shift()
  const over = (of: (path: MeasuredPath) => number): number => median(samples.map(of))
  return {
    slowestTaskMs: over(path => path.slowestTaskMs), totalMs: over(path => path.totalMs),
    busiestExecutorMs: over(path => path.busiestExecutorMs),
    stagesMs: (samples[0]?.stagesMs ?? []).map((_, stage) => over(path => path.stagesMs[stage] ?? 0)),
    rows: samples[0]?.rows ?? 0,
  }
}

/** Undefined if a task was tried more than once. */
async function onePath(skein: Skein, sql: string, turns: TaskTurns): Promise<MeasuredPath | undefined> {
  const queryId = randomUUID()
  const response = await skein.request('POST', '/query', { statement: sql, format: 'arrow', query_id: queryId })
  for await (const piece of response) void piece
  if (response.statusCode !== 200 || !response.complete) throw new Error(`status ${response.statusCode}: ${sql}`)
  const { task_reports: reports } = await skein.report(queryId)
  const tasks = await turns.take(queryId, reports.length)
  const isSpoiled = reports.some(({ attempt, state }) => attempt > 0 || state === 'failed')
  if (tasks === undefined || isSpoiled) return undefined
  const last = Math.max(...reports.map(({ stage }) => stage))
  const rows = reports.filter(({ stage }) => stage === last).reduce((sum, report) => sum + report.rows, 0)
  const stagesMs = Array.from({ length: last + 1 }, (_, i) =>
    Math.max(0, ...tasks.filter(({ stage }) => stage === i).map(({ cpuMs }) => cpuMs)))
  return { ...criticalPath(tasks), stagesMs, rows }
}
