/** What was seen of a query that has run, from the reports of its tasks: sums for each stage and for all. Pure. */

import type { Seen } from './explain.ts'
import { rounded } from './explain.ts'
import type { ActualStage, ActualTask } from './explanation.ts'
import type { QueryStats } from './running-query.ts'
import type { TimedReport } from './task-board.ts'

/** `startedMs`: when the query was accepted, by the clock of the reports. */
export function seenOf(stats: QueryStats, reports: readonly TimedReport[], startedMs: number): Seen {
  const stages = new Map<number, ActualStage>()
  const numbers = [...new Set(reports.map(({ report }) => report.stage))].sort((a, b) => a - b)
  for (const stage of numbers) {
    stages.set(stage, stageOf(reports.filter(({ report }) => report.stage === stage), startedMs))
  }
  const all = [...stages.values()]
  const last = all.at(-1)
  return {
    stages,
    query: {
      elapsed_ms: rounded(stats.elapsed_ms), plan_ms: rounded(stats.plan_ms),
      cpu_ms: rounded(sum(all, stage => stage.cpu_ms)),
      attempts: sum(all, stage => stage.attempts), retries: sum(all, stage => stage.retries),
      executors: stats.executors, rows: last?.rows ?? 0, result_bytes: last?.bytes ?? 0,
      bytes_fetched: stats.bytes_fetched, bytes_cached: stats.bytes_cached, exchange_bytes: stats.exchange_bytes,
      peak_memory_bytes: Math.max(0, ...all.map(stage => stage.peak_memory_bytes)),
      spilled: all.some(stage => stage.spilled),
    },
  }
}

function stageOf(reports: readonly TimedReport[], startedMs: number): ActualStage {
  const tasks = reports.map(report => taskOf(report, startedMs))
    .sort((a, b) => a.partition - b.partition || a.attempt - b.attempt)
  // of a partition that was made twice only the last attempt counts, but for one that was begun besides
  const ran = tasks.filter(({ state }) => state !== 'cancelled')
  const counted = ran.filter((task, i) => task.state === 'succeeded' && ran[i + 1]?.partition !== task.partition)
  const partitions = new Set(tasks.map(({ partition }) => partition))
  return {
    rows: sum(counted, task => task.rows), bytes: sum(counted, task => task.bytes),
    exchange_bytes: sum(tasks, task => task.exchange_bytes), bytes_fetched: sum(tasks, task => task.bytes_fetched),
    bytes_cached: sum(tasks, task => task.bytes_cached), cpu_ms: rounded(sum(tasks, task => task.cpu_ms)),
    run_ms: rounded(sum(tasks, task => task.run_ms)),
    from_ms: Math.min(...tasks.map(task => task.from_ms)), to_ms: Math.max(...tasks.map(task => task.to_ms)),
    peak_memory_bytes: Math.max(...tasks.map(task => task.peak_memory_bytes)),
    spilled: tasks.some(task => task.spilled),
    attempts: tasks.length, retries: tasks.length - partitions.size, tasks,
  }
}

function taskOf({ report, firstMs, lastMs }: TimedReport, startedMs: number): ActualTask {
  return {
    partition: report.partition, attempt: report.attempt, executor: report.executor, state: report.state,
    rows: report.rows, bytes: report.outputBytes, exchange_bytes: report.exchangeBytes,
    bytes_fetched: report.bytesFetched, bytes_cached: report.bytesCached, cpu_ms: rounded(report.cpuMs),
    run_ms: rounded(report.runMs), queued_ms: rounded(report.queuedMs), from_ms: rounded(firstMs - startedMs),
    to_ms: rounded(lastMs - startedMs), peak_memory_bytes: report.peakBytes, spilled: report.spilled,
  }
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0)
}
