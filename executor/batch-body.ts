/**
 * The body of a record batch that is being laid out: each column makes its buffers where they go, in the order in which
 * it told their sizes.
 */

import type { PooledBody } from '../proto/body-pool.ts'

/** What a buffer's maker may spoil behind it: buffers that are not made yet, padding, or what is nobody's. */
export const OVERRUN_BYTES = 16

export class BatchBody {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly words: Int32Array
  readonly #memory: PooledBody
  readonly #places: readonly number[]
  #next = 0

  /** `memory` has OVERRUN_BYTES after the last buffer; `places` are multiples of 8. */
  constructor(memory: PooledBody, places: readonly number[]) {
    const { buffer, byteOffset, length } = memory.bytes
    this.bytes = memory.bytes
    this.view = new DataView(buffer, byteOffset, length)
    this.words = new Int32Array(buffer, byteOffset, length >> 2)
    this.#memory = memory
    this.#places = places
  }

  /** Where the next buffer goes. */
  place(): number {
    const place = this.#places[this.#next++]
    if (place === undefined) throw new Error('more buffers than places')
    return place
  }

  /** After the last buffer: `byteCount` bytes, zeros where no buffer is. */
  finished(bufferBytes: readonly number[], byteCount: number): PooledBody {
    for (const [i, bytes] of bufferBytes.entries()) {
      const end = this.#places[i + 1] ?? byteCount
      for (let at = (this.#places[i] ?? 0) + bytes; at < end; at++) this.bytes[at] = 0 // at most 7
    }
    return { bytes: this.bytes.subarray(0, byteCount), release: this.#memory.release }
  }
}
