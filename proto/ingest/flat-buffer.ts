/**
 * Reads a FlatBuffers table that a stranger has written: every offset and length is checked against the bytes that are
 * there before it is followed. A table may be reached by several ways and vectors may overlap, so whoever walks a tree
 * of them bounds its size and depth itself.
 */

import { refuse } from './refusal.ts'

/**
 * Vtable: its own size, the table's size, then an offset for each field; 0 is absent. Tables share vtables, and Go's
 * writer lets those share one that differ in size alone, so that the size says nothing.
 */
const VTABLE_HEAD_BYTES = 4
/** Of 16 fields at most, which no table of Arrow's has. */
const MAX_VTABLE_BYTES = 36

const utf8 = new TextDecoder('utf-8', { fatal: true })

export interface FlatVector {
  /** Of the first element. */
  readonly at: number
  readonly length: number
}

export class FlatTable {
  readonly #view: DataView
  readonly #at: number
  readonly #vtable: number
  readonly #vtableBytes: number

  constructor(view: DataView, at: number) {
    this.#view = view
    this.#at = at
    this.#vtable = at - this.#checked(at, 4).getInt32(at, true)
    this.#vtableBytes = this.#checked(this.#vtable, VTABLE_HEAD_BYTES).getUint16(this.#vtable, true)
    // an odd or huge size is read in other ways by other readers
    if (this.#vtableBytes < VTABLE_HEAD_BYTES || this.#vtableBytes % 2 !== 0 || this.#vtableBytes > MAX_VTABLE_BYTES) {
      refuse('', `a table of fields of ${this.#vtableBytes} bytes`)
    }
    this.#checked(this.#vtable, this.#vtableBytes)
  }

  /** The table that a buffer is. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes.length < 4) refuse('', 'metadata ends in the middle')
    return new FlatTable(view, view.getUint32(0, true))
  }

  flag(field: number): boolean {
    const at = this.#field(field, 1)
    return at !== 0 && this.#view.getUint8(at) !== 0
  }

  int8(field: number, absent = 0): number {
    const at = this.#field(field, 1)
    return at === 0 ? absent : this.#view.getUint8(at)
  }

  int16(field: number, absent = 0): number {
    const at = this.#field(field, 2)
    return at === 0 ? absent : this.#view.getInt16(at, true)
  }

  int32(field: number, absent = 0): number {
    const at = this.#field(field, 4)
    return at === 0 ? absent : this.#view.getInt32(at, true)
  }

  /** A count or offset: refused if it is negative or more than a number holds exactly. */
  size(field: number): number {
    const at = this.#field(field, 8)
    return at === 0 ? 0 : this.sizeAt(at)
  }

  int64(field: number): bigint {
    const at = this.#field(field, 8)
    return at === 0 ? 0n : this.#view.getBigInt64(at, true)
  }

  sizeAt(at: number): number {
    const value = Number(this.#view.getBigInt64(at, true))
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) refuse('', `a size of ${value}`)
    return value
  }

  table(field: number): FlatTable | null {
    const at = this.#reference(field)
    return at === 0 ? null : new FlatTable(this.#view, at)
  }

  /** null if it is absent. Refused if it is longer than `maxBytes` or not UTF-8. */
  text(field: number, maxBytes: number): string | null {
    const { at, length } = this.vector(field, 1)
    if (at === 0) return null
    if (length > maxBytes) refuse('', `a name of ${length} bytes, the limit is ${maxBytes} bytes`)
    try {
      return utf8.decode(this.#bytes(at, length))
    } catch {
      return refuse('', 'a name is not valid UTF-8')
    }
  }

  /** For texts that matter only if they are some known one: null also for longer ones. */
  shortText(field: number, maxBytes: number): string | null {
    const { at, length } = this.vector(field, 1)
    return at === 0 || length > maxBytes ? null : Buffer.from(this.#bytes(at, length)).toString('latin1')
  }

  /** An absent vector is empty. */
  vector(field: number, elementBytes: number): FlatVector {
    const at = this.#reference(field)
    if (at === 0) return { at: 0, length: 0 }
    const length = this.#checked(at, 4).getUint32(at, true)
    this.#checked(at + 4, length * elementBytes)
    return { at: at + 4, length }
  }

  /** Element `i` of a vector of tables. */
  element(vector: FlatVector, i: number): FlatTable {
    const at = vector.at + i * 4
    return new FlatTable(this.#view, at + this.#view.getUint32(at, true))
  }

  /** Where a field's `byteCount` bytes are; 0: it is absent. */
  #field(field: number, byteCount: number): number {
    const slot = VTABLE_HEAD_BYTES + field * 2
    if (slot + 2 > this.#vtableBytes) return 0
    const offset = this.#view.getUint16(this.#vtable + slot, true)
    if (offset === 0) return 0
    this.#checked(this.#at + offset, byteCount)
    return this.#at + offset
  }

  #reference(field: number): number {
    const at = this.#field(field, 4)
    return at === 0 ? 0 : at + this.#view.getUint32(at, true)
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, length)
  }

  #checked(at: number, byteCount: number): DataView {
    if (at < 0 || at + byteCount > this.#view.byteLength) refuse('', 'metadata points outside itself')
    return this.#view
  }
}
