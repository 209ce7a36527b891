/** Values whose bytes differ between DuckDB and Arrow. Little-endian machines only, as DuckDB's builds for Node are. */

import { QueryError } from '../proto/errors.ts'
import type { ByteBuffer } from './growable-buffers.ts'
import type { Convert } from './column-encoder.ts'

const NANOS_PER_MICRO = 1000n
/** What an int64 of nanoseconds holds, in microseconds: about 292 years. */
const MAX_MICROS = 9223372036854775n

/** DECIMAL of up to 4 digits, held in int16, to 128 bits. */
export const widen16: Convert = (data, from, count, out) =>
  widenSmall(new Int16Array(data.buffer, data.byteOffset, data.length >> 1), from, count, out)

/** DECIMAL of 5 to 9 digits, held in int32, to 128 bits. */
export const widen32: Convert = (data, from, count, out) => widenSmall(asWords(data), from, count, out)

function widenSmall(source: Int16Array | Int32Array, from: number, count: number, out: ByteBuffer): void {
  const { words } = out
  for (let i = from, to = out.length >> 2, end = from + count; i < end; i++, to += 4) {
    const value = source[i] ?? 0
    words[to] = value
    words[to + 1] = words[to + 2] = words[to + 3] = value >> 31
  }
}

/** DECIMAL of 10 to 18 digits, held in int64, to 128 bits. */
export const widen64: Convert = (data, from, count, out) => {
  const source = asWords(data)
  const { words } = out
  for (let i = from * 2, to = out.length >> 2, end = (from + count) * 2; i < end; i += 2, to += 4) {
    const high = source[i + 1] ?? 0
    words[to] = source[i] ?? 0
    words[to + 1] = high
    words[to + 2] = words[to + 3] = high >> 31
  }
}

/** INTERVAL: int32 months, int32 days, int64 microseconds; Arrow counts nanoseconds. See `checkInterval`. */
export const intervalToNanos: Convert = (data, from, count, out) => {
  const source = asWords(data)
  const micros = new BigInt64Array(data.buffer, data.byteOffset, data.length >> 3)
  for (let i = from, to = out.length, end = from + count; i < end; i++, to += 16) {
    out.view.setInt32(to, source[i * 4] ?? 0, true)
    out.view.setInt32(to + 4, source[i * 4 + 1] ?? 0, true)
    out.view.setBigInt64(to + 8, BigInt.asIntN(64, (micros[i * 2 + 1] ?? 0n) * NANOS_PER_MICRO), true)
  }
}

/** Throws for an interval whose time part Arrow cannot hold; `row` is valid. */
export function checkInterval(data: Uint8Array, row: number): void {
  const micros = new DataView(data.buffer, data.byteOffset).getBigInt64(row * 16 + 8, true)
  if (micros <= MAX_MICROS && micros >= -MAX_MICROS) return
  throw new QueryError('EXECUTION_ERROR', `Out of Range Error: an interval of ${micros} microseconds exceeds 292 years`)
}

/** UUID: DuckDB's is a 128-bit number with the top bit flipped; Arrow's are the 16 bytes, first one first. */
export const uuidBytes: Convert = (data, from, count, out) => {
  const { buffer } = out
  for (let i = from, to = out.length, end = from + count; i < end; i++, to += 16) {
    for (let k = 0; k < 16; k++) buffer[to + k] = data[i * 16 + 15 - k] ?? 0
    buffer[to] = (buffer[to] ?? 0) ^ 0x80
  }
}

function asWords(data: Uint8Array): Int32Array {
  return new Int32Array(data.buffer, data.byteOffset, data.length >> 2)
}
