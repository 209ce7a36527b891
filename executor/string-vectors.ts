/**
 * VARCHAR and BLOB vectors to Arrow's offsets and bytes.
 *
 * DuckDB's string_t has 16 bytes: u32 length, then up to 12 bytes inline, or 4 bytes of prefix and a pointer. The long
 * strings of a vector lie back to back in a few areas ("spans"), so a span is read by one native call instead of one a
 * string: 31 ns a row instead of 543. Strings that lie elsewhere only make more spans.
 */

import type { BatchBody } from './batch-body.ts'
import { ColumnEncoder, rowsOf } from './column-encoder.ts'
import { PieceBuffer } from './growable-buffers.ts'
import { memory, type Vector } from './instances.ts'

const STRING_T_BYTES = 16
const INLINE_BYTES = 12
/** Below it a loop is faster than `set(subarray())`. */
const SMALL_COPY_BYTES = 128

const NO_BYTES: Uint8Array = new Uint8Array(0)
const NO_VIEW: DataView = new DataView(NO_BYTES.buffer)

/** Column of Utf8, Binary, List and Map: int32 offsets, one more than rows. */
export abstract class OffsetEncoder extends ColumnEncoder {
  readonly #kept = new PieceBuffer()
  readonly #lengthWord: number

  /** `lengthWord`: which word of an entry is the length. What is NULL gets the length 0, and nothing else is read. */
  constructor(lengthWord: number, children: readonly ColumnEncoder[] = []) {
    super(children)
    this.#lengthWord = lengthWord
  }

  get sourceBytes(): number {
    return STRING_T_BYTES
  }

  protected load(vector: Vector, rowCount: number): void {
    this.data = memory.copy(vector, rowCount * STRING_T_BYTES)
    if (this.mask === null) return
    const entries = this.entries()
    for (let row = 0; row < rowCount; row++) if (!this.isValid(row)) entries[row * 4 + this.#lengthWord] = 0
  }

  protected take(from: number, count: number): void {
    this.#kept.add(rowsOf(this.data, STRING_T_BYTES, from, count))
  }

  protected clear(): void {
    this.#kept.clear()
  }

  protected bufferBytes(): readonly number[] {
    return [(this.rowCount + 1) * 4]
  }

  /** The entries of the chunk under way as 32-bit words, four a row. */
  protected entries(): Uint32Array {
    return asWords(this.data)
  }

  /** Those of the batch, in pieces. */
  protected keptEntries(): Uint32Array[] {
    return this.#kept.pieces().map(asWords)
  }
}

function asWords({ buffer, byteOffset, length }: Uint8Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length >> 2)
}

/** An area of memory that holds long strings. */
interface Span {
  readonly low: number
  readonly high: number
  readonly byteCount: number
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

const NO_SURVEY: Survey = { from: 0, count: 0, byteCount: 0, spans: [] }

export class StringEncoder extends OffsetEncoder {
  /** The long strings of the batch, in their order; none lies in two pieces. */
  readonly #long = new PieceBuffer()
  #byteCount = 0
  #survey = NO_SURVEY

  constructor() {
    super(0)
  }

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

  protected override take(from: number, count: number): void {
    super.take(from, count)
    const { byteCount, spans } = this.#surveyOf(from, count)
    for (const span of spans) this.#long.add(memory.at(span.low, span.high, span.byteCount))
    this.#byteCount += byteCount
  }

  protected override clear(): void {
    super.clear()
    this.#long.clear()
    this.#byteCount = 0
  }

  protected override bufferBytes(): readonly number[] {
    return [...super.bufferBytes(), this.#byteCount]
  }

  protected layOwn(body: BatchBody): void {
    const [offsetsAt, bytesAt] = [body.place(), body.place()]
    body.words[offsetsAt >> 2] = 0
    if (this.#long.byteCount === 0) this.#layShort(body, offsetsAt >> 2, bytesAt)
    else this.#layAny(body, offsetsAt >> 2, bytesAt)
  }

  /** No long string: a loop without calls. */
  #layShort({ words, view }: BatchBody, firstOffset: number, bytesAt: number): void {
    let [at, offset] = [bytesAt, firstOffset]
    for (const entries of this.keptEntries()) {
      for (let word = 0; word < entries.length; word += 4) {
        const length = entries[word] ?? 0
        view.setUint32(at, entries[word + 1] ?? 0, true)
        if (length > 4) {
          view.setUint32(at + 4, entries[word + 2] ?? 0, true)
          if (length > 8) view.setUint32(at + 8, entries[word + 3] ?? 0, true)
        }
        at += length
        words[++offset] = at - bytesAt
      }
    }
  }

  #layAny(body: BatchBody, firstOffset: number, bytesAt: number): void {
    const { words, view } = body
    const long = new LongStrings(this.#long.pieces(), body, bytesAt)
    let [offset, end] = [firstOffset, 0]
    for (const entries of this.keptEntries()) {
      for (let word = 0; word < entries.length; word += 4) {
        const length = entries[word] ?? 0
        if (length <= INLINE_BYTES) {
          if (long.isBehind) long.flush()
          storeInline(view, long.at, entries, word)
          long.at += length
        } else {
          long.next(length)
        }
        end += length
        words[++offset] = end
      }
    }
    long.flush()
  }

  /** The encoder measures a range before it takes it: one pass serves both. */
  #surveyOf(from: number, count: number): Survey {
    const known = this.#survey
    if (known.from === from && known.count === count) return known
    this.#survey = survey(this.entries(), from, count)
    return this.#survey
  }
}

/** After the first long string no branch depends on a length: where kinds mix, half of them would be guessed wrong. */
function survey(entries: Uint32Array, from: number, count: number): Survey {
  const end = (from + count) * 4
  let word = from * 4
  let byteCount = 0
  for (; word < end; word += 4) {
    const length = entries[word] ?? 0
    if (length > INLINE_BYTES) break
    byteCount += length
  }
  const spans: Span[] = []
  let [low, high, next] = [0, 0, 0] // where the last span begins, and the low word of where it ends
  for (; word < end; word += 4) {
    const length = entries[word] ?? 0
    const ifLong = (INLINE_BYTES - length) >> 31 // all bits, or none
    const ownLow = (entries[word + 2] ?? 0) | 0
    const ownHigh = (entries[word + 3] ?? 0) | 0
    if ((ifLong & ((ownLow ^ next) | (ownHigh ^ high))) !== 0) {
      if (next !== low) spans.push({ low, high, byteCount: (next - low) >>> 0 })
      low = next = ownLow
      high = ownHigh
    }
    next = (next + (ifLong & length)) | 0
    byteCount += length
  }
  if (next !== low) spans.push({ low, high, byteCount: (next - low) >>> 0 })
  return { from, count, byteCount, spans }
}

/** All 12 bytes, however many are the string's: the next one is written over the rest. */
function storeInline(view: DataView, at: number, entries: Uint32Array, word: number): void {
  view.setUint32(at, entries[word + 1] ?? 0, true)
  view.setUint32(at + 4, entries[word + 2] ?? 0, true)
  view.setUint32(at + 8, entries[word + 3] ?? 0, true)
}

/** Puts long strings into the body; neighbours that stay neighbours are one copy. */
class LongStrings {
  /** Where the next string goes. */
  at: number
  readonly #blocks: readonly Uint8Array[]
  readonly #body: BatchBody
  #next = 0
  #block: Uint8Array = NO_BYTES
  #view: DataView = NO_VIEW
  /** Bytes of the block that strings have claimed; those from `#from` on are not copied yet. */
  #claimed = 0
  #from = 0

  constructor(blocks: readonly Uint8Array[], body: BatchBody, at: number) {
    this.#blocks = blocks
    this.#body = body
    this.at = at
  }

  /** The next long string, of `length` bytes. */
  next(length: number): void {
    if (this.#claimed === this.#block.length) {
      this.flush()
      const block = this.#blocks[this.#next++]
      if (block === undefined) throw new Error('more long strings than were kept')
      this.#block = block
      this.#view = new DataView(block.buffer, block.byteOffset, block.length)
      this.#claimed = this.#from = 0
    }
    this.#claimed += length
  }

  get isBehind(): boolean {
    return this.#claimed > this.#from
  }

  flush(): void {
    const length = this.#claimed - this.#from
    if (length >= SMALL_COPY_BYTES) this.#body.bytes.set(this.#block.subarray(this.#from, this.#claimed), this.at)
    else copySmall(this.#view, this.#from, this.#claimed, this.#body.view, this.at)
    this.at += length
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
