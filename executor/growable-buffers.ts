/** What grows with a batch: bytes in pieces, and bits. Growing doubles: a constant cost a byte. */

const FIRST_BYTES = 1024
/** Shorter ones are gathered: what is kept for itself costs an object that every collection has to move. */
const PIECE_BYTES = 1024

/** Bytes one after another, in pieces: short ones gathered, and between them longer ones where they lie. */
export class PieceBuffer {
  #gathered = Buffer.allocUnsafeSlow(FIRST_BYTES)
  /** Of `#gathered`, in use, and in `#pieces`. */
  #length = 0
  #cut = 0
  #pieces: Uint8Array[] = []
  /** Of all of them. */
  byteCount = 0

  /** Bytes that stay as they are until `clear`. */
  add(bytes: Uint8Array): void {
    this.byteCount += bytes.length
    if (bytes.length < PIECE_BYTES) return this.#gather(bytes)
    this.#cutGathered()
    this.#pieces.push(bytes)
  }

  /** All that was added; what was added at once lies in one piece. */
  pieces(): readonly Uint8Array[] {
    this.#cutGathered()
    return this.#pieces
  }

  clear(): void {
    this.#length = this.#cut = this.byteCount = 0
    this.#pieces = []
  }

  #gather(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#gathered.length) {
      const grown = Buffer.allocUnsafeSlow(this.#gathered.length * 2)
      grown.set(this.#gathered)
      this.#gathered = grown
    }
    this.#gathered.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #cutGathered(): void {
    if (this.#length > this.#cut) this.#pieces.push(this.#gathered.subarray(this.#cut, this.#length))
    this.#cut = this.#length
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

  get byteCount(): number {
    return (this.length + 7) >> 3
  }

  used(): Uint8Array {
    return this.#bytes.subarray(0, this.byteCount)
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
