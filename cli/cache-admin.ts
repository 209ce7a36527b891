/**
 * `skein admin cache status | tables | warm TABLE [COLUMN …] | evict [BUCKET[/PREFIX]] | evict table TABLE`: the caches
 * of remote files.
 */

import { unreachable } from '../proto/errors.ts'
import type { AdminService, ExecutorCache, CachedTable, WarmedCache } from '../proto/gen/admin_pb.js'
import type { ServiceClient } from '../proto/grpc-channel.ts'
import type { Row } from './admin.ts'

/** A table is brought at the pace of its store; one that stands still is given up by the executor. */
const WARM_DEADLINE_MS = 24 * 3_600_000

export type CacheCommand =
  | { readonly kind: 'cache-status' } | { readonly kind: 'cache-tables' }
  | { readonly kind: 'cache-warm'; readonly table: string; readonly columns: readonly string[] }
  | { readonly kind: 'cache-evict'; readonly bucket: string; readonly prefix: string; readonly table: string }

export const cacheUsage = [
  'cache status', 'cache tables', 'cache warm TABLE [COLUMN …]', 'cache evict [BUCKET[/PREFIX]]',
  'cache evict table TABLE',
]

/** Undefined: it is none. */
export function cacheCommand(verb: string | undefined, [what, ...more]: readonly string[]): CacheCommand | undefined {
  switch (verb) {
    case 'status': case 'tables': return what === undefined ? { kind: `cache-${verb}` } : undefined
    case 'warm': {
      const columns = more.flatMap(words => words.split(',')).filter(name => name !== '')
      return what === undefined ? undefined : { kind: 'cache-warm', table: what, columns }
    }
    case 'evict': {
      const [table = '', ...rest] = more
      if (rest.length > 0 || (what === 'table') !== (table !== '')) return undefined
      const [bucket = '', ...prefix] = what === 'table' ? [] : (what ?? '').split('/')
      return { kind: 'cache-evict', bucket, prefix: prefix.join('/'), table }
    }
    default: return undefined
  }
}

export async function cacheRows(
  command: CacheCommand, service: ServiceClient<typeof AdminService>, options: { readonly deadlineMs: number },
): Promise<Row[]> {
  switch (command.kind) {
    case 'cache-status': return (await service.listCaches({}, options)).caches.map(cacheRow)
    case 'cache-tables': return (await service.listCachedTables({}, options)).tables.map(tableRow)
    case 'cache-evict': {
      const { bucket, prefix, table } = command
      return (await service.evictCaches({ bucket, prefix, table }, options)).caches.map(cacheRow)
    }
    case 'cache-warm': {
      const { table, columns } = command
      const last = new Map<string, WarmedCache>()
      const news = service.warmCaches({ table, columns: [...columns] }, { deadlineMs: WARM_DEADLINE_MS })
      for await (const warmed of news) last.set(warmed.executor, warmed)
      return [...last.values()].map(warmedRow)
    }
    default: return unreachable(command)
  }
}

/** `error`: why nothing is known of it. */
function cacheRow({ executor, state }: ExecutorCache): Row {
  type Bytes = 'budgetBytes' | 'usedBytes' | 'bytesFetched' | 'bytesCached' | 'bytesFromPeers' | 'resultBytes' |
    'resultHits'
  const number = (name: Bytes): number | null => state === undefined ? null : Number(state[name])
  return {
    executor, budget_bytes: number('budgetBytes'), used_bytes: number('usedBytes'), files: state?.files ?? null,
    chunks: state?.chunks ?? null, bytes_fetched: number('bytesFetched'), bytes_cached: number('bytesCached'),
    bytes_from_peers: number('bytesFromPeers'), damaged: state?.damaged ?? null, results: state?.results ?? null,
    result_bytes: number('resultBytes'), result_hits: number('resultHits'),
    error: state === undefined ? 'no answer' : '',
  }
}

function tableRow({ executor, catalog, schema, table, files, chunks, ...more }: CachedTable): Row {
  const { error } = more
  if (error !== '') {
    return {
      executor, table: null, files: null, chunks: null, bytes: null, bytes_fetched: null, bytes_cached: null,
      hit_ratio: null, error,
    }
  }
  const [bytes, fetched, cached] = [Number(more.bytes), Number(more.bytesFetched), Number(more.bytesCached)]
  return {
    executor, table: `${catalog}.${schema}.${table}`, files, chunks, bytes, bytes_fetched: fetched,
    bytes_cached: cached, hit_ratio: hitRatio(fetched, cached), error,
  }
}

/** Of the bytes that were read, those that were there. */
function hitRatio(fetched: number, cached: number): number {
  return Math.round(1000 * cached / Math.max(1, fetched + cached)) / 1000
}

function warmedRow({ executor, files, filesDone, bytesFetched, bytesCached, error }: WarmedCache): Row {
  return {
    executor, files, files_done: filesDone, bytes_fetched: Number(bytesFetched), bytes_cached: Number(bytesCached),
    error,
  }
}
