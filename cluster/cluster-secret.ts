/**
 * The cluster's secret: made by the first process that looks for it, kept in the store, sealed. Nodes prove with it
 * that they belong together; keys of tickets and tokens are derived from it, so every coordinator takes those of every
 * other.
 */

import { QueryError } from '../proto/errors.ts'
import { seal, unseal } from '../proto/seal.ts'
import { SECRET } from './keys.ts'
import type { MetadataStore } from './store.ts'

const PURPOSE = 'cluster secret'
const SECRET_BYTES = 32
/** Another process makes it at the same time, once. */
const MAX_TRIES = 3

export async function clusterSecret(
  store: MetadataStore, key: Uint8Array, random: (byteCount: number) => Uint8Array,
): Promise<string> {
  for (let i = 0; i < MAX_TRIES; i++) {
    const kept = await store.get(SECRET)
    if (kept !== null) return Buffer.from(unseal(key, PURPOSE, kept.value)).toString('hex')
    await store.compareAndSwap(SECRET, 0n, seal(key, PURPOSE, random(SECRET_BYTES), random))
  }
  throw new QueryError('UNAVAILABLE', 'the cluster secret is removed as soon as it is written')
}
