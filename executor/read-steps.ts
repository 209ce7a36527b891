/**
 * The beginnings of a task that may soon have rows enough. Its splits are in steps, each some times the one before: the
 * splits of the first step, of the first two, and so on, but not all of them. See coordinator/read-steps.ts.
 */

import type { Scan, TaskDefinition } from '../proto/gen/executor_pb.js'

export function beginnings(task: TaskDefinition): readonly TaskDefinition[] {
  if (task.enoughRows === 0n) return []
  const steps = new Set(task.scans.flatMap(({ splits }) => splits.map(({ step }) => step)))
  return [...steps].sort((a, b) => a - b).slice(0, -1).map(last => ({ ...task, scans: inSteps(task, 0, last) }))
}

/** What a task may do without. */
export function afterFirstStep(task: TaskDefinition): readonly Scan[] {
  return inSteps(task, 1, Infinity)
}

function inSteps({ scans }: TaskDefinition, from: number, to: number): Scan[] {
  return scans.map(scan => ({ ...scan, splits: scan.splits.filter(({ step }) => step >= from && step <= to) }))
}
