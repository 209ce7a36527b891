/**
 * The configuration that a coordinator works by. A reload makes what may fail first, the stores of new buckets, and
 * then changes all that reads it in one turn: no statement sees a part of the old and a part of the new.
 */

import type { BucketStores } from '../cache/bucket-stores.ts'
import { CARRIED } from '../cache/key.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { BUCKET_SCHEMA } from '../catalog/definitions.ts'
import type { Config } from '../proto/config.ts'
import type { NameDefaults } from './query-ports.ts'

export class LiveConfig {
  #config: Config

  constructor(config: Config) {
    this.#config = config
  }

  get now(): Config {
    return this.#config
  }

  /** Where a session begins to look names up. */
  get defaults(): NameDefaults {
    return { catalog: this.#config.defaultCatalog, schema: BUCKET_SCHEMA }
  }

  isRemote(bucket: string): boolean {
    return bucket !== CARRIED && this.#config.buckets[bucket]?.provider !== 'local'
  }

  async change(config: Config, stores: BucketStores, catalog: Catalog): Promise<void> {
    const commit = await stores.prepare(config.buckets)
    commit()
    catalog.reload(config)
    this.#config = config
  }
}
