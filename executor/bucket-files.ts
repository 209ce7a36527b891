/**
 * The files of tables as an executor has them: the stores of its buckets, the cache of remote ones, and the files that
 * come along with tasks.
 */

import { BucketStores } from '../cache/bucket-stores.ts'
import { CarriedFiles } from '../cache/carried-files.ts'
import { ColumnCache } from '../cache/column-cache.ts'
import { FileSource } from '../cache/file-source.ts'
import { PeerReader, type AskPeer } from '../cache/peer-reader.ts'
import { BRISK } from '../cache/store-health.ts'
import type { ExecutorChange, ExecutorLaunch } from '../proto/launch.ts'
import { resolvedBuckets, type ExecutorFolders } from './config.ts'
import type { StartOptions } from './start.ts'

export interface BucketFiles {
  readonly source: FileSource
  /** Folders that DuckDB reads them in: absolute, free of links. */
  readonly directories: readonly string[]
  readonly cache: ColumnCache
  /**
   * Buckets from now on. Those that are not among them stay, for the queries that read them still: no other is planned
   * over them any more.
   */
  reload(change: ExecutorChange): Promise<void>
  close(): void
}

export async function openBucketFiles(
  launch: ExecutorLaunch, { clock, random, randomId }: StartOptions, askPeer: AskPeer,
  { cache: folder, carried: carriedFolder }: ExecutorFolders,
): Promise<BucketFiles> {
  let buckets = await resolvedBuckets(launch)
  const stores = await BucketStores.open(buckets, { clock, random, policy: BRISK })
  const cache = await ColumnCache.open({
    folder, budgetBytes: launch.cacheBytes, processId: process.pid, clock, random, newName: randomId,
    peers: new PeerReader(askPeer, { clock, random }),
  })
  const carried = await CarriedFiles.open(carriedFolder)
  const local = Object.values(buckets).flatMap(bucket => bucket.provider === 'local' ? [bucket.path] : [])
  return {
    source: new FileSource(stores.byName, cache, carried), cache, directories: [...local, folder, carriedFolder],
    reload: async change => {
      const next = { ...buckets, ...await resolvedBuckets(change) }
      const commit = await stores.prepare(next)
      commit()
      buckets = next
    },
    close: () => {
      cache.close()
      stores.close()
    },
  }
}
