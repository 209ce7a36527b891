/** The gRPC service over what this executor keeps for later: remote files, and results. */

import type { CacheStatus } from '../cache/cache-status.ts'
import type { ColumnCache } from '../cache/column-cache.ts'
import type { WantedBytes } from '../cache/wanted-file.ts'
import type { Clock } from '../proto/clock.ts'
import type { CacheService, WantedChunks } from '../proto/gen/cache_pb.js'
import type { Call, ServiceHandlers } from '../proto/grpc-server.ts'
import type { BucketFiles } from './bucket-files.ts'
import { ChunkServer } from './chunk-server.ts'
import type { KeptResults, KeptStatus } from './kept-results.ts'
import type { TableReads } from './table-reads.ts'

/** Of one message: some 150 bytes each. */
const FILES_PER_MESSAGE = 1_000

interface CacheParts {
  readonly clock: Clock
  readonly files: Pick<BucketFiles, 'cache' | 'source'>
  readonly reads: TableReads
  readonly kept: KeptResults
}

export function cacheHandlers(
  { clock, files: { cache, source }, reads, kept }: CacheParts,
): ServiceHandlers<typeof CacheService> {
  const chunks = new ChunkServer(source, clock)
  const state = () => ({
    ...stateOf(cache.status()), ...resultsOf(kept.status()), tables: [...reads.list()],
  })
  return {
    getCache: () => state(),
    evictCache: async ({ bucket, prefix, keys }) => {
      if (bucket === '') kept.forget(null)
      const named = new Set(keys)
      await cache.evict(file => (bucket === '' || file.bucket === bucket) && file.key.startsWith(prefix)
        && (named.size === 0 || named.has(file.key)))
      return state()
    },
    measureCache: async ({ wanted }) => {
      const here = await Promise.all(wanted.map(each => cache.here(wantedBytes(each))))
      return { bytes: here.map(({ bytes }) => BigInt(bytes)) }
    },
    warmCache: async ({ wanted }, call: Call) => {
      const files = wanted.map(each => ({ ...wantedBytes(each), isParquet: each.parquet, passing: false, peer: null }))
      const opened = await source.open(files, call.signal)
      await opened.release()
      const sum = (bytes: readonly number[]): bigint => BigInt(bytes.reduce((total, each) => total + each, 0))
      return {
        bytesFetched: sum(opened.files.map(({ bytesFetched }) => bytesFetched)),
        bytesCached: sum(opened.files.map(({ bytesCached }) => bytesCached)),
      }
    },
    listCachedFiles: ({ withColumns }) => listFiles(cache, withColumns),
    fetchChunks: (request, call: Call) => chunks.serve(request, call.signal),
  }
}

function wantedBytes({ bucket, key, etag, sizeBytes, columns, allColumns, fromRow, toRow }: WantedChunks): WantedBytes {
  return {
    file: { bucket, key, etag, sizeBytes: Number(sizeBytes) }, columns: allColumns ? null : columns,
    rows: toRow === 0n ? null : { from: Number(fromRow), to: Number(toRow) },
  }
}

async function* listFiles(cache: ColumnCache, withColumns: boolean) {
  const files = cache.files()
  for (let at = 0; at < files.length; at += FILES_PER_MESSAGE) {
    const some = files.slice(at, at + FILES_PER_MESSAGE)
    yield {
      files: await Promise.all(some.map(async ({ file, chunks, bytes }) => ({
        bucket: file.bucket, key: file.key, etag: file.etag, sizeBytes: BigInt(file.sizeBytes), chunks,
        bytes: BigInt(bytes), columns: withColumns ? [...await cache.columnsOf(file)] : [],
      }))),
    }
  }
}

function resultsOf({ results, resultBytes, resultBudgetBytes, resultHits }: KeptStatus) {
  return {
    results, resultBytes: BigInt(resultBytes), resultBudgetBytes: BigInt(resultBudgetBytes),
    resultHits: BigInt(resultHits),
  }
}

function stateOf({ budgetBytes, usedBytes, bytesFetched, bytesCached, bytesFromPeers, ...counts }: CacheStatus) {
  return {
    ...counts, budgetBytes: BigInt(budgetBytes), usedBytes: BigInt(usedBytes),
    bytesFetched: BigInt(bytesFetched), bytesCached: BigInt(bytesCached), bytesFromPeers: BigInt(bytesFromPeers),
  }
}
