/**
 * Takes nodes and buffers of one record batch in the order in which IPC lays them down, depth first, and checks of each
 * what no type is needed for: that it lies in the body, that no two share bytes of it, that counts agree.
 */

import type { ArrowBatch } from './arrow-message.ts'
import { refuse } from './refusal.ts'

/** Rows of one batch: some types need no bytes for a row, so the body does not bound them. */
const MAX_BATCH_ROWS = 16 * 1024 * 1024
/**
 * What the views of one batch may show: many may show the same bytes, each is checked and written for itself, and the
 * body does not bound that. As much as 16 messages of the largest size hold.
 */
const MAX_VIEWED_BYTES = 1024 * 1024 * 1024

const NO_BYTES = new Uint8Array(0)
/** Bits that are set in a byte. */
const ones = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length)

/** Of a column that passed: least significant bit first, 1 is valid; null: no row is NULL. */
export type Validity = Uint8Array | null

/** Rows that a column must have, because something refers to them, and may have. */
export interface RowBounds {
  readonly least: number
  readonly most: number
}

export class BufferReader {
  readonly #batch: ArrowBatch
  readonly #body: Uint8Array
  #node = 0
  #buffer = 0
  #views = 0
  #viewedBytes = 0

  /** `body` must start at a multiple of 8 in its memory. */
  constructor(batch: ArrowBatch, body: Uint8Array) {
    this.#batch = batch
    this.#body = body
    if (batch.rowCount > MAX_BATCH_ROWS) refuse('', `${batch.rowCount} rows, the limit is ${MAX_BATCH_ROWS}`)
    let bytes = 0
    for (const { offset, byteCount } of batch.buffers) {
      if (offset % 8 !== 0) refuse('', `a buffer starts at ${offset}, which is not a multiple of 8`)
      if (offset + byteCount > body.length) refuse('', 'a buffer lies outside the body')
      bytes += byteCount
    }
    if (bytes > body.length) refuse('', 'buffers share bytes of the body')
  }

  /** Row count and validity of the next column. */
  head(column: string, bounds: RowBounds): readonly [rowCount: number, validity: Validity] {
    const { rowCount, nullCount } = this.node(column, bounds)
    return [rowCount, this.#validity(column, rowCount, nullCount)]
  }

  /** The same of a column that has no validity. */
  node(column: string, { least, most }: RowBounds): { readonly rowCount: number; readonly nullCount: number } {
    const node = this.#batch.nodes[this.#node++] ?? refuse(column, 'it is missing')
    const { rowCount, nullCount } = node
    if (rowCount < least) refuse(column, `${rowCount} rows, needed are ${least}`)
    if (rowCount > most) refuse(column, `${rowCount} rows, expected were ${most}`)
    if (nullCount > rowCount) refuse(column, `${nullCount} NULLs in ${rowCount} rows`)
    return node
  }

  /** The next buffer's first `byteCount` bytes. */
  bytes(column: string, byteCount: number): Uint8Array {
    const bytes = this.#take(column)
    if (bytes.length < byteCount) refuse(column, `its values are too short: ${bytes.length} bytes, not ${byteCount}`)
    return bytes.subarray(0, byteCount)
  }

  /** The whole of the next buffer. */
  rest(column: string): Uint8Array {
    return this.#take(column)
  }

  /** The buffers that the next column of views has besides them. */
  viewBuffers(column: string): readonly Uint8Array[] {
    const count = this.#batch.viewBuffers[this.#views++] ?? refuse(column, 'the number of its buffers is missing')
    const buffers: Uint8Array[] = []
    while (buffers.length < count) buffers.push(this.#take(column))
    return buffers
  }

  /** That a view shows so many bytes. */
  viewed(column: string, byteCount: number): void {
    this.#viewedBytes += byteCount
    if (this.#viewedBytes <= MAX_VIEWED_BYTES) return
    refuse(column, `the views of a batch show more than ${MAX_VIEWED_BYTES} bytes`)
  }

  /** One more than rows, from 0 on upwards; as int32, whatever their width. A batch of no rows may leave them out. */
  offsets(column: string, rowCount: number, large: boolean): Int32Array {
    const bytes = this.#take(column)
    if (rowCount === 0 && bytes.length === 0) return new Int32Array(1)
    if (bytes.length < (rowCount + 1) * (large ? 8 : 4)) refuse(column, 'its offsets are too short')
    const offsets = large ? narrow(column, bytes, rowCount + 1) : int32s(bytes, rowCount + 1)
    let last = offsets[0] ?? 0
    if (last < 0) refuse(column, `a negative offset ${last}`)
    for (let i = 1; i <= rowCount; i++) {
      const next = offsets[i] ?? 0
      if (next < last) refuse(column, `its offsets decrease at row ${i - 1}`)
      last = next
    }
    return offsets
  }

  /** All that the message holds must have been asked for. */
  end(): void {
    if (this.#node !== this.#batch.nodes.length) refuse('', `${this.#batch.nodes.length} columns, not ${this.#node}`)
    if (this.#buffer !== this.#batch.buffers.length) {
      refuse('', `${this.#batch.buffers.length} buffers, not ${this.#buffer}`)
    }
    const { length } = this.#batch.viewBuffers
    if (this.#views !== length) refuse('', `${length} columns of views, not ${this.#views}`)
  }

  #validity(column: string, rowCount: number, nullCount: number): Validity {
    const bits = this.#take(column)
    if (bits.length === 0 && nullCount === 0) return null
    if (bits.length < Math.ceil(rowCount / 8)) refuse(column, 'its validity bitmap is too short')
    const zeros = rowCount - countOnes(bits, rowCount)
    if (zeros !== nullCount) refuse(column, `${zeros} NULLs in its validity bitmap, ${nullCount} declared`)
    return zeros === 0 ? null : bits
  }

  #take(column: string): Uint8Array {
    const region = this.#batch.buffers[this.#buffer++] ?? refuse(column, 'one of its buffers is missing')
    const { offset, byteCount } = region
    return byteCount === 0 ? NO_BYTES : this.#body.subarray(offset, offset + byteCount)
  }
}

function int32s({ buffer, byteOffset }: Uint8Array, count: number): Int32Array {
  return new Int32Array(buffer, byteOffset, count)
}

/** 64-bit offsets that fit 32 bits, as all do that lie in a body. */
function narrow(column: string, bytes: Uint8Array, count: number): Int32Array {
  const words = int32s(bytes, count * 2)
  const offsets = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const low = words[i * 2] ?? 0
    if (words[i * 2 + 1] !== 0 || low < 0) refuse(column, `offset ${i} is negative or beyond the body`)
    offsets[i] = low
  }
  return offsets
}

function countOnes(bits: Uint8Array, count: number): number {
  const whole = count >> 3
  let sum = 0
  for (let i = 0; i < whole; i++) sum += ones[bits[i] ?? 0] ?? 0
  return (count & 7) === 0 ? sum : sum + (ones[(bits[whole] ?? 0) & ((1 << (count & 7)) - 1)] ?? 0)
}

export function isSet(bits: Uint8Array, row: number): boolean {
  return ((bits[row >> 3] ?? 0) >> (row & 7) & 1) === 1
}
