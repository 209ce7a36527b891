/** Values whose bytes differ between DuckDB and Arrow. Little-endian machines only, as DuckDB's builds for Node are. */

import { QueryError } from '../proto/errors.ts'
import type { Convert } from './column-encoder.ts'

const NANOS_PER_MICRO = 1000n
/** What an int64 of nanoseconds holds, in microseconds: about 292 years. */
const MAX_MICROS = 9223372036854775n

/** DECIMAL of up to 4 digits, held in int16, to 128 bits. */
export const widen16: Convert = (source, body, at) =>
  widenSmall(new Int16Array(source.buffer, source.byteOffset, source.length >> 1), body.words, at >> 2)

/** DECIMAL of 5 to 9 digits, held in int32, to 128 bits. */
export const widen32: Convert = (source, body, at) => widenSmall(asWords(source), body.words, at >> 2)

function widenSmall(values: Int16Array | Int32Array, words: Int32Array, first: number): void {
  for (let i = 0, to = first; i < values.length; i++, to += 4) {
    const value = values[i] ?? 0
    words[to] = value
    words[to + 1] = words[to + 2] = words[to + 3] = value >> 31
  }
}

/** DECIMAL of 10 to 18 digits, held in int64, to 128 bits. */
export const widen64: Convert = (source, { words }, at) => {
  const halves = asWords(source)
  for (let i = 0, to = at >> 2; i < halves.length; i += 2, to += 4) {
    const high = halves[i + 1] ?? 0
    words[to] = halves[i] ?? 0
    words[to + 1] = high
    words[to + 2] = words[to + 3] = high >> 31
  }
}

/** INTERVAL: int32 months, int32 days, int64 microseconds; Arrow counts nanoseconds. See `checkInterval`. */
export const intervalToNanos: Convert = (source, { view }, at) => {
  const words = asWords(source)
  const micros = new BigInt64Array(source.buffer, source.byteOffset, source.length >> 3)
  for (let i = 0, to = at; i < words.length; i += 4, to += 16) {
    view.setInt32(to, words[i] ?? 0, true)
    view.setInt32(to + 4, words[i + 1] ?? 0, true)
    view.setBigInt64(to + 8, BigInt.asIntN(64, (micros[(i >> 1) + 1] ?? 0n) * NANOS_PER_MICRO), true)
  }
}

/** Throws for an interval whose time part Arrow cannot hold; `row` is valid. */
export function checkInterval(data: Uint8Array, row: number): void {
  const micros = new DataView(data.buffer, data.byteOffset).getBigInt64(row * 16 + 8, true)
  if (micros <= MAX_MICROS && micros >= -MAX_MICROS) return
  throw new QueryError('EXECUTION_ERROR', `Out of Range Error: an interval of ${micros} microseconds exceeds 292 years`)
}

/** UUID: DuckDB's is a 128-bit number with the top bit flipped; Arrow's are the 16 bytes, first one first. */
export const uuidBytes: Convert = (source, { bytes }, at) => {
  for (let from = 0, to = at; from < source.length; from += 16, to += 16) {
    for (let k = 0; k < 16; k++) bytes[to + k] = source[from + 15 - k] ?? 0
    bytes[to] = (bytes[to] ?? 0) ^ 0x80
  }
}

function asWords(data: Uint8Array): Int32Array {
  return new Int32Array(data.buffer, data.byteOffset, data.length >> 2)
}
