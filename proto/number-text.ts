/**
 * Numbers as DuckDB prints them. Floats: the shortest digits that read back as the same value, fixed from 1e-4 up to
 * 1e16 and with an exponent of at least two digits outside. Integers and decimals: all their digits, never through a
 * double.
 */

import { floatDecimal } from './float-text.ts'

const FIXED_FROM = 1e-4
const FIXED_BELOW = 1e16
/** High words of a 64-bit integer within these bounds leave it exact as a double (below 2^53). */
const EXACT_HIGH = 0x1fffff

export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  const magnitude = Math.abs(value)
  if (magnitude === Infinity) return value > 0 ? 'inf' : '-inf'
  if (magnitude >= FIXED_FROM && magnitude < FIXED_BELOW) return Number.isInteger(value) ? `${value}.0` : String(value)
  if (magnitude === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const text = value.toExponential()
  const sign = text.lastIndexOf('e') + 1
  return text.length - sign > 2 ? text : `${text.slice(0, sign + 1)}0${text.slice(sign + 1)}`
}

/** `value` must be exactly a 32-bit float. */
export function floatText(value: number): string {
  return Number.isFinite(value) && value !== 0 ? doubleText(floatDecimal(value)) : doubleText(value)
}

/** A 64-bit integer from its two words; `high` is signed for BIGINT, unsigned for UBIGINT. */
export function int64Text(low: number, high: number): string {
  if (high <= EXACT_HIGH && high >= -EXACT_HIGH) return String(high * 0x1_0000_0000 + low)
  return String((BigInt(high) << 32n) + BigInt(low))
}

/** An unscaled 128-bit integer, from four words at `at`, the lowest first. */
export function int128Text(words: Int32Array, at: number): string {
  const low = (words[at] ?? 0) >>> 0
  const high = words[at + 1] ?? 0
  const sign = high >> 31
  if (words[at + 2] === sign && words[at + 3] === sign) return int64Text(low, high)
  let value = BigInt(words[at + 3] ?? 0)
  for (let word = 2; word >= 0; word--) value = (value << 32n) | BigInt((words[at + word] ?? 0) >>> 0)
  return String(value)
}

/** Puts the point into the digits of an unscaled integer. DuckDB leaves out the zero of a type without whole digits. */
export function decimalText(unscaled: string, scale: number, leadingZero: boolean): string {
  if (scale === 0) return unscaled
  const negative = unscaled.startsWith('-')
  const digits = (negative ? unscaled.slice(1) : unscaled).padStart(scale, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = digits.slice(digits.length - scale)
  return `${negative ? '-' : ''}${whole === '' && leadingZero ? '0' : whole}.${fraction}`
}
