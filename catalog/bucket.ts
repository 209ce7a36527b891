/** Buckets of the configuration as stores. */

import { LocalStore } from '../cache/local-store.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import type { BucketConfig } from '../proto/config.ts'
import { unreachable } from '../proto/errors.ts'

/** Stores by the names of their buckets; nothing is opened or asked yet. */
export function openBuckets(buckets: Readonly<Record<string, BucketConfig>>): Map<string, ObjectStore> {
  return new Map(Object.entries(buckets).map(([name, bucket]) => [name, open(name, bucket)]))
}

function open(name: string, bucket: BucketConfig): ObjectStore {
  switch (bucket.provider) {
    case 'local': return new LocalStore(name, bucket.path)
    default: return unreachable(bucket.provider)
  }
}
