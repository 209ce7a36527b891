/**
 * Brings columns of a table to the caches of the executors that would read them: each split to where a query over the
 * whole table would place it; all of it everywhere if it is so small that queries run whole, on any of them. One that
 * does not answer is told as such, and keeps nothing from the others.
 */

import type { Table } from '../catalog/table.ts'
import { asQueryError, QueryError } from '../proto/errors.ts'
import type { ExecutorId } from '../proto/ids.ts'
import { Outbox } from '../proto/outbox.ts'
import { type ExecutorCaches, NO_ANSWER, type WantedChunks } from './executor-caches.ts'
import type { Room } from './place.ts'
import { splits, type Split } from './splits.ts'
import { placedScans } from './stage-plans.ts'

/** Of one call: what an executor opens at once has to fit its cache. */
const FILES_PER_CALL = 16

export interface WarmedCache {
  readonly executor: string
  readonly files: number
  readonly filesDone: number
  readonly bytesFetched: number
  /** That were there already. */
  readonly bytesCached: number
  /** Why nothing was brought; empty: it was. */
  readonly error: string
}

/** An executor answers from memory. */
const ANSWERS_WITHIN_MS = 8_000

export interface WarmPorts {
  readonly caches: Pick<ExecutorCaches, 'look' | 'warm'>
  readonly rooms: readonly Room[]
  /** A table of fewer bytes is read whole by any executor. */
  readonly wholeBytes: number
}

/** News after each call; the last of an executor has all its files. `names`: none: all columns. */
export async function* warmCaches(
  table: Table, names: readonly string[], ports: WarmPorts, signal: AbortSignal,
): AsyncGenerator<WarmedCache> {
  const columns = positions(table, names)
  const places = placed(table, columns, ports)
  const silent = await checkRoom(places, ports)
  const news = new Outbox<WarmedCache>()
  const failed = new AbortController()
  const ends = AbortSignal.any([signal, failed.signal])
  const wanted = (split: Split): WantedChunks => ({
    ...split, isParquet: table.format === 'parquet', columns: columns.map(column => table.columns[column]?.name ?? ''),
  })
  for (const executor of silent) {
    const files = places.get(executor)?.length ?? 0
    news.say({ executor, files, filesDone: 0, bytesFetched: 0, bytesCached: 0, error: NO_ANSWER })
  }
  const all = Promise.all([...places].filter(([executor]) => !silent.has(executor)).map(([executor, own]) =>
    warmOne(executor, own.map(wanted), ports, news, ends)))
  const end = all.then(() => news.end(), (reason: unknown) => {
    failed.abort()
    news.end()
    throw asQueryError(reason)
  })
  end.catch(() => undefined) // thrown below
  try {
    yield* news
    await end
  } finally {
    failed.abort()
  }
}

function positions(table: Table, names: readonly string[]): number[] {
  if (names.length === 0) return table.columns.map((_, i) => i)
  return names.map(name => {
    const found = table.columns.findIndex(column => column.name.toLowerCase() === name.toLowerCase())
    if (found >= 0) return found
    throw new QueryError('BIND_ERROR', `table ${table.name.table} has no column ${name}`)
  })
}

function placed(table: Table, columns: readonly number[], { rooms, wholeBytes }: WarmPorts): Map<ExecutorId, Split[]> {
  if (rooms.length === 0) throw new QueryError('NO_EXECUTOR', 'no executor is there whose cache could be filled')
  const files = table.files.map(file => ({ file, rowGroups: file.rowGroups.map((_, i) => i) }))
  const all = splits(files, columns, 1)
  if (all.reduce((sum, split) => sum + split.sizeBytes, 0) < wholeBytes) {
    return new Map(rooms.map(({ id }) => [id, all]))
  }
  const tasks = placedScans([{ id: 0, columns, files }], rooms)
  return new Map(rooms.map(({ id }) =>
    [id, tasks.filter(({ owner }) => owner === id).flatMap(task => task.splits.map(({ split }) => split))]))
}

/** Gives those that do not answer. What does not fit would drive itself out: DISK_FULL. */
async function checkRoom(
  places: ReadonlyMap<ExecutorId, readonly Split[]>, { caches }: WarmPorts,
): Promise<ReadonlySet<ExecutorId>> {
  const states = new Map((await caches.look(ANSWERS_WITHIN_MS)).map(({ executor, state }) => [executor, state]))
  for (const [executor, own] of places) {
    const bytes = own.reduce((sum, split) => sum + split.sizeBytes, 0)
    const budget = states.get(executor)?.budgetBytes ?? 0n
    if (budget === 0n || bytes <= Number(budget)) continue
    throw new QueryError('DISK_FULL',
      `${bytes} bytes of it belong to executor ${executor}, whose cache has room for ${budget}`)
  }
  return new Set([...places.keys()].filter(executor => (states.get(executor) ?? null) === null))
}

async function warmOne(
  executor: string, wanted: readonly WantedChunks[], { caches }: WarmPorts, news: Outbox<WarmedCache>,
  signal: AbortSignal,
): Promise<void> {
  let done: WarmedCache = { executor, files: wanted.length, filesDone: 0, bytesFetched: 0, bytesCached: 0, error: '' }
  for (let at = 0; at < wanted.length; at += FILES_PER_CALL) {
    const some = wanted.slice(at, at + FILES_PER_CALL)
    const { bytesFetched, bytesCached } = await caches.warm(executor, some, signal)
    done = {
      ...done, filesDone: done.filesDone + some.length, bytesFetched: done.bytesFetched + Number(bytesFetched),
      bytesCached: done.bytesCached + Number(bytesCached),
    }
    news.say(done)
  }
}
