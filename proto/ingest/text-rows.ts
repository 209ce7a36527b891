/**
 * Utf8 and Binary rows: as offsets into one buffer here, as views in view-rows.ts.
 *
 * DuckDB's string_t has 16 bytes: length, then up to 12 bytes inline and zeros, or 4 bytes of prefix and a pointer. The
 * long strings of a vector are copied into its own memory by one call, as if they were one string; from the address of
 * that all string_t are made here and copied at once.
 */

import { isUtf8 } from 'node:buffer'
import { isSet, type Validity } from './buffer-reader.ts'
import { IngestRows } from './ingest-rows.ts'
import { refuse } from './refusal.ts'
import type { VectorWriter } from './vector-writer.ts'

const ENTRY_BYTES = 16
/** Arrow's views keep as many in themselves. */
export const INLINE_BYTES = 12
const WORD = 4294967296

/** Strings, wherever their bytes are. */
export abstract class StringRows extends IngestRows {
  abstract length(row: number): number
  /** What has the bytes of a row, from `start` on. */
  abstract source(row: number): Uint8Array
  abstract start(row: number): number

  /** A row's bytes, not copied. */
  value(row: number): Uint8Array {
    const start = this.start(row)
    return this.source(row).subarray(start, start + this.length(row))
  }

  key(row: number): string {
    return Buffer.from(this.value(row)).toString('latin1')
  }
}

export class TextRows extends StringRows {
  readonly offsets: Int32Array
  readonly bytes: Uint8Array

  constructor(rowCount: number, validity: Validity, offsets: Int32Array, bytes: Uint8Array) {
    super(rowCount, validity)
    this.offsets = offsets
    this.bytes = bytes
  }

  length(row: number): number {
    return (this.offsets[row + 1] ?? 0) - (this.offsets[row] ?? 0)
  }

  source(): Uint8Array {
    return this.bytes
  }

  start(row: number): number {
    return this.offsets[row] ?? 0
  }

  measure(from: number, count: number): number {
    return count * ENTRY_BYTES + (this.offsets[from + count] ?? 0) - (this.offsets[from] ?? 0)
  }

  protected fill(vector: VectorWriter, from: number, count: number, mask: Validity): void {
    const first = this.offsets[from] ?? 0
    if (mask !== null) return writeTexts(vector, this, count, i => isSet(mask, i) ? from + i : -1)
    const block = this.bytes.subarray(first, this.offsets[from + count])
    const address = block.length > INLINE_BYTES ? kept(vector, block) : 0
    const entries = new TextEntries(count)
    for (let i = 0; i < count; i++) {
      const start = this.offsets[from + i] ?? 0
      entries.set(i, this.bytes, start, (this.offsets[from + i + 1] ?? 0) - start, address + start - first)
    }
    vector.put(entries.bytes)
  }
}

/** Refuses text that is not UTF-8; what stands under NULL is not looked at. */
export function checkUtf8(column: string, rows: TextRows): void {
  const { offsets, bytes, rowCount } = rows
  if (isUtf8(bytes.subarray(offsets[0], offsets[rowCount])) && startsAreWhole(rows)) return
  for (let row = 0; row < rowCount; row++) {
    if (!rows.isNull(row) && !isUtf8(bytes.subarray(offsets[row], offsets[row + 1]))) {
      refuse(column, `row ${row} is not valid UTF-8`)
    }
  }
}

/** No string begins inside a character. */
function startsAreWhole({ offsets, bytes, rowCount }: TextRows): boolean {
  const end = offsets[rowCount] ?? 0
  for (let row = 0; row < rowCount; row++) {
    const start = offsets[row] ?? 0
    if (start < end && ((bytes[start] ?? 0) & 0xc0) === 0x80) return false
  }
  return true
}

/** Strings at places of `texts`, each place copied once; place -1 is empty. */
export function writeTexts(vector: VectorWriter, texts: StringRows, count: number, at: (i: number) => number): void {
  const placed = new Map<number, number>()
  const pieces: Uint8Array[] = []
  let byteCount = 0
  for (let i = 0; i < count; i++) {
    const place = at(i)
    if (place < 0 || texts.length(place) <= INLINE_BYTES || placed.has(place)) continue
    placed.set(place, byteCount)
    pieces.push(texts.value(place))
    byteCount += texts.length(place)
  }
  const address = byteCount === 0 ? 0 : kept(vector, Buffer.concat(pieces, byteCount))
  const entries = new TextEntries(count)
  for (let i = 0; i < count; i++) {
    const place = at(i)
    if (place < 0) continue
    entries.set(i, texts.source(place), texts.start(place), texts.length(place), address + (placed.get(place) ?? 0))
  }
  vector.put(entries.bytes)
}

/** The address of the bytes once they are the vector's own. */
function kept(vector: VectorWriter, bytes: Uint8Array): number {
  const address = vector.keepBytes(bytes)
  if (address === null) throw new Error('DuckDB refuses text that was found to be UTF-8')
  return address[0] + address[1] * WORD
}

/** string_t values in the making. */
class TextEntries {
  readonly bytes: Uint8Array
  readonly #words: Uint32Array

  constructor(count: number) {
    this.#words = new Uint32Array(count * 4)
    this.bytes = new Uint8Array(this.#words.buffer)
  }

  /** `address`: where DuckDB has the bytes, if they are more than 12. */
  set(i: number, source: Uint8Array, start: number, length: number, address: number): void {
    const words = this.#words
    const at = i * ENTRY_BYTES + 4
    words[i * 4] = length
    const shown = length <= INLINE_BYTES ? length : 4
    for (let k = 0; k < shown; k++) this.bytes[at + k] = source[start + k] ?? 0
    if (length <= INLINE_BYTES) return
    words[i * 4 + 2] = address % WORD
    words[i * 4 + 3] = address / WORD
  }
}
