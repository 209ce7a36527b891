/** LIST and MAP, STRUCT, and ARRAY vectors: their own layout here, their children by the encoders of those. */

import type { BatchBody } from './batch-body.ts'
import { ColumnEncoder } from './column-encoder.ts'
import { QueryError } from '../proto/errors.ts'
import { BitBuffer } from './growable-buffers.ts'
import { memory, type Vector } from './instances.ts'
import { OffsetEncoder } from './string-vectors.ts'

/**
 * Most bytes of one child vector: DuckDB gives it as a whole, for all rows of its chunk, in a copy that no budget of
 * DuckDB counts.
 */
const MAX_CHILD_BYTES = 512 * 1024 * 1024

/** Entries are u64 offset and u64 length into the child vector; a MAP is a list of key-value structs. */
export class ListEncoder extends OffsetEncoder {
  readonly #child: ColumnEncoder

  constructor(child: ColumnEncoder) {
    super(2, [child])
    this.#child = child
  }

  measure(from: number, count: number): number {
    let total = count * 4
    this.#ranges(from, count, (first, length) => { total += this.#child.measure(first, length) })
    return total
  }

  protected override load(vector: Vector, rowCount: number): void {
    super.load(vector, rowCount)
    const childRows = memory.listChildRows(vector)
    const bytes = childRows * this.#child.sourceBytes
    if (bytes > MAX_CHILD_BYTES) {
      throw new QueryError('RESULT_TOO_LARGE',
        `lists of ${childRows} values in ${rowCount} rows take ${bytes} bytes, the limit is ${MAX_CHILD_BYTES} bytes`)
    }
    this.#child.begin(memory.listChild(vector), childRows)
  }

  protected override take(from: number, count: number): void {
    super.take(from, count)
    this.#ranges(from, count, (first, length) => this.#child.append(first, length))
  }

  protected layOwn(body: BatchBody): void {
    let [offset, end] = [body.place() >> 2, 0]
    body.words[offset] = 0
    for (const entries of this.keptEntries()) {
      for (let word = 0; word < entries.length; word += 4) {
        end += entries[word + 2] ?? 0
        body.words[++offset] = end
      }
    }
  }

  /** Ranges of the child that valid rows refer to, in their order; neighbouring ones are one. */
  #ranges(from: number, count: number, visit: (first: number, length: number) => void): void {
    const entries = this.entries()
    let start = 0
    let length = 0
    for (let i = from, end = from + count; i < end; i++) {
      const size = entries[i * 4 + 2] ?? 0
      if (size === 0) continue
      const first = entries[i * 4] ?? 0
      if (length > 0 && first === start + length) {
        length += size
        continue
      }
      if (length > 0) visit(start, length)
      start = first
      length = size
    }
    if (length > 0) visit(start, length)
  }
}

export class StructEncoder extends ColumnEncoder {
  get sourceBytes(): number {
    return this.children.reduce((sum, child) => sum + child.sourceBytes, 0)
  }

  measure(from: number, count: number): number {
    return this.children.reduce((sum, child) => sum + child.measure(from, count), 0)
  }

  protected load(vector: Vector, rowCount: number): void {
    this.children.forEach((child, i) => child.begin(memory.structChild(vector, i), rowCount, this.mask))
  }

  protected take(from: number, count: number): void {
    for (const child of this.children) child.append(from, count)
  }

  protected clear(): void {}
  protected layOwn(): void {}
  protected bufferBytes(): readonly number[] {
    return []
  }
}

/** Fixed-size lists: the child vector holds `size` values for each row, NULL rows too. */
export class ArrayEncoder extends ColumnEncoder {
  readonly #child: ColumnEncoder
  readonly #size: number

  constructor(child: ColumnEncoder, size: number) {
    super([child])
    this.#child = child
    this.#size = size
  }

  get sourceBytes(): number {
    return this.#size * this.#child.sourceBytes
  }

  measure(from: number, count: number): number {
    return this.#child.measure(from * this.#size, count * this.#size)
  }

  protected load(vector: Vector, rowCount: number): void {
    this.#child.begin(memory.arrayChild(vector), rowCount * this.#size, this.#spread(rowCount))
  }

  protected take(from: number, count: number): void {
    this.#child.append(from * this.#size, count * this.#size)
  }

  /** The validity of each row for each of its values. */
  #spread(rowCount: number): Uint8Array | null {
    if (this.mask === null) return null
    const bits = new BitBuffer()
    for (let row = 0; row < rowCount; row++) bits.pushSame(this.#size, this.isValid(row))
    return bits.used()
  }

  protected clear(): void {}
  protected layOwn(): void {}
  protected bufferBytes(): readonly number[] {
    return []
  }
}
