/**
 * The buckets of the configuration as stores, by their names; nothing is asked of them yet. A bucket that a reload
 * leaves as it was keeps its store, with what that knows of its health and with its connections.
 */

import { isDeepStrictEqual } from 'node:util'
import type { BucketConfig } from '../proto/config-bucket.ts'
import { LocalStore } from './local-store.ts'
import type { ObjectStore } from './object-store.ts'
import { RequestLimit } from './request-limit.ts'
import type { RetryPolicy, RetryPorts } from './retry.ts'

/** Of one process, to all stores: each holds a part of at most 8 MiB. */
const REQUESTS_AT_ONCE = 32

type Buckets = Readonly<Record<string, BucketConfig>>

export interface StorePorts extends RetryPorts {
  readonly policy: RetryPolicy
}

export class BucketStores {
  readonly #ports: StorePorts
  readonly #limit = new RequestLimit(REQUESTS_AT_ONCE)
  readonly #stores = new Map<string, ObjectStore>()
  #buckets: Buckets = {}

  private constructor(ports: StorePorts) {
    this.#ports = ports
  }

  static async open(buckets: Buckets, ports: StorePorts): Promise<BucketStores> {
    const stores = new BucketStores(ports)
    const commit = await stores.prepare(buckets)
    commit()
    return stores
  }

  /** As they are at any time: whoever holds it sees what a reload changes. */
  get byName(): ReadonlyMap<string, ObjectStore> {
    return this.#stores
  }

  /**
   * Makes the stores that are new; nothing changes before `commit`. Those that go are not closed: who reads of one
   * still reads on, and the far side closes what is idle.
   */
  async prepare(buckets: Buckets): Promise<() => void> {
    const made = new Map<string, ObjectStore>()
    for (const [name, config] of Object.entries(buckets)) {
      const known = isDeepStrictEqual(config, this.#buckets[name]) ? this.#stores.get(name) : undefined
      made.set(name, known ?? await this.#store(name, config))
    }
    return () => {
      this.#buckets = buckets
      this.#stores.clear()
      for (const [name, store] of made) this.#stores.set(name, store)
    }
  }

  close(): void {
    for (const store of this.#stores.values()) store.close()
  }

  /** The SDK of remote stores takes 20 MB and 140 ms: it is loaded only for them. */
  async #store(name: string, config: BucketConfig): Promise<ObjectStore> {
    if (config.provider === 'local') return new LocalStore(name, config.path)
    const { S3Store } = await import('./s3-store.ts')
    return new S3Store({ name, config, limit: this.#limit, ...this.#ports })
  }
}
