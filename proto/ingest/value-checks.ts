/**
 * Arrow values to DuckDB's own bytes, each checked against what DuckDB takes for granted: a decimal has at most its
 * digits, a time lies within a day, a moment within DuckDB's years, and no conversion loses anything. Rows that are
 * NULL are not looked at. Little-endian machines only.
 */

import { isSet, type Validity } from './buffer-reader.ts'
import { refuse } from './refusal.ts'

const WORD = 4294967296
const INT64_MAX = 9223372036854775807n
const INT32_MIN = -2147483648
const DAY_MS = 86_400_000n
/** Of TIMESTAMP: 290309-12-22 before Christ, in microseconds. */
const MIN_MICROS = -9223372022400000000n

/** What a column's check knows of it. */
export interface Checked {
  readonly column: string
  readonly rowCount: number
  readonly validity: Validity
  /** The values as Arrow has them: `rowCount` of them. */
  readonly bytes: Uint8Array
}

export interface Range {
  readonly low: bigint
  readonly high: bigint
  /** The two ends of the int64 stand for infinity. */
  readonly infinite: boolean
}

const toUnit = (range: Range, unit: bigint): Range => ({ ...range, low: range.low / unit, high: range.high / unit })
const micros: Range = { low: MIN_MICROS, high: INT64_MAX, infinite: true }

/** Moments by their unit. TIMESTAMP_NS uses all of its int64 but the lowest. */
export const moments: Readonly<Record<'s' | 'ms' | 'us' | 'ns', Range>> = {
  s: toUnit(micros, 1_000_000n), ms: toUnit(micros, 1_000n), us: micros,
  ns: { low: -INT64_MAX, high: INT64_MAX, infinite: true },
}
/** 24:00:00 is a time. */
export const timesOfDay: Readonly<Record<'us' | 'ns', Range>> = {
  us: { low: 0n, high: 86_400_000_000n, infinite: false }, ns: { low: 0n, high: 86_400_000_000_000n, infinite: false },
}

/** int64 values that DuckDB keeps as they are. */
export function inRange(range: Range): (values: Checked) => Uint8Array {
  // high words strictly between these need no closer look
  const [lowWord, highWord] = [Number(range.low >> 32n), Number(range.high >> 32n)]
  return values => {
    const { rowCount, bytes } = values
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, rowCount * 2)
    for (let i = 0; i < rowCount; i++) {
      const high = words[i * 2 + 1] ?? 0
      if (high > lowWord && high < highWord) continue
      if (isNull(values, i)) continue
      const value = (BigInt(high) << 32n) | BigInt((words[i * 2] ?? 0) >>> 0)
      if (!isWithin(value, range)) outOfRange(values, i, value)
    }
    return bytes
  }
}

/** `bits` wide values in another unit: times `factor`, or divided by it if it is negative, and nothing may be lost. */
export function scaled(bits: 32 | 64, factor: bigint, range: Range): (values: Checked) => Uint8Array {
  return values => {
    const out = new BigInt64Array(values.rowCount)
    for (let i = 0; i < values.rowCount; i++) {
      if (isNull(values, i)) continue
      out[i] = rescale(values, i, bits === 64 ? int64(values, i) : BigInt(int32(values, i)), factor, range)
    }
    return new Uint8Array(out.buffer)
  }
}

/** Days; the lowest number of an int32 is none. */
export function days(values: Checked): Uint8Array {
  for (let i = 0; i < values.rowCount; i++) {
    if (int32(values, i) === INT32_MIN && !isNull(values, i)) outOfRange(values, i, INT32_MIN)
  }
  return values.bytes
}

/** Milliseconds that must be whole days. */
export function daysOfMillis(values: Checked): Uint8Array {
  const out = new Int32Array(values.rowCount)
  for (let i = 0; i < values.rowCount; i++) {
    if (isNull(values, i)) continue
    const value = int64(values, i)
    if (value % DAY_MS !== 0n) refuse(values.column, `row ${i} is ${value} ms, which is not a whole day`)
    const day = Number(value / DAY_MS)
    if (day <= INT32_MIN || day > -(INT32_MIN + 1)) outOfRange(values, i, value)
    out[i] = day
  }
  return new Uint8Array(out.buffer)
}

/** Unsigned fixed bytes, first one first, to DuckDB's number with the top bit flipped. */
export function uuids({ rowCount, bytes }: Checked): Uint8Array {
  const out = new Uint8Array(rowCount * 16)
  for (let at = 0; at < out.length; at += 16) {
    for (let k = 0; k < 16; k++) out[at + k] = bytes[at + 15 - k] ?? 0
    out[at + 15] = (out[at + 15] ?? 0) ^ 0x80
  }
  return out
}

/** Months, days and microseconds of the three kinds of interval, and of a duration. */
function intervals(
  parts: (values: Checked, row: number) => readonly [months: number, days: number, micros: bigint],
): (values: Checked) => Uint8Array {
  return values => {
    const out = new DataView(new ArrayBuffer(values.rowCount * 16))
    for (let i = 0; i < values.rowCount; i++) {
      if (isNull(values, i)) continue
      const [months, day, time] = parts(values, i)
      out.setInt32(i * 16, months, true)
      out.setInt32(i * 16 + 4, day, true)
      out.setBigInt64(i * 16 + 8, time, true)
    }
    return new Uint8Array(out.buffer)
  }
}

const anyMicros: Range = { low: -INT64_MAX, high: INT64_MAX, infinite: false }

export const months = intervals((values, row) => [int32(values, row), 0, 0n])
export const dayTimes = intervals((values, row) =>
  [0, int32(values, row * 2), BigInt(int32(values, row * 2 + 1)) * 1_000n])
export const monthDayNanos = intervals((values, row) => [
  int32(values, row * 4), int32(values, row * 4 + 1),
  rescale(values, row, int64(values, row * 2 + 1), -1_000n, anyMicros),
])
export const durations = (factor: bigint) => intervals((values, row) =>
  [0, 0, rescale(values, row, int64(values, row), factor, anyMicros)])

/** 128-bit values to the bytes that DuckDB keeps for so many digits. */
export function decimals(precision: number): (values: Checked) => Uint8Array {
  const limit = 10n ** BigInt(precision)
  const small = Number(limit) // compared with what is exact as a double
  const outWords = precision <= 9 ? 1 : precision <= 18 ? 2 : 4
  return values => {
    const { column, rowCount, bytes } = values
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, rowCount * 4)
    const out = outWords === 4 ? words : new Int32Array(rowCount * outWords)
    for (let i = 0; i < rowCount; i++) {
      if (isNull(values, i)) continue
      const [low, high] = [words[i * 4] ?? 0, words[i * 4 + 1] ?? 0]
      const sign = high >> 31
      const isShort = words[i * 4 + 2] === sign && words[i * 4 + 3] === sign && high < 0x200000 && high >= -0x200000
      const fits = isShort
        ? Math.abs(high * WORD + (low >>> 0)) < small
        : isBelow(new DataView(bytes.buffer, bytes.byteOffset + i * 16, 16), limit)
      if (!fits) refuse(column, `row ${i} has more than ${precision} digits`)
      if (outWords === 4) continue
      out[i * outWords] = low
      if (outWords === 2) out[i * 2 + 1] = high
    }
    if (precision <= 4) return new Uint8Array(Int16Array.from(out).buffer)
    return new Uint8Array(out.buffer, out.byteOffset, out.byteLength)
  }
}

function isBelow(value: DataView, limit: bigint): boolean {
  const number = (value.getBigInt64(8, true) << 64n) | value.getBigUint64(0, true)
  return number < limit && number > -limit
}

function rescale({ column }: Checked, row: number, value: bigint, factor: bigint, range: Range): bigint {
  if (range.infinite && (value === INT64_MAX || value === -INT64_MAX)) return value
  if (factor < 0n && value % factor !== 0n) {
    refuse(column, `row ${row} is ${value}, which DuckDB's unit cannot hold exactly`)
  }
  const result = factor < 0n ? value / -factor : value * factor
  if (result < range.low || result > range.high) refuse(column, `row ${row} is out of range: ${value}`)
  return result
}

function isWithin(value: bigint, { low, high, infinite }: Range): boolean {
  return (value >= low && value <= high) || (infinite && (value === INT64_MAX || value === -INT64_MAX))
}

function outOfRange({ column }: Checked, row: number, value: bigint | number): never {
  refuse(column, `row ${row} is out of range: ${value}`)
}

function isNull({ validity }: Checked, row: number): boolean {
  return validity !== null && !isSet(validity, row)
}

function int32({ bytes }: Checked, i: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(i * 4, true)
}

function int64({ bytes }: Checked, i: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(i * 8, true)
}
