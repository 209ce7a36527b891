/** DER, the encoding of certificates (X.690): as much of it as writing one takes. Nothing is read here. */

/** Tags. */
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const OBJECT_IDENTIFIER = 0x06
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17
const GENERALIZED_TIME = 0x18
const SEQUENCE = 0x30
const SET = 0x31
const CONTEXT = 0x80
const CONSTRUCTED = 0x20

export function tagged(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content])
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(SEQUENCE, Buffer.concat(parts))
}

export function set(...parts: readonly Uint8Array[]): Buffer {
  return tagged(SET, Buffer.concat(parts))
}

/** Not negative, big endian. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex(byte => byte !== 0)
  const digits = first < 0 ? Buffer.of(0) : Buffer.from(bytes.subarray(first))
  return tagged(INTEGER, (digits[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), digits]) : digits)
}

export function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.of(value ? 0xff : 0))
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tagged(BIT_STRING, Buffer.concat([Buffer.of(unusedBits), bytes]))
}

export function octetString(bytes: Uint8Array): Buffer {
  return tagged(OCTET_STRING, bytes)
}

export function text(value: string): Buffer {
  return tagged(UTF8_STRING, Buffer.from(value))
}

/** `1.2.840`: the first two numbers in one byte, the others in groups of seven bits. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(OBJECT_IDENTIFIER, Buffer.from([40 * first + second, ...rest.flatMap(base128)]))
}

/** Whole seconds; years from 2050 on have four digits (RFC 5280, 4.1.2.5). */
export function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/\.\d+/, '').replaceAll(/[-:T]/g, '')
  if (digits < '2050') return tagged(UTC_TIME, Buffer.from(digits.slice(2)))
  return tagged(GENERALIZED_TIME, Buffer.from(digits))
}

/** `[number]` around a whole element. */
export function explicit(number: number, element: Uint8Array): Buffer {
  return tagged(CONTEXT | CONSTRUCTED | number, element)
}

/** `[number]` in the place of a primitive element's own tag. */
export function implicit(number: number, content: Uint8Array): Buffer {
  return tagged(CONTEXT | number, content)
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length)
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff)
  return Buffer.of(0x80 | bytes.length, ...bytes)
}
