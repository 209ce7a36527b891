/** What one use of the cache has opened of its files, and what it keeps from going meanwhile. */

import type { Chunk, Mirror } from './mirror.ts'
import type { OpenFile, WantedFile } from './wanted-file.ts'

export interface Brought extends OpenFile {
  /** What came from the bucket for it. */
  readonly own: ReadonlySet<Chunk>
}

export interface Opened {
  readonly wanted: WantedFile
  readonly mirror: Mirror
  /** Of its footer, that came for this call. */
  readonly footerBytes: number
  readonly chunks: readonly Chunk[]
}

/** What a call keeps from going. */
export class Hold {
  readonly mirrors: Mirror[] = []
  readonly chunks: Chunk[] = []
  isPinned = false
}
