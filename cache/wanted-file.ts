/** What the column cache is asked for, and what it gives. */

import type { Rows } from './column-chunks.ts'
import type { FileKey } from './key.ts'
import type { Chunk, Mirror } from './mirror.ts'
import type { ObjectStore } from './object-store.ts'

/** Of one file. */
export interface WantedBytes {
  readonly file: FileKey
  /** Names; null: all. */
  readonly columns: readonly string[] | null
  /** Null: all. */
  readonly rows: Rows | null
}

export interface WantedFile extends WantedBytes {
  readonly store: ObjectStore
  /** False: CSV, JSON, which are read from their start to their end. */
  readonly isParquet: boolean
  /** True: it is read here once, and belongs into another executor's cache. */
  readonly passing: boolean
  /** Address of the executor that brings it for all that read it; null: none but this one. */
  readonly peer: string | null
}

/** Of what is wanted of a file. */
export interface Here {
  readonly bytes: number
  readonly isAll: boolean
}

export function hereOf(chunks: readonly Chunk[]): Here {
  const here = chunks.filter(({ checksum }) => checksum !== null)
  return { bytes: here.reduce((sum, { bytes }) => sum + bytes, 0), isAll: here.length === chunks.length }
}

export interface OpenFile {
  readonly path: string
  /** That came from the bucket for this call, be it by way of another executor. */
  readonly bytesFetched: number
  /** Of what is read: that was here, or in the cache of another executor, or that another call brought. */
  readonly bytesCached: number
}

export interface OpenFiles {
  /** In the order in which they were wanted. */
  readonly files: readonly OpenFile[]
  release(): Promise<void>
}

/** For another executor. */
export interface Lent {
  readonly mirror: Mirror
  readonly chunks: readonly Chunk[]
  /** What came from the bucket for it. */
  readonly own: ReadonlySet<Chunk>
  /** That came from the bucket besides. */
  readonly extraBytes: number
  release(): Promise<void>
}
