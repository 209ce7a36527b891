/**
 * Columns of a record batch that passed every check, in the form in which DuckDB's vectors take them. Native calls
 * check nothing, so nothing but what stands here is ever written.
 */

import { isSet, type Validity } from './buffer-reader.ts'
import type { VectorWriter } from './vector-writer.ts'

/** DuckDB's string_t and list_entry_t. */
const ENTRY_BYTES = 16

export abstract class IngestRows {
  readonly rowCount: number
  readonly validity: Validity

  constructor(rowCount: number, validity: Validity) {
    this.rowCount = rowCount
    this.validity = validity
  }

  isNull(row: number): boolean {
    return this.validity !== null && !isSet(this.validity, row)
  }

  /** Writes the rows [from, from + count) to the vector's first ones. `above`: validity of what they are parts of. */
  write(vector: VectorWriter, from: number, count: number, above: Validity): void {
    const mask = maskOf(this.validity, from, count, above)
    this.fill(vector, from, count, mask)
    if (mask !== null) vector.putValidity(mask)
  }

  /** Bytes of vectors that these rows take. */
  abstract measure(from: number, count: number): number
  /** The value of a row that is not NULL, as a text that is equal for equal values. */
  abstract key(row: number): string
  /** `mask`: validity from bit 0 on. */
  protected abstract fill(vector: VectorWriter, from: number, count: number, mask: Validity): void
}

/** Values of one width, in DuckDB's own bytes. */
export class FixedRows extends IngestRows {
  readonly bytes: Uint8Array
  readonly width: number

  constructor(rowCount: number, validity: Validity, bytes: Uint8Array, width: number) {
    super(rowCount, validity)
    this.bytes = bytes
    this.width = width
  }

  measure(_from: number, count: number): number {
    return count * this.width
  }

  key(row: number): string {
    return Buffer.from(this.bytes.subarray(row * this.width, (row + 1) * this.width)).toString('latin1')
  }

  protected fill(vector: VectorWriter, from: number, count: number): void {
    vector.put(this.bytes.subarray(from * this.width, (from + count) * this.width))
  }
}

/** BOOLEAN: a bit here, a byte there. */
export class BitRows extends IngestRows {
  readonly bits: Uint8Array

  constructor(rowCount: number, validity: Validity, bits: Uint8Array) {
    super(rowCount, validity)
    this.bits = bits
  }

  measure(_from: number, count: number): number {
    return count
  }

  key(row: number): string {
    return isSet(this.bits, row) ? '1' : '0'
  }

  protected fill(vector: VectorWriter, from: number, count: number): void {
    const out = new Uint8Array(count)
    for (let i = 0; i < count; i++) out[i] = isSet(this.bits, from + i) ? 1 : 0
    vector.put(out)
  }
}

/** No value at all. */
export class NullRows extends IngestRows {
  constructor(rowCount: number) {
    super(rowCount, new Uint8Array((rowCount + 7) >> 3))
  }

  measure(_from: number, count: number): number {
    return count * 4
  }

  key(): string {
    return ''
  }

  protected fill(): void {}
}

/** `offsets` count elements of `child`: one more than rows. A MAP is a list of structs. */
export class ListRows extends IngestRows {
  readonly offsets: Int32Array
  readonly child: IngestRows

  constructor(rowCount: number, validity: Validity, offsets: Int32Array, child: IngestRows) {
    super(rowCount, validity)
    this.offsets = offsets
    this.child = child
  }

  measure(from: number, count: number): number {
    const first = this.offsets[from] ?? 0
    return count * ENTRY_BYTES + this.child.measure(first, (this.offsets[from + count] ?? 0) - first)
  }

  key(): string {
    throw new Error('a list is no key')
  }

  protected fill(vector: VectorWriter, from: number, count: number, mask: Validity): void {
    const { offsets } = this
    const first = offsets[from] ?? 0
    const childRows = (offsets[from + count] ?? 0) - first
    const entries = new Uint32Array(count * 4) // 64-bit offset and length; no batch needs their high words
    for (let i = 0; i < count; i++) {
      if (mask !== null && !isSet(mask, i)) continue
      const start = offsets[from + i] ?? 0
      entries[i * 4] = start - first
      entries[i * 4 + 2] = (offsets[from + i + 1] ?? 0) - start
    }
    const child = vector.listChild(childRows)
    vector.put(new Uint8Array(entries.buffer))
    this.child.write(child, first, childRows, null)
  }
}

export class StructRows extends IngestRows {
  readonly children: readonly IngestRows[]

  constructor(rowCount: number, validity: Validity, children: readonly IngestRows[]) {
    super(rowCount, validity)
    this.children = children
  }

  measure(from: number, count: number): number {
    return this.children.reduce((sum, child) => sum + child.measure(from, count), 0)
  }

  key(): string {
    throw new Error('a struct is no key')
  }

  /** DuckDB wants the parts of a NULL to be NULL themselves. */
  protected fill(vector: VectorWriter, from: number, count: number, mask: Validity): void {
    this.children.forEach((child, i) => child.write(vector.structChild(i), from, count, mask))
  }
}

/** Lists of one size. */
export class ArrayRows extends IngestRows {
  readonly size: number
  readonly child: IngestRows

  constructor(rowCount: number, validity: Validity, size: number, child: IngestRows) {
    super(rowCount, validity)
    this.size = size
    this.child = child
  }

  measure(from: number, count: number): number {
    return this.child.measure(from * this.size, count * this.size)
  }

  key(): string {
    throw new Error('an array is no key')
  }

  protected fill(vector: VectorWriter, from: number, count: number, mask: Validity): void {
    const { size } = this
    this.child.write(vector.arrayChild(), from * size, count * size, spread(mask, count, size))
  }
}

/** The validity of `count` rows from `from` on, starting at bit 0 of whole words; null if all are valid. */
function maskOf(validity: Validity, from: number, count: number, above: Validity): Validity {
  if (validity === null && above === null) return null
  const mask = new Uint8Array(((count + 63) >> 6) * 8)
  const [shift, start] = [from & 7, from >> 3]
  for (let i = 0, end = (count + 7) >> 3; i < end; i++) {
    const own = validity === null
      ? 255
      : ((validity[start + i] ?? 0) >> shift) | ((validity[start + i + 1] ?? 0) << (8 - shift))
    mask[i] = own & (above === null ? 255 : above[i] ?? 0)
  }
  return mask
}

/** Each bit `size` times. */
function spread(mask: Validity, count: number, size: number): Validity {
  if (mask === null) return null
  const bits = new Uint8Array((count * size + 7) >> 3)
  for (let i = 0; i < count; i++) {
    if (!isSet(mask, i)) continue
    for (let at = i * size, end = at + size; at < end; at++) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7))
  }
  return bits
}
