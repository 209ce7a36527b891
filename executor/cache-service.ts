/** The gRPC service over this executor's cache of remote files. */

import type { CacheStatus, ColumnCache } from '../cache/column-cache.ts'
import type { CacheService } from '../proto/gen/cache_pb.js'
import type { ServiceHandlers } from '../proto/grpc-server.ts'

export function cacheHandlers(cache: ColumnCache | undefined): ServiceHandlers<typeof CacheService> {
  const state = () => cache === undefined ? {} : stateOf(cache.status())
  return {
    getCache: () => state(),
    evictCache: async ({ bucket, prefix }) => {
      await cache?.evict(file => (bucket === '' || file.bucket === bucket) && file.key.startsWith(prefix))
      return state()
    },
  }
}

function stateOf({ budgetBytes, usedBytes, bytesFetched, bytesCached, ...counts }: CacheStatus) {
  return {
    ...counts, budgetBytes: BigInt(budgetBytes), usedBytes: BigInt(usedBytes),
    bytesFetched: BigInt(bytesFetched), bytesCached: BigInt(bytesCached),
  }
}
