/** The buckets of the configuration as stores, by their names; nothing is asked of them yet. */

import type { BucketConfig } from '../proto/config-bucket.ts'
import { LocalStore } from './local-store.ts'
import type { ObjectStore } from './object-store.ts'
import { RequestLimit } from './request-limit.ts'
import type { RetryPorts } from './retry.ts'

/** Of one process, to all stores: each holds a part of at most 8 MiB. */
const REQUESTS_AT_ONCE = 32

/** The SDK of remote stores takes 20 MB and 140 ms: it is loaded only for them. */
export async function openStores(
  buckets: Readonly<Record<string, BucketConfig>>, ports: RetryPorts,
): Promise<ReadonlyMap<string, ObjectStore>> {
  const limit = new RequestLimit(REQUESTS_AT_ONCE)
  const stores = new Map<string, ObjectStore>()
  for (const [name, config] of Object.entries(buckets)) {
    if (config.provider === 'local') {
      stores.set(name, new LocalStore(name, config.path))
    } else {
      const { S3Store } = await import('./s3-store.ts')
      stores.set(name, new S3Store({ name, config, limit, ...ports }))
    }
  }
  return stores
}
