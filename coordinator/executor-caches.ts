/** The caches of the executors that are there, as operators see them: each asked when it is wanted, all at once. */

import type { ExecutorInfo } from '../proto/gen/cluster_pb.js'
import { CacheService, type CacheState } from '../proto/gen/cache_pb.js'
import { GrpcChannel, type ServiceClient } from '../proto/grpc-channel.ts'

/** An executor answers from memory, or removes files. */
const DEADLINE_MS = 8000

export interface ExecutorCache {
  readonly executor: string
  readonly state: CacheState
}

export class ExecutorCaches {
  readonly #executors: () => readonly ExecutorInfo[]
  readonly #secret: string

  /** `executors`: those that can be reached now. */
  constructor(executors: () => readonly ExecutorInfo[], secret: string) {
    this.#executors = executors
    this.#secret = secret
  }

  list(): Promise<ExecutorCache[]> {
    return this.#each(cache => cache.getCache({}, { deadlineMs: DEADLINE_MS }))
  }

  /** What is left. */
  evict(bucket: string, prefix: string): Promise<ExecutorCache[]> {
    return this.#each(cache => cache.evictCache({ bucket, prefix }, { deadlineMs: DEADLINE_MS }))
  }

  #each(call: (cache: ServiceClient<typeof CacheService>) => Promise<CacheState>): Promise<ExecutorCache[]> {
    return Promise.all(this.#executors().map(async ({ id, address }) => {
      const channel = new GrpcChannel(address, { authorization: `Bearer ${this.#secret}` })
      try {
        return { executor: id, state: await call(channel.service(CacheService)) }
      } finally {
        channel.close()
      }
    }))
  }
}
