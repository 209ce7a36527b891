/** How many tasks each stage of a query has, what each reads of its tables, and on whom it should run. Pure. */

import { rank } from '../cache/affinity.ts'
import type { FileKey } from '../cache/key.ts'
import { scanName, type Fragment, type FragmentScan } from '../planner/fragment.ts'
import { unreachable } from '../proto/errors.ts'
import type { ExecutorId, QueryId } from '../proto/ids.ts'
import { divided } from './divide.ts'
import { filesInRanges, restrictedIn, restrictTasks, type TaskRestriction } from './key-ranges.ts'
import type { Member } from './member.ts'
import { placeSplits, type PlacedTask, type Room, type ScanSplit } from './place.ts'
import type { PlannedWork } from './plan-query.ts'
import type { PrunedFile } from './query-ports.ts'
import { inSteps } from './read-steps.ts'
import { splits, touchedBytes } from './splits.ts'

/** Bytes that make a scanning task worth its start, once every executor has one. */
const TASK_BYTES = 32 * 1024 * 1024
/** Scanning tasks a slot: several, so that a slow one holds up little. */
const TASKS_PER_SLOT = 3
/** Partitions of a hash exchange over all executors: each task writes a file for each. */
export const MAX_PARTITIONS = 64

export function partitionCountFor(rooms: readonly Room[], limit = MAX_PARTITIONS): number {
  const slots = rooms.reduce((sum, room) => sum + Math.max(1, room.slots), 0)
  return Math.max(1, Math.min(limit, slots))
}

export function stageTasks(
  fragment: Fragment, work: PlannedWork, rooms: readonly Room[], partitionCount: number,
): PlacedTask[] {
  const tasks = tasksOf(fragment, work, rooms, partitionCount)
  const { enough, scans } = fragment
  if (enough === undefined) return tasks
  const exchangeBytes = exchangeBytesOf(fragment, work.planned.fragments, partitionCount)
  const steps = inSteps({ streamed: enough.streamed, scans, files: work.files, exchangeBytes })
  return tasks.map(task => ({ ...task, splits: steps(task.splits) }))
}

/** That a task reads, by the estimates of who writes them. */
function exchangeBytesOf({ inputs }: Fragment, fragments: readonly Fragment[], partitionCount: number): number {
  return inputs.reduce((sum, { fragment, kind }) => {
    const bytes = fragments[fragment]?.bytes ?? 0
    switch (kind) {
      case 'hash': case 'range': case 'keep': return sum + bytes / partitionCount
      case 'gather': case 'broadcast': case 'all': return sum + bytes
      case 'bounds': return sum
      default: return unreachable(kind)
    }
  }, 0)
}

function tasksOf(
  fragment: Fragment, work: PlannedWork, rooms: readonly Room[], partitionCount: number,
): PlacedTask[] {
  switch (fragment.tasks) {
    case 'one': return [{ owner: null, splits: fragment.scans.flatMap(scan => wholeScan(scan, work)), sizeBytes: 0 }]
    case 'partitions': return Array.from(
      { length: partitionCount }, (_, partition) => partitionTask(fragment, work, partition, partitionCount),
    )
    case 'splits': return splitTasks(fragment, work, rooms)
    default: return unreachable(fragment.tasks)
  }
}

function wholeScan(scan: FragmentScan, work: PlannedWork): ScanSplit[] {
  return splitsOf(scan, work.files.get(scan.id) ?? [])
}

function splitsOf(scan: FragmentScan, files: readonly PrunedFile[]): ScanSplit[] {
  return splits(files, scan.columns, 1).map(split => ({ scan: scan.id, split }))
}

/** Those in which it may find what it needs. */
function filesInReach(
  scan: FragmentScan, work: PlannedWork, restrictions: readonly TaskRestriction[],
): readonly PrunedFile[] {
  return restrictions.filter(({ relation }) => relation === scanName(scan.id))
    .reduce(filesInRanges, work.files.get(scan.id) ?? [])
}

function partitionTask(fragment: Fragment, work: PlannedWork, partition: number, count: number): PlacedTask {
  const own = fragment.scans.flatMap(scan => scan.reads === 'all' ? wholeScan(scan, work)
    : groupsOf({ ...scan, files: work.files.get(scan.id) ?? [] }, 1).filter((_, i) => i % count === partition).flat())
  return { owner: null, splits: own, sizeBytes: 0 }
}

function splitTasks(fragment: Fragment, work: PlannedWork, rooms: readonly Room[]): PlacedTask[] {
  const scans = fragment.scans.filter(({ reads }) => reads === 'split')
    .map(({ id, columns, dividedBy }) => ({ id, columns, dividedBy, files: work.files.get(id) ?? [] }))
  const shared = fragment.scans.filter(({ reads }) => reads === 'all')
  const restrict = restrictTasks(fragment.restrictions, work.files)
  return placedScans(scans, rooms).map(task => {
    const restrictions = restrict(task.splits)
    const whole = shared.map(scan => ({ scan, files: filesInReach(scan, work, restrictions) }))
    const byRelation = new Map(whole.map(({ scan, files }) => [scanName(scan.id), files]))
    return {
      ...task, splits: [...task.splits, ...whole.flatMap(({ scan, files }) => splitsOf(scan, files))],
      restrictions: restrictions.flatMap(one => {
        const files = byRelation.get(one.relation)
        return files === undefined ? [one] : restrictedIn(files, one) ?? []
      }),
    }
  })
}

/** What a stage reads in splits. */
export interface SplitScan {
  readonly id: number
  readonly columns: readonly number[]
  /** As FragmentScan.dividedBy. */
  readonly dividedBy?: readonly number[] | undefined
  readonly files: readonly PrunedFile[]
}

/** The tasks that read them, each where it would run. */
export function placedScans(scans: readonly SplitScan[], rooms: readonly Room[]): PlacedTask[] {
  const slots = rooms.reduce((sum, room) => sum + Math.max(1, room.slots), 0)
  const bytes = scans.reduce((sum, { files, columns }) => sum + touchedBytes(files, columns), 0)
  const targetTasks = Math.max(1, rooms.length, Math.min(slots * TASKS_PER_SLOT, Math.ceil(bytes / TASK_BYTES)))
  return placeSplits(scans.flatMap(scan => groupsOf(scan, targetTasks)), rooms, targetTasks)
}

/** Splits of which one task has to read each group. */
function groupsOf({ id, files, columns, dividedBy = [] }: SplitScan, targetTasks: number): readonly ScanSplit[][] {
  const all = splits(files, columns, targetTasks)
  if (dividedBy.length === 0) return all.map(split => [{ scan: id, split }])
  return divided(all, files, dividedBy).map(group => group.map(split => ({ scan: id, split })))
}

/** Files that tell where a query should run: more would tell the same. */
const MAX_RANKED_FILES = 1000

/**
 * Whom to ask first for a query that runs whole: who owns most bytes of its files. Both owners of a file count, and
 * ties go by the query's id, so that many small queries over one table do not all meet on one executor.
 */
export function byCache(members: readonly Member[], query: QueryId, work: PlannedWork): Member[] {
  const ids = members.map(({ id }) => id)
  const bytes = new Map<ExecutorId, number>()
  for (const file of filesOf(work).slice(0, MAX_RANKED_FILES)) {
    for (const owner of rank(file, ids).slice(0, 2)) bytes.set(owner, (bytes.get(owner) ?? 0) + file.sizeBytes)
  }
  const turn = rank({ bucket: '', key: query }, ids)
  return [...members].sort(
    (a, b) => (bytes.get(b.id) ?? 0) - (bytes.get(a.id) ?? 0) || turn.indexOf(a.id) - turn.indexOf(b.id),
  )
}

function filesOf({ planned, tables, files }: PlannedWork): readonly FileKey[] {
  if (planned.sqlKind === 'original') {
    return planned.tablesRead.flatMap(table => tables[table]?.files ?? []).map(({ file }) => file)
  }
  return [...files.values()].flat().map(({ file }) => file.file)
}
