/**
 * VARCHAR and BLOB vectors to Arrow's offsets and bytes.
 *
 * DuckDB's string_t has 16 bytes: u32 length, then up to 12 bytes inline, or 4 bytes of prefix and a pointer. The long
 * strings of a vector lie back to back in one or two areas ("spans"), so a span is read by one native call instead of
 * one a string: 31 ns a row instead of 543. Strings that lie elsewhere only make more spans.
 */

import { ColumnEncoder } from './column-encoder.ts'
import { ByteBuffer } from './growable-buffers.ts'
import { memory, type Vector } from './instances.ts'

const STRING_T_BYTES = 16
const INLINE_BYTES = 12
const WORD = 4294967296
/** Below it a loop is faster than `set(subarray())`. */
const SMALL_COPY_BYTES = 128

interface Span {
  readonly low: number
  readonly high: number
  /** Address of the first byte after it; grows while strings follow each other. */
  end: number
  byteCount: number
}

/** Column of Utf8, Binary, List and Map: int32 offsets, one more than rows. */
export abstract class OffsetEncoder extends ColumnEncoder {
  readonly #offsets = new ByteBuffer()

  constructor(children: readonly ColumnEncoder[] = []) {
    super(children)
    this.#offsets.words[0] = 0
  }

  protected load(vector: Vector, rowCount: number): void {
    this.data = memory.copy(vector, rowCount * STRING_T_BYTES)
  }

  /** The offsets, with room for `count` rows more; the next one to write is at `rowCount` + 1. */
  protected offsets(count: number): Int32Array {
    this.#offsets.length = (this.rowCount + 1) * 4
    this.#offsets.reserve(count * 4)
    return this.#offsets.words
  }

  protected offsetBuffer(): Uint8Array {
    return this.#offsets.buffer.subarray(0, (this.rowCount + 1) * 4)
  }

  /** The entries of the chunk under way as 32-bit words, four a row. */
  protected entries(): Uint32Array {
    return new Uint32Array(this.data.buffer, this.data.byteOffset, this.data.length >> 2)
  }
}

export class StringEncoder extends OffsetEncoder {
  readonly #bytes = new ByteBuffer()

  measure(from: number, count: number): number {
    const entries = this.entries()
    let total = count * 4
    for (let i = from, end = from + count; i < end; i++) {
      if (this.isValid(i)) total += entries[i * 4] ?? 0
    }
    return total
  }

  protected take(from: number, count: number): void {
    const entries = this.entries()
    const spans = this.#spans(entries, from, count)
    const longBytes = spans.reduce((sum, { byteCount }) => sum + byteCount, 0)
    this.#bytes.reserve(longBytes + (count + 1) * INLINE_BYTES)
    const offsets = this.offsets(count)
    const out = this.#bytes
    let at = out.length
    let row = this.rowCount
    const copier = new SpanCopier(spans, out.buffer)
    for (let i = from, end = from + count; i < end; i++) {
      if (this.isValid(i)) {
        const word = i * 4
        const length = entries[word] ?? 0
        if (length <= INLINE_BYTES) {
          copier.flush()
          storeInline(out.view, at, entries, word, length)
        } else {
          copier.next(length, at)
        }
        at += length
      }
      offsets[++row] = at
    }
    copier.flush()
    out.length = at
  }

  protected clear(): void {
    this.#bytes.length = 0
  }

  protected buffers(): readonly Uint8Array[] {
    return [this.offsetBuffer(), this.#bytes.used()]
  }

  /** Areas of memory that hold the long strings of these rows, in the order of the rows. */
  #spans(entries: Uint32Array, from: number, count: number): Span[] {
    const spans: Span[] = []
    let last: Span | undefined
    for (let i = from, end = from + count; i < end; i++) {
      if (!this.isValid(i)) continue
      const length = entries[i * 4] ?? 0
      if (length <= INLINE_BYTES) continue
      const low = entries[i * 4 + 2] ?? 0
      const high = entries[i * 4 + 3] ?? 0
      const address = low + high * WORD
      if (last !== undefined && address === last.end) {
        last.end += length
        last.byteCount += length
      } else {
        last = { low, high, end: address + length, byteCount: length }
        spans.push(last)
      }
    }
    return spans
  }
}

/** Stores up to 12 bytes; what is past `length` is overwritten by the next string. */
function storeInline(view: DataView, at: number, entries: Uint32Array, word: number, length: number): void {
  view.setUint32(at, entries[word + 1] ?? 0, true)
  if (length <= 4) return
  view.setUint32(at + 4, entries[word + 2] ?? 0, true)
  if (length > 8) view.setUint32(at + 8, entries[word + 3] ?? 0, true)
}

/** Copies long strings out of spans; neighbours that stay neighbours are copied together. */
class SpanCopier {
  readonly #spans: readonly Span[]
  readonly #out: Uint8Array
  #span = 0
  #block: Uint8Array = new Uint8Array(0)
  /** Bytes of the block that strings have claimed; those from `#from` on are not copied yet and go to `#to`. */
  #claimed = 0
  #from = 0
  #to = 0

  constructor(spans: readonly Span[], out: Uint8Array) {
    this.#spans = spans
    this.#out = out
  }

  /** The next long string, of `length` bytes, goes to `at`. */
  next(length: number, at: number): void {
    if (this.#claimed === this.#block.length) {
      this.flush()
      const span = this.#spans[this.#span++]
      if (span === undefined) throw new Error('more long strings than spans')
      this.#block = memory.at(span.low, span.high, span.byteCount)
      this.#claimed = this.#from = 0
    }
    if (this.#claimed === this.#from) this.#to = at
    this.#claimed += length
  }

  flush(): void {
    const length = this.#claimed - this.#from
    if (length === 0) return
    if (length >= SMALL_COPY_BYTES) {
      this.#out.set(this.#block.subarray(this.#from, this.#claimed), this.#to)
    } else {
      for (let i = 0; i < length; i++) this.#out[this.#to + i] = this.#block[this.#from + i] ?? 0
    }
    this.#from = this.#claimed
  }
}
