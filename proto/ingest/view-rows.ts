/**
 * Utf8View and BinaryView rows. A view has 16 bytes: a length, then up to 12 bytes and zeros, or the first 4 bytes, the
 * number of a buffer and an offset into it. Views may show the same bytes, in any order.
 */

import { isUtf8 } from 'node:buffer'
import { isSet, type Validity } from './buffer-reader.ts'
import { refuse } from './refusal.ts'
import { INLINE_BYTES, StringRows, writeTexts } from './text-rows.ts'
import type { VectorWriter } from './vector-writer.ts'

export const VIEW_BYTES = 16
const LENGTH_BYTES = 4
/** In each byte of a word: set in what is no ASCII. */
const HIGH_BITS = 0x80808080

export class ViewRows extends StringRows {
  readonly views: Uint8Array
  readonly buffers: readonly Uint8Array[]
  /** Of each view its length, prefix, buffer and offset. */
  readonly words: Int32Array

  /** `views`: of all rows, at a multiple of 4 in their memory. */
  constructor(rowCount: number, validity: Validity, views: Uint8Array, buffers: readonly Uint8Array[]) {
    super(rowCount, validity)
    this.views = views
    this.buffers = buffers
    this.words = new Int32Array(views.buffer, views.byteOffset, rowCount * 4)
  }

  length(row: number): number {
    return this.isNull(row) ? 0 : this.words[row * 4] ?? 0
  }

  source(row: number): Uint8Array {
    return this.#isInline(row) ? this.views : this.buffers[this.words[row * 4 + 2] ?? 0] ?? this.views
  }

  start(row: number): number {
    return this.#isInline(row) ? row * VIEW_BYTES + LENGTH_BYTES : this.words[row * 4 + 3] ?? 0
  }

  measure(from: number, count: number): number {
    let total = count * VIEW_BYTES
    for (let row = from; row < from + count; row++) total += this.length(row)
    return total
  }

  protected fill(vector: VectorWriter, from: number, count: number, mask: Validity): void {
    writeTexts(vector, this, count, i => mask === null || isSet(mask, i) ? from + i : -1)
  }

  #isInline(row: number): boolean {
    return this.length(row) <= INLINE_BYTES
  }
}

/**
 * Refuses views that show what is not there, or have a form that DuckDB would compare wrongly, and text that is not
 * UTF-8. `viewed` is told of the bytes that a view shows before they are looked at. What stands under NULL is not.
 */
export function checkViews(
  column: string, rows: ViewRows, isText: boolean, viewed: (byteCount: number) => void,
): void {
  const { rowCount, views, buffers, words } = rows
  const texts = isText ? buffers.map(buffer => isUtf8(buffer)) : []
  for (let row = 0; row < rowCount; row++) {
    if (rows.isNull(row)) continue
    const length = words[row * 4] ?? 0
    if (length < 0) refuse(column, `row ${row} has the negative length ${length}`)
    if (length <= INLINE_BYTES) {
      for (let at = row * VIEW_BYTES + LENGTH_BYTES + length; at < (row + 1) * VIEW_BYTES; at++) {
        if (views[at] !== 0) refuse(column, `row ${row} has other bytes than zeros after its ${length}`)
      }
      if (isText && !isAscii(words, row) && !isUtf8(rows.value(row))) notText(column, row)
      continue
    }
    const [index, offset] = [words[row * 4 + 2] ?? 0, words[row * 4 + 3] ?? 0]
    const buffer = buffers[index]
    if (buffer === undefined) return refuse(column, `row ${row} is in buffer ${index} of ${buffers.length}`)
    if (offset < 0 || offset + length > buffer.length) refuse(column, `row ${row} lies outside its buffer`)
    if (wordAt(buffer, offset) !== words[row * 4 + 1]) refuse(column, `row ${row} begins otherwise than its view says`)
    viewed(length)
    if (!isText) continue
    const isCut = isInside(buffer, offset) || isInside(buffer, offset + length)
    if ((isCut || texts[index] !== true) && !isUtf8(rows.value(row))) notText(column, row)
  }
}

function notText(column: string, row: number): never {
  refuse(column, `row ${row} is not valid UTF-8`)
}

/** Of a short view's bytes and the zeros behind them. */
function isAscii(words: Int32Array, row: number): boolean {
  return (((words[row * 4 + 1] ?? 0) | (words[row * 4 + 2] ?? 0) | (words[row * 4 + 3] ?? 0)) & HIGH_BITS) === 0
}

/** Little-endian. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16 | (bytes[at + 3] ?? 0) << 24
}

/** Whether a text that is cut there is cut inside a character. */
function isInside(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at] ?? 0) & 0xc0) === 0x80
}
