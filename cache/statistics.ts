/**
 * Minimum and maximum of a column, as a Parquet footer holds them: bytes to values and back, and their order. Values
 * compare as DuckDB compares the column's type. What is not certain is null: it says nothing, and nothing is pruned.
 */

import { unreachable } from '../proto/errors.ts'

/**
 * Integers, decimals (unscaled), dates (days) and timestamps (in the unit of the column's DuckDB type) are bigint.
 * A text may be a prefix or more of the true bound.
 */
export type StatValue = bigint | number | string | boolean

/** How the bytes of one leaf column are read; null instead where its values are not known to compare this way. */
export type StatKind =
  | { readonly kind: 'boolean' }
  /** Little endian; each count is `unit` of the DuckDB type's units: 1000 for milliseconds of a TIMESTAMP. */
  | { readonly kind: 'integer'; readonly bytes: 4 | 8; readonly signed: boolean; readonly unit: bigint }
  /** Big endian two's complement, of the given length or (null) of any. */
  | { readonly kind: 'decimal'; readonly bytes: number | null }
  | { readonly kind: 'float'; readonly bytes: 4 | 8 }
  | { readonly kind: 'text' }

/** A decimal of 38 digits has 16. */
const MAX_DECIMAL_BYTES = 32

/**
 * The value, or null if the bytes are not one. Infinity and NaN are null: writers differ on what they mean by them,
 * and a text cut in the middle of a character has no place in the order of texts.
 */
export function decodeStat(bytes: Uint8Array, as: StatKind): StatValue | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (as.kind) {
    case 'boolean':
      return bytes.length === 1 ? bytes[0] === 1 : null
    case 'integer': {
      if (bytes.length !== as.bytes) return null
      const { signed, unit } = as
      if (as.bytes === 4) return BigInt(signed ? view.getInt32(0, true) : view.getUint32(0, true)) * unit
      return (signed ? view.getBigInt64(0, true) : view.getBigUint64(0, true)) * unit
    }
    case 'decimal': {
      if (bytes.length === 0 || bytes.length > MAX_DECIMAL_BYTES) return null
      if (as.bytes !== null && bytes.length !== as.bytes) return null
      return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
    }
    case 'float': {
      if (bytes.length !== as.bytes) return null
      const value = as.bytes === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true)
      return Number.isFinite(value) ? value : null
    }
    case 'text':
      return decodeText(bytes)
    default: return unreachable(as)
  }
}

/** The bytes that `decodeStat` reads as `value`; null if it is not of that kind. */
export function encodeStat(value: StatValue, as: StatKind): Uint8Array | null {
  switch (as.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? Uint8Array.of(value ? 1 : 0) : null
    case 'integer': {
      if (typeof value !== 'bigint' || value % as.unit !== 0n) return null
      return littleEndian(value / as.unit, as.bytes)
    }
    case 'decimal':
      return typeof value === 'bigint' ? littleEndian(value, as.bytes ?? 16).reverse() : null
    case 'float': {
      if (typeof value !== 'number') return null
      const bytes = new Uint8Array(as.bytes)
      const view = new DataView(bytes.buffer)
      if (as.bytes === 4) view.setFloat32(0, value, true)
      else view.setFloat64(0, value, true)
      return bytes
    }
    case 'text':
      return typeof value === 'string' ? Buffer.from(value, 'utf8') : null
    default: return unreachable(as)
  }
}

/**
 * Below 0, 0 or above 0; undefined if the two are not of one kind. Texts compare by code points, which is the order of
 * their UTF-8 bytes, DuckDB's; JavaScript's own order differs above U+FFFF.
 */
export function compareStats(a: StatValue, b: StatValue): number | undefined {
  if (typeof a !== typeof b) return undefined
  if (a === b) return 0
  if (typeof a === 'string' && typeof b === 'string' && (hasSurrogate(a) || hasSurrogate(b))) {
    return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'))
  }
  if (a < b) return -1
  return a > b ? 1 : undefined
}

/** True if JavaScript's order of the text may differ from that of its bytes. */
export function hasSurrogate(text: string): boolean {
  return /[\ud800-\udfff]/.test(text)
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeText(bytes: Uint8Array): string | null {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return null
  }
}

function littleEndian(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn)
  return bytes
}
