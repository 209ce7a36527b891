/** What the column cache tells of itself. */

import type { FileKey } from './key.ts'

export interface CachedFile {
  readonly file: FileKey
  readonly chunks: number
  readonly bytes: number
}

export interface CacheStatus {
  readonly budgetBytes: number
  readonly usedBytes: number
  readonly files: number
  readonly chunks: number
  /** Since the start. */
  readonly bytesFetched: number
  readonly bytesCached: number
  /** Of both, those that other executors sent. */
  readonly bytesFromPeers: number
  /** Chunks that were not what their checksums say. */
  readonly damaged: number
}
