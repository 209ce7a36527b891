/**
 * Memory for bodies of record batches, used again: allocating each one anew costs 1.6 to 3.5 times the CPU, nearly all
 * of it in V8's collector. And the small collection after each batch that frees DuckDB's copies of vectors at once;
 * left to itself V8 runs full ones ("external memory pressure").
 */

import v8 from 'node:v8'
import vm from 'node:vm'

/** Smaller bodies are not worth keeping. */
const MIN_POOLED_BYTES = 64 * 1024
/** Buffers kept for the next query; one is usually 1 or 2 MiB. */
const MAX_FREE = 16
/** A body of a huge row is given back to the system. */
const MAX_POOLED_BYTES = 4 * 1024 * 1024

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
    const at = this.#free.findIndex(buffer => buffer.length >= byteCount)
    const [kept] = at === -1 ? [] : this.#free.splice(at, 1)
    const buffer = kept ?? Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(byteCount)))
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

v8.setFlagsFromString('--expose-gc')
const collect = vm.runInNewContext('gc') as (options: { readonly type: 'minor' }) => void

/**
 * A collection takes 0.1 to 0.4 ms, most of it to free what it is for. Of 2 MiB it costs least: after 8 MiB V8 has
 * begun to run full ones, and encoding takes half as much CPU again.
 */
const COLLECT_BYTES = 2 * 1024 * 1024
let leftBytes = 0

/** After each batch of `byteCount`: frees what the batches since the last collection have left. */
export function collectYoung(byteCount: number): void {
  leftBytes += byteCount
  if (leftBytes < COLLECT_BYTES) return
  leftBytes = 0
  collect({ type: 'minor' })
}
