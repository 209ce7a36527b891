/**
 * What a query would take if every executor were a box of its own and the network were free: stages follow each other,
 * and each takes as long as its slowest. In CPU time, so it does not matter what else the machine does. Pure.
 */

import type { TaskCpu } from './task-turns.ts'

export interface CriticalPath {
  /** The slowest task of each stage, summed over the stages. */
  readonly slowestTaskMs: number
  /** The busiest executor of each stage, summed: the same if none had two tasks of a stage. */
  readonly busiestExecutorMs: number
  /** All tasks together. */
  readonly totalMs: number
}

export function criticalPath(tasks: readonly TaskCpu[]): CriticalPath {
  const stages = [...new Set(tasks.map(({ stage }) => stage))].map(stage => tasks.filter(task => task.stage === stage))
  return {
    slowestTaskMs: sum(stages.map(stage => Math.max(...stage.map(({ cpuMs }) => cpuMs)))),
    busiestExecutorMs: sum(stages.map(busiest)),
    totalMs: sum(tasks.map(({ cpuMs }) => cpuMs)),
  }
}

function busiest(stage: readonly TaskCpu[]): number {
  const byExecutor = new Map<number, number>()
  for (const { pid, cpuMs } of stage) byExecutor.set(pid, (byExecutor.get(pid) ?? 0) + cpuMs)
  return Math.max(...byExecutor.values())
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
