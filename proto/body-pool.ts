/**
 * Memory for bodies of record batches, used again: allocating each one anew costs 1.6 to 3.5 times the CPU, nearly all
 * of it in V8's collector.
 */

/** Smaller bodies are not worth keeping. */
const MIN_POOLED_BYTES = 64 * 1024
/**
 * Buffers kept for the next query; one is usually 1 MiB. As many as two results that are held back need: what is let go
 * of beyond waits for V8's next full collection, while others are made.
 */
const MAX_FREE = 64
/** A body of a huge row is given back to the system. */
const MAX_POOLED_BYTES = 4 * 1024 * 1024
/** Sizes of buffers are multiples of it, so that one fits most bodies, and room for what is around one of that size. */
const STEP_BYTES = 256 * 1024
const AROUND_BYTES = 16 * 1024

export interface PooledBody {
  readonly bytes: Uint8Array
  /** To be called once, when nobody will read `bytes` again. */
  readonly release: () => void
}

export class BodyPool {
  readonly #free: Buffer[] = []

  take(byteCount: number): PooledBody {
    if (byteCount < MIN_POOLED_BYTES || byteCount > MAX_POOLED_BYTES) {
      return { bytes: Buffer.allocUnsafeSlow(byteCount), release: () => undefined }
    }
    // the one that was used last: the processor may still have it at hand
    const at = this.#free.findLastIndex(buffer => buffer.length >= byteCount)
    const [kept] = at === -1 ? [] : this.#free.splice(at, 1)
    const buffer = kept ?? Buffer.allocUnsafeSlow(roomFor(byteCount))
    let released = false
    return {
      bytes: buffer.subarray(0, byteCount),
      release: () => {
        if (released) throw new Error('a pooled body was released twice')
        released = true
        if (this.#free.length < MAX_FREE) this.#free.push(buffer)
      },
    }
  }
}

function roomFor(byteCount: number): number {
  return Math.ceil((byteCount - AROUND_BYTES) / STEP_BYTES) * STEP_BYTES + AROUND_BYTES
}
