/** The files of buckets as an executor has them: its stores, and the cache of remote ones if there are any. */

import { openStores } from '../cache/bucket-stores.ts'
import { ColumnCache } from '../cache/column-cache.ts'
import { FileSource } from '../cache/file-source.ts'
import type { ExecutorLaunch } from '../proto/launch.ts'
import { resolvedBuckets, type ExecutorFolders } from './config.ts'
import type { StartOptions } from './start.ts'

export interface BucketFiles {
  readonly source: FileSource
  /** Folders that DuckDB reads them in: absolute, free of links. */
  readonly directories: readonly string[]
  readonly cache: ColumnCache | undefined
  close(): void
}

export async function openBucketFiles(
  launch: ExecutorLaunch, { clock, random, randomId }: StartOptions, { cache: folder }: ExecutorFolders,
): Promise<BucketFiles> {
  const buckets = await resolvedBuckets(launch)
  const stores = await openStores(buckets, { clock, random })
  const isRemote = Object.values(buckets).some(({ provider }) => provider !== 'local')
  const cache = isRemote ? await ColumnCache.open({
    folder, budgetBytes: launch.cacheBytes, processId: process.pid, random, newName: randomId,
  }) : undefined
  const directories = Object.values(buckets).flatMap(bucket => bucket.provider === 'local' ? [bucket.path] : [])
  return {
    source: new FileSource(stores, cache), cache,
    directories: isRemote ? [...directories, folder] : directories,
    close: () => {
      cache?.close()
      for (const store of stores.values()) store.close()
    },
  }
}
