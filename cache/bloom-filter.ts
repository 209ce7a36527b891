/**
 * Bloom filters of Parquet: split into blocks of 256 bits, in each of which a value sets one bit of every 32, found by
 * the xxHash64 (Yann Collet) of its plain encoding. What a filter does not hold is not in its chunk; what it holds may
 * be. A filter that is not of this kind is not read.
 */

import { readThrift } from './footer.ts'
import { type StatKind, type StatValue, decodeStat, encodeStat } from './statistics.ts'

const BLOCK_BYTES = 32
/** Of the format: each picks a bit by its product with the lower half of the hash. */
const SALTS = [
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
] as const

export class BloomFilter {
  readonly #words: DataView
  readonly #blocks: bigint

  private constructor(bits: Uint8Array) {
    this.#words = new DataView(bits.buffer, bits.byteOffset, bits.byteLength)
    this.#blocks = BigInt(bits.byteLength / BLOCK_BYTES)
  }

  /** `bytes`: its header and its bits, to the byte; null if they are not what is known here. */
  static parse(bytes: Uint8Array): BloomFilter | null {
    try {
      const { value, length } = readThrift(bytes, 'Bloom filter')
      const size = value.integerOr(1, 0)
      const isKnown = [2, 3, 4].every(field => value.struct(field, 'kind').has(1)) // blocks, xxHash, not compressed
      const isSound = size > 0 && size % BLOCK_BYTES === 0 && length + size === bytes.byteLength
      return isKnown && isSound ? new BloomFilter(bytes.subarray(length)) : null
    } catch {
      return null // foreign bytes: the decoder throws whatever it meets
    }
  }

  get sizeBytes(): number {
    return this.#words.byteLength
  }

  mayHold(hash: bigint): boolean {
    const block = Number(((hash >> 32n) * this.#blocks) >> 32n) * BLOCK_BYTES
    const key = Number(hash & 0xffffffffn)
    return SALTS.every((salt, i) =>
      (this.#words.getUint32(block + 4 * i, true) >>> (Math.imul(key, salt) >>> 27) & 1) === 1)
  }
}

/**
 * The hashes of which a chunk that has `value` holds one; null: not known. Zero is written with either sign, and both
 * are equal to it.
 */
export function valueHashes(value: StatValue, as: StatKind): readonly bigint[] | null {
  if (as.kind === 'boolean' || as.kind === 'decimal' && as.bytes === null) return null
  const written = as.kind === 'float' && value === 0 ? [0, -0] : [value]
  const hashes: bigint[] = []
  for (const each of written) {
    const bytes = encodeStat(each, as)
    // what does not come back as it was has no place in such a column
    if (bytes === null || decodeStat(bytes, as) !== each) return null
    hashes.push(xxHash64(bytes))
  }
  return hashes
}

const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n,
] as const

/** With seed 0. A microsecond or so for each 8 bytes: for values of statements, not of tables. */
export function xxHash64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = bytes.byteLength
  let at = 0
  let hash: bigint = P5
  if (length >= 32) {
    const lanes: [bigint, bigint, bigint, bigint] = [u64(P1 + P2), P2, 0n, u64(-P1)]
    for (; at + 32 <= length; at += 32) {
      for (const i of [0, 1, 2, 3] as const) lanes[i] = round(lanes[i], view.getBigUint64(at + 8 * i, true))
    }
    hash = u64(rotated(lanes[0], 1n) + rotated(lanes[1], 7n) + rotated(lanes[2], 12n) + rotated(lanes[3], 18n))
    for (const lane of lanes) hash = u64((hash ^ round(0n, lane)) * P1 + P4)
  }
  hash = u64(hash + BigInt(length))
  for (; at + 8 <= length; at += 8) {
    hash = u64(rotated(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4)
  }
  if (at + 4 <= length) {
    hash = u64(rotated(hash ^ u64(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3)
    at += 4
  }
  for (; at < length; at++) hash = u64(rotated(hash ^ u64(BigInt(view.getUint8(at)) * P5), 11n) * P1)
  hash = u64((hash ^ (hash >> 33n)) * P2)
  hash = u64((hash ^ (hash >> 29n)) * P3)
  return hash ^ (hash >> 32n)
}

function round(lane: bigint, input: bigint): bigint {
  return u64(rotated(u64(lane + input * P2), 31n) * P1)
}

function rotated(value: bigint, by: bigint): bigint {
  return u64(value << by) | (value >> (64n - by))
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}
