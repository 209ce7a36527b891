/**
 * One column of a record batch in the making: DuckDB's vectors in, Arrow's buffers out. For each chunk `begin` copies
 * the vector out of DuckDB, `append` takes ranges of its rows, `end` lets it go. Columns with children call theirs.
 *
 * Below a NULL row DuckDB leaves garbage: neither length nor pointer of it may be used.
 */

import type { BatchNode } from '../proto/batch-message.ts'
import { BitBuffer, PieceBuffer, type ByteBuffer } from './growable-buffers.ts'
import { memory, type Vector } from './instances.ts'

const NO_BYTES = new Uint8Array(0)

/** One of Arrow's buffers, in pieces that are valid until the encoder is reset. */
export type Pieces = readonly Uint8Array[]

export abstract class ColumnEncoder {
  readonly children: readonly ColumnEncoder[]
  protected rowCount = 0
  /** Validity of the chunk under way; null: no NULLs. */
  protected mask: Uint8Array | null = null
  /** The vector's own data of the chunk under way. */
  protected data: Uint8Array = NO_BYTES
  readonly #validity = new BitBuffer()
  #nullCount = 0

  constructor(children: readonly ColumnEncoder[] = []) {
    this.children = children
  }

  /** `above`: the validity of what these rows are parts of; what is NULL there counts as NULL here. */
  begin(vector: Vector, rowCount: number, above: Uint8Array | null = null): void {
    this.mask = both(memory.validity(vector, rowCount), above)
    this.load(vector, rowCount)
  }

  append(from: number, count: number): void {
    if (this.mask === null) this.#validity.pushOnes(count)
    else this.#nullCount += this.#validity.pushBits(this.mask, from, count)
    this.take(from, count)
    this.rowCount += count
  }

  end(): void {
    this.mask = null
    this.data = NO_BYTES
    for (const child of this.children) child.end()
  }

  reset(): void {
    this.rowCount = this.#nullCount = this.#validity.length = 0
    this.clear()
    for (const child of this.children) child.reset()
  }

  emit(nodes: BatchNode[], buffers: Pieces[]): void {
    nodes.push({ rowCount: this.rowCount, nullCount: this.#nullCount })
    buffers.push(this.#nullCount === 0 ? [] : [this.#validity.used()], ...this.buffers())
    for (const child of this.children) child.emit(nodes, buffers)
  }

  protected isValid(row: number): boolean {
    return this.mask === null || ((this.mask[row >> 3] ?? 0) >> (row & 7) & 1) === 1
  }

  /** Of a row in DuckDB's own vectors, without what pointers and lists lead to. */
  abstract get sourceBytes(): number
  /** Bytes that the rows [from, from + count) of the chunk under way would add, children included; about. */
  abstract measure(from: number, count: number): number
  protected abstract load(vector: Vector, rowCount: number): void
  protected abstract take(from: number, count: number): void
  protected abstract clear(): void
  protected abstract buffers(): readonly Pieces[]
}

function both(a: Uint8Array | null, b: Uint8Array | null): Uint8Array | null {
  if (a === null || b === null) return a ?? b
  return a.map((bits, i) => bits & (b[i] ?? 0))
}

/** Turns `count` values of `data` from `from` into Arrow's at the end of `out`, which has room. */
export type Convert = (data: Uint8Array, from: number, count: number, out: ByteBuffer) => void

/** Values of one width: copied as they are, or converted from one width to another. */
export class FixedEncoder extends ColumnEncoder {
  readonly #sourceWidth: number
  readonly #width: number
  readonly #convert: Convert | undefined
  readonly #values = new PieceBuffer()

  constructor(sourceWidth: number, width = sourceWidth, convert?: Convert) {
    super()
    this.#sourceWidth = sourceWidth
    this.#width = width
    this.#convert = convert
  }

  get sourceBytes(): number {
    return this.#sourceWidth
  }

  measure(_from: number, count: number): number {
    return count * this.#width
  }

  protected load(vector: Vector, rowCount: number): void {
    this.data = memory.copy(vector, rowCount * this.#sourceWidth)
  }

  protected take(from: number, count: number): void {
    if (this.#convert === undefined) {
      const { data } = this
      const isAll = count * this.#width === data.length
      this.#values.add(isAll ? data : data.subarray(from * this.#width, (from + count) * this.#width))
      return
    }
    this.#values.reserve(count * this.#width)
    this.#convert(this.data, from, count, this.#values)
    this.#values.length += count * this.#width
  }

  protected clear(): void {
    this.#values.clear()
  }

  protected buffers(): readonly Pieces[] {
    return [this.#values.pieces()]
  }
}

/** BOOLEAN: a byte a value here, a bit there. */
export class BoolEncoder extends ColumnEncoder {
  readonly #values = new BitBuffer()

  get sourceBytes(): number {
    return 1
  }

  measure(_from: number, count: number): number {
    return (count + 7) >> 3
  }

  protected load(vector: Vector, rowCount: number): void {
    this.data = memory.copy(vector, rowCount)
  }

  protected take(from: number, count: number): void {
    this.#values.pushBytes(this.data, from, count)
  }

  protected clear(): void {
    this.#values.length = 0
  }

  protected buffers(): readonly Pieces[] {
    return [[this.#values.used()]]
  }
}

/** The type NULL: Arrow's Null has no buffers, not even validity. */
export class NullEncoder extends ColumnEncoder {
  get sourceBytes(): number {
    return 1
  }

  override begin(): void {
    this.mask = null
  }

  override append(_from: number, count: number): void {
    this.rowCount += count
  }

  override emit(nodes: BatchNode[]): void {
    nodes.push({ rowCount: this.rowCount, nullCount: this.rowCount })
  }

  measure(): number {
    return 0
  }

  protected load(): void {}
  protected take(): void {}
  protected clear(): void {}
  protected buffers(): readonly Pieces[] {
    return []
  }
}
