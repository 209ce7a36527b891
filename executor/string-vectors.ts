/**
 * VARCHAR and BLOB vectors to Arrow's offsets and bytes.
 *
 * DuckDB's string_t has 16 bytes: u32 length, then up to 12 bytes inline, or 4 bytes of prefix and a pointer. The long
 * strings of a vector lie back to back in one or two areas ("spans"), so a span is read by one native call instead of
 * one a string: 31 ns a row instead of 543. Strings that lie elsewhere only make more spans.
 */

import { ColumnEncoder, type Pieces } from './column-encoder.ts'
import { ByteBuffer, PieceBuffer } from './growable-buffers.ts'
import { memory, type Vector } from './instances.ts'

const STRING_T_BYTES = 16
const INLINE_BYTES = 12
const WORD = 4294967296
/** Below it a loop is faster than `set(subarray())`. */
const SMALL_COPY_BYTES = 128

const NO_ENTRIES = new Uint32Array(0)

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
  #entries: Uint32Array = NO_ENTRIES

  constructor(children: readonly ColumnEncoder[] = []) {
    super(children)
    this.#offsets.words[0] = 0
  }

  get sourceBytes(): number {
    return STRING_T_BYTES
  }

  protected load(vector: Vector, rowCount: number): void {
    const { buffer, byteOffset, length } = memory.copy(vector, rowCount * STRING_T_BYTES)
    this.#entries = new Uint32Array(buffer, byteOffset, length >> 2)
  }

  override end(): void {
    super.end()
    this.#entries = NO_ENTRIES
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
    return this.#entries
  }
}

/** What one pass over a range of rows finds out. */
interface Survey {
  readonly from: number
  readonly count: number
  /** Of the range's strings. */
  readonly byteCount: number
  /** Areas of memory that hold the long ones, in the order of the rows. */
  readonly spans: readonly Span[]
}

const NO_VIEW = new DataView(new ArrayBuffer(0))
const NO_SURVEY: Survey = { from: 0, count: 0, byteCount: 0, spans: [] }

export class StringEncoder extends OffsetEncoder {
  readonly #bytes = new PieceBuffer()
  #survey = NO_SURVEY

  measure(from: number, count: number): number {
    return count * 4 + this.#surveyOf(from, count).byteCount
  }

  override end(): void {
    super.end()
    this.#survey = NO_SURVEY
  }

  protected override load(vector: Vector, rowCount: number): void {
    super.load(vector, rowCount)
    this.#survey = NO_SURVEY
  }

  protected take(from: number, count: number): void {
    const { byteCount, spans } = this.#surveyOf(from, count)
    this.#bytes.reserve(byteCount + INLINE_BYTES)
    if (spans.length === 0 && this.mask === null) this.#takeShort(from, count)
    else this.#takeAny(from, count, spans)
  }

  protected clear(): void {
    this.#bytes.clear()
  }

  protected buffers(): readonly Pieces[] {
    return [[this.offsetBuffer()], this.#bytes.pieces()]
  }

  /** No NULL, no long string: a loop without calls. */
  #takeShort(from: number, count: number): void {
    const entries = this.entries()
    const offsets = this.offsets(count)
    const { view, length: start, apartBytes } = this.#bytes
    let at = start
    let row = this.rowCount
    for (let word = from * 4, end = (from + count) * 4; word < end; word += 4) {
      const length = entries[word] ?? 0
      view.setUint32(at, entries[word + 1] ?? 0, true)
      if (length > 4) {
        view.setUint32(at + 4, entries[word + 2] ?? 0, true)
        if (length > 8) view.setUint32(at + 8, entries[word + 3] ?? 0, true)
      }
      at += length
      offsets[++row] = at + apartBytes
    }
    this.#bytes.length = at
  }

  #takeAny(from: number, count: number, spans: readonly Span[]): void {
    const entries = this.entries()
    const offsets = this.offsets(count)
    const { mask } = this
    const bytes = this.#bytes
    const { view } = bytes
    let end = bytes.length + bytes.apartBytes
    let row = this.rowCount
    const copier = new SpanCopier(spans, bytes)
    for (let i = from; i < from + count; i++) {
      if (mask === null || ((mask[i >> 3] ?? 0) >> (i & 7) & 1) === 1) {
        const word = i * 4
        const length = entries[word] ?? 0
        if (length <= INLINE_BYTES) {
          if (copier.isBehind) copier.flush()
          storeInline(view, bytes.length, entries, word, length)
          bytes.length += length
        } else {
          copier.next(length)
        }
        end += length
      }
      offsets[++row] = end
    }
    copier.flush()
  }

  /** The encoder measures a range before it takes it: one pass serves both. */
  #surveyOf(from: number, count: number): Survey {
    const known = this.#survey
    if (known.from === from && known.count === count) return known
    const entries = this.entries()
    const { mask } = this
    const spans: Span[] = []
    let last: Span | undefined
    let byteCount = 0
    for (let i = from, end = from + count; i < end; i++) {
      if (mask !== null && ((mask[i >> 3] ?? 0) >> (i & 7) & 1) === 0) continue
      const length = entries[i * 4] ?? 0
      byteCount += length
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
    this.#survey = { from, count, byteCount, spans }
    return this.#survey
  }
}

/** Stores up to 12 bytes; what is past `length` is overwritten by the next string. */
function storeInline(view: DataView, at: number, entries: Uint32Array, word: number, length: number): void {
  view.setUint32(at, entries[word + 1] ?? 0, true)
  if (length <= 4) return
  view.setUint32(at + 4, entries[word + 2] ?? 0, true)
  if (length > 8) view.setUint32(at + 8, entries[word + 3] ?? 0, true)
}

/** Takes long strings out of spans; neighbours that stay neighbours are one copy, or one piece. */
class SpanCopier {
  readonly #spans: readonly Span[]
  readonly #out: PieceBuffer
  #span = 0
  #block: Uint8Array = new Uint8Array(0)
  #view: DataView = NO_VIEW
  /** Bytes of the block that strings have claimed; those from `#from` on are not taken yet. */
  #claimed = 0
  #from = 0

  /** `out` has room for all of them. */
  constructor(spans: readonly Span[], out: PieceBuffer) {
    this.#spans = spans
    this.#out = out
  }

  /** The next long string, of `length` bytes. */
  next(length: number): void {
    if (this.#claimed === this.#block.length) {
      this.flush()
      const span = this.#spans[this.#span++]
      if (span === undefined) throw new Error('more long strings than spans')
      this.#block = memory.at(span.low, span.high, span.byteCount)
      this.#view = new DataView(this.#block.buffer, this.#block.byteOffset, this.#block.length)
      this.#claimed = this.#from = 0
    }
    this.#claimed += length
  }

  get isBehind(): boolean {
    return this.#claimed > this.#from
  }

  flush(): void {
    const length = this.#claimed - this.#from
    if (length === 0) return
    const out = this.#out
    if (length >= SMALL_COPY_BYTES) {
      out.add(this.#block.subarray(this.#from, this.#claimed))
    } else {
      copySmall(this.#view, this.#from, this.#claimed, out.view, out.length)
      out.length += length
    }
    this.#from = this.#claimed
  }
}

/** Four bytes at a time, wherever they lie. */
function copySmall(source: DataView, start: number, end: number, target: DataView, startAt: number): void {
  let from = start
  let to = startAt
  for (; from + 4 <= end; from += 4, to += 4) target.setUint32(to, source.getUint32(from, true), true)
  for (; from < end; from++, to++) target.setUint8(to, source.getUint8(from))
}
