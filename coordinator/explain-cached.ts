/**
 * How many bytes of what a statement would read lie in the caches of executors already. Of a split, its owner is asked;
 * of what runs whole, whoever has most; of a table that every task reads, whoever has least.
 */

import type { Fragment } from '../planner/fragment.ts'
import type { CachedBytes, WantedChunks } from './executor-caches.ts'
import type { Ground } from './explain.ts'
import type { PlannedWork } from './plan-query.ts'
import { partitionCountFor, stageTasks } from './stage-plans.ts'

/** Splits that are asked for: more would be megabytes of questions to each executor. */
const MAX_MEASURED = 20_000

export type MeasureCache = (wanted: readonly WantedChunks[]) => Promise<readonly CachedBytes[]>

interface Item {
  readonly scan: number
  readonly owner: string | null
  readonly isWhole: boolean
  readonly wanted: WantedChunks
}

/** By scan; of those that read nothing remote, and when it is too much to ask for, nothing. */
export async function cachedBytes(
  work: PlannedWork, ground: Ground, measure: MeasureCache,
): Promise<ReadonlyMap<number, number>> {
  const items = work.planned.sqlKind === 'original' ? []
    : work.planned.fragments.flatMap(fragment => itemsOf(fragment, work, ground))
  const bytes = new Map<number, number>()
  if (items.length === 0 || items.length > MAX_MEASURED) return bytes
  const answers = await measure(items.map(({ wanted }) => wanted))
  items.forEach(({ scan, owner, isWhole }, i) => {
    const all = answers.map(answer => ({ executor: answer.executor, bytes: answer.bytes[i] ?? 0 }))
    const own = all.find(({ executor }) => executor === owner)?.bytes ?? 0
    const most = Math.max(0, ...all.map(answer => answer.bytes))
    const least = all.length === 0 ? 0 : Math.min(...all.map(answer => answer.bytes))
    bytes.set(scan, (bytes.get(scan) ?? 0) + (owner !== null ? own : isWhole ? most : least))
  })
  return bytes
}

function itemsOf(fragment: Fragment, work: PlannedWork, { rooms, isRemote }: Ground): Item[] {
  const tasks = stageTasks(fragment, work, rooms, partitionCountFor(rooms))
  const isWhole = fragment.tasks === 'one'
  return fragment.scans.flatMap(({ id, table: position, columns, reads }) => {
    const table = work.tables[position]
    // all tasks read the same of it: one of them tells
    const readers = reads === 'all' ? tasks.slice(0, 1).map(task => ({ ...task, owner: null })) : tasks
    return readers.flatMap(({ owner, splits }) => splits.flatMap(({ scan, split }): Item[] => {
      if (scan !== id || table === undefined || !isRemote(split.file.bucket)) return []
      const names = columns.flatMap(column => table.columns[column]?.name ?? [])
      const { file, fromRow, toRow } = split
      const wanted = { file, isParquet: table.format === 'parquet', columns: names, fromRow, toRow }
      return [{ scan, owner, isWhole, wanted }]
    }))
  })
}
