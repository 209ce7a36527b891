/**
 * The caches of the executors that are there, as operators and EXPLAIN see them: each asked when it is wanted, all at
 * once.
 */

import type { FileKey } from '../cache/key.ts'
import { type ErrorCode, QueryError } from '../proto/errors.ts'
import type { ExecutorInfo } from '../proto/gen/cluster_pb.js'
import { CacheService, type CachedFile, type CacheState, type WarmCacheResponse } from '../proto/gen/cache_pb.js'
import type { ServiceClient } from '../proto/grpc-channel.ts'
import { nodeChannel, type NodeAuth } from '../proto/node-auth.ts'

/** An executor answers from memory, or removes files. */
const DEADLINE_MS = 8_000
/** For people who look: what is not known by then is not waited for. */
const LOOK_WITHIN_MS = 2_000
/** To bring some files; a store that does not answer has failed before. */
const WARM_DEADLINE_MS = 600_000
/** Of one call: some 200 bytes each. */
const WANTED_PER_CALL = 10_000

export interface ExecutorCache {
  readonly executor: string
  /** Null: it does not answer. */
  readonly state: CacheState | null
}

/** What is told of an executor that does not. */
export const NO_ANSWER = 'no answer'

/** What a task would read of one file. */
export interface WantedChunks {
  readonly file: FileKey
  readonly isParquet: boolean
  /** Names; null: all. */
  readonly columns: readonly string[] | null
  /** Rows [fromRow, toRow), as of splits.ts; toRow 0: all. */
  readonly fromRow: number
  readonly toRow: number
}

/** What an executor that is gone, or hangs, leads to. */
const silent: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED'])

export interface CachedBytes {
  readonly executor: string
  /** In the order in which they were wanted. */
  readonly bytes: readonly number[]
}

type Service = ServiceClient<typeof CacheService>

export class ExecutorCaches {
  readonly #executors: () => readonly ExecutorInfo[]
  readonly #auth: NodeAuth

  /** `executors`: those that can be reached now. */
  constructor(executors: () => readonly ExecutorInfo[], auth: NodeAuth) {
    this.#executors = executors
    this.#auth = auth
  }

  /** For who looks: an executor has to answer soon. */
  look(deadlineMs = LOOK_WITHIN_MS): Promise<ExecutorCache[]> {
    return this.#states(cache => cache.getCache({}, { deadlineMs }), () => null)
  }

  /** What is left. `keys`: of these files alone. The others are emptied also when one does not answer. */
  evict(bucket: string, prefix: string, keys: readonly string[] = []): Promise<ExecutorCache[]> {
    const call = (cache: Service): Promise<CacheState> =>
      cache.evictCache({ bucket, prefix, keys: [...keys] }, { deadlineMs: DEADLINE_MS })
    return this.#states(call, reason => {
      if (reason instanceof QueryError && silent.has(reason.code)) return null
      throw reason
    })
  }

  /** How many bytes of each each executor has in its cache. Who does not answer is left out: it has none to give. */
  async measure(wanted: readonly WantedChunks[]): Promise<CachedBytes[]> {
    const answers = await this.#each(async (cache, executor) => {
      const bytes: number[] = []
      for (let at = 0; at < wanted.length; at += WANTED_PER_CALL) {
        const some = { wanted: wanted.slice(at, at + WANTED_PER_CALL).map(chunks) }
        const answer = await cache.measureCache(some, { deadlineMs: DEADLINE_MS })
        bytes.push(...answer.bytes.map(Number))
      }
      return { executor, bytes }
    })
    return answers.flatMap(answer => answer.status === 'fulfilled' ? [answer.value] : [])
  }

  /** The files of which it has something; their columns only if asked for. */
  async files(executor: string, withColumns = false, deadlineMs = DEADLINE_MS): Promise<CachedFile[]> {
    return this.#at(executor, async cache => {
      const files: CachedFile[] = []
      const all = cache.listCachedFiles({ withColumns }, { deadlineMs })
      for await (const some of all) files.push(...some.files)
      return files
    })
  }

  /** Brings them to `executor`. */
  warm(executor: string, wanted: readonly WantedChunks[], signal: AbortSignal): Promise<WarmCacheResponse> {
    return this.#at(executor, cache =>
      cache.warmCache({ wanted: wanted.map(chunks) }, { deadlineMs: WARM_DEADLINE_MS, signal }))
  }

  async #states(
    call: (cache: Service) => Promise<CacheState>, without: (reason: unknown) => null,
  ): Promise<ExecutorCache[]> {
    const answers = await this.#each(async (cache, executor) =>
      ({ executor, state: await call(cache).catch(without) }))
    return answers.map(answer => {
      if (answer.status === 'rejected') throw answer.reason
      return answer.value
    })
  }

  #each<T>(call: (cache: Service, executor: string) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
    return Promise.allSettled(this.#executors().map(({ id }) => this.#at(id, cache => call(cache, id))))
  }

  async #at<T>(executor: string, call: (cache: Service) => Promise<T>): Promise<T> {
    const address = this.#executors().find(({ id }) => id === executor)?.address ?? ''
    const channel = nodeChannel(address, this.#auth)
    try {
      return await call(channel.service(CacheService))
    } finally {
      channel.close()
    }
  }
}

function chunks({ file, isParquet, columns, fromRow, toRow }: WantedChunks) {
  const { bucket, key, etag, sizeBytes } = file
  return {
    bucket, key, etag, sizeBytes: BigInt(sizeBytes), parquet: isParquet, columns: [...columns ?? []],
    allColumns: columns === null, fromRow: BigInt(fromRow), toRow: BigInt(toRow),
  }
}
