/**
 * Before an executor drains: what it has in its cache is brought to the executors that own it once it is gone, so that
 * queries after it find warm caches. Best effort: what cannot be brought is fetched when it is read.
 */

import { rank } from '../cache/affinity.ts'
import type { Clock } from '../proto/clock.ts'
import type { CachedFile } from '../proto/gen/cache_pb.js'
import type { ExecutorId } from '../proto/ids.ts'
import type { ExecutorCaches, WantedChunks } from './executor-caches.ts'

/** Of one call: what an executor opens at once has to fit its cache. */
const FILES_PER_CALL = 16
/** An operator waits for it; large caches move in part then. */
const MOVE_WITHIN_MS = 60_000

/** How many files were brought. `active`: those that take work; of one that does not, nothing moves any more. */
export async function moveCache(
  from: string, active: readonly ExecutorId[], caches: Pick<ExecutorCaches, 'files' | 'warm'>, clock: Clock,
): Promise<number> {
  const ids = active.filter(id => id !== from)
  if (ids.length === 0 || ids.length === active.length) return 0
  const wanted = new Map<ExecutorId, WantedChunks[]>()
  for (const file of await caches.files(from, true).catch(() => [])) {
    const [owner] = rank(file, ids)
    if (owner === undefined || file.columns.length === 0) continue
    wanted.set(owner, [...wanted.get(owner) ?? [], chunksOf(file)])
  }
  const late = new AbortController()
  const cancel = clock.after(MOVE_WITHIN_MS, () => late.abort())
  const moved = await Promise.all([...wanted].map(([owner, files]) => bring(owner, files, caches, late.signal)))
  cancel()
  return moved.reduce((sum, count) => sum + count, 0)
}

async function bring(
  owner: ExecutorId, files: readonly WantedChunks[], caches: Pick<ExecutorCaches, 'warm'>, signal: AbortSignal,
): Promise<number> {
  for (let at = 0; at < files.length; at += FILES_PER_CALL) {
    const failed = await caches.warm(owner, files.slice(at, at + FILES_PER_CALL), signal).then(() => false, () => true)
    if (failed) return at // its cache is full, or time is up: those behind would not fit either
  }
  return files.length
}

function chunksOf({ bucket, key, etag, sizeBytes, columns }: CachedFile): WantedChunks {
  return {
    file: { bucket, key, etag, sizeBytes: Number(sizeBytes) }, isParquet: !columns.includes(''), columns,
    fromRow: 0, toRow: 0,
  }
}
