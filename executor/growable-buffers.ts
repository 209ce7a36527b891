/** Buffers that grow and are kept from batch to batch: bytes, and bits. Growing doubles: a constant cost a byte. */

const FIRST_BYTES = 1024

export class ByteBuffer {
  buffer: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(FIRST_BYTES)
  view = new DataView(this.buffer.buffer)
  words = new Int32Array(this.buffer.buffer)
  /** Bytes in use. */
  length = 0

  /** Makes room for `count` more bytes; `buffer`, `view` and `words` may be other objects afterwards. */
  reserve(count: number): void {
    const wanted = this.length + count
    if (wanted <= this.buffer.length) return
    let capacity = this.buffer.length
    while (capacity < wanted) capacity *= 2
    const grown = Buffer.allocUnsafeSlow(capacity)
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
    this.view = new DataView(grown.buffer)
    this.words = new Int32Array(grown.buffer)
  }

  push(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  used(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }
}

/** Shorter copies are gathered; longer ones wait where they are until the batch is laid out. */
const PIECE_BYTES = 1024

/** Bytes one after another, in pieces: what is in `buffer`, and between it what lies elsewhere until `clear`. */
export class PieceBuffer extends ByteBuffer {
  #pieces: Uint8Array[] = []
  /** Bytes of `buffer` that are in `#pieces`. */
  #gathered = 0
  /** Of pieces that lie elsewhere. */
  apartBytes = 0

  /** After all that `buffer` has by now. */
  add(bytes: Uint8Array): void {
    if (bytes.length < PIECE_BYTES) return this.push(bytes)
    this.#gather()
    this.#pieces.push(bytes)
    this.apartBytes += bytes.length
  }

  pieces(): readonly Uint8Array[] {
    this.#gather()
    return this.#pieces
  }

  clear(): void {
    this.length = this.#gathered = this.apartBytes = 0
    this.#pieces = []
  }

  #gather(): void {
    if (this.length > this.#gathered) this.#pieces.push(this.buffer.subarray(this.#gathered, this.length))
    this.#gathered = this.length
  }
}

/** Least significant bit first, as Arrow and DuckDB have them. */
export class BitBuffer {
  #bytes = new Uint8Array(FIRST_BYTES)
  /** Bits in use. */
  length = 0

  pushOnes(count: number): void {
    this.pushSame(count, true)
  }

  pushSame(count: number, isSet: boolean): void {
    this.#reserve(count)
    const bit = isSet ? 1 : 0
    let at = this.length
    const end = at + count
    while (at < end && (at & 7) !== 0) this.#set(at++, bit)
    if (end - at >= 8) {
      this.#bytes.fill(isSet ? 255 : 0, at >> 3, end >> 3)
      at = end & ~7
    }
    while (at < end) this.#set(at++, bit)
    this.length = end
  }

  /** Bits [from, from + count) of `mask`; answers how many of them are 0. */
  pushBits(mask: Uint8Array, from: number, count: number): number {
    this.#reserve(count)
    let zeros = 0
    for (let i = from, at = this.length, end = from + count; i < end; i++, at++) {
      const bit = ((mask[i >> 3] ?? 0) >> (i & 7)) & 1
      this.#set(at, bit)
      zeros += 1 - bit
    }
    this.length += count
    return zeros
  }

  /** The lowest bit of each byte in [from, from + count). */
  pushBytes(bytes: Uint8Array, from: number, count: number): void {
    this.#reserve(count)
    for (let i = from, at = this.length, end = from + count; i < end; i++, at++) this.#set(at, (bytes[i] ?? 0) & 1)
    this.length += count
  }

  used(): Uint8Array {
    return this.#bytes.subarray(0, (this.length + 7) >> 3)
  }

  #set(at: number, bit: number): void {
    const byte = this.#bytes[at >> 3] ?? 0
    this.#bytes[at >> 3] = bit === 0 ? byte & ~(1 << (at & 7)) : byte | (1 << (at & 7))
  }

  #reserve(count: number): void {
    const wanted = (this.length + count + 7) >> 3
    if (wanted <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(wanted, this.#bytes.length * 2))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}
