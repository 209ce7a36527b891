/**
 * One column of a record batch in the making: DuckDB's vectors in, Arrow's buffers out. For each chunk `begin` copies
 * the vector out of DuckDB, `append` takes ranges of its rows, `end` lets it go. What was taken stays in DuckDB's form
 * until the batch is laid out: each value is written once, where it goes. Columns with children call theirs.
 *
 * Below a NULL row DuckDB leaves garbage: neither length nor pointer of it may be used.
 */

import type { BatchNode } from '../proto/batch-message.ts'
import type { BatchBody } from './batch-body.ts'
import { BitBuffer, PieceBuffer } from './growable-buffers.ts'
import { memory, type Vector } from './instances.ts'

const NO_BYTES = new Uint8Array(0)

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

  /** What the batch will have of this column: nodes, and bytes of buffers. */
  tell(nodes: BatchNode[], bufferBytes: number[]): void {
    nodes.push({ rowCount: this.rowCount, nullCount: this.#nullCount })
    bufferBytes.push(this.#nullCount === 0 ? 0 : this.#validity.byteCount, ...this.bufferBytes())
    for (const child of this.children) child.tell(nodes, bufferBytes)
  }

  /** Makes the buffers that it told of. */
  lay(body: BatchBody): void {
    const place = body.place()
    const validity = this.validity()
    if (validity !== null) body.bytes.set(validity, place)
    this.layOwn(body)
    for (const child of this.children) child.lay(body)
  }

  /** Of the batch's rows; null: no NULLs. */
  protected validity(): Uint8Array | null {
    return this.#nullCount === 0 ? null : this.#validity.used()
  }

  /** Of the chunk under way. */
  protected isValid(row: number): boolean {
    return this.mask === null || isSet(this.mask, row)
  }

  /** Of a row in DuckDB's own vectors, without what pointers and lists lead to. */
  abstract get sourceBytes(): number
  /** Bytes that the rows [from, from + count) of the chunk under way would add, children included; about. */
  abstract measure(from: number, count: number): number
  protected abstract load(vector: Vector, rowCount: number): void
  protected abstract take(from: number, count: number): void
  protected abstract clear(): void
  /** Of its own buffers, without validity and children. */
  protected abstract bufferBytes(): readonly number[]
  protected abstract layOwn(body: BatchBody): void
}

function isSet(bits: Uint8Array, i: number): boolean {
  return ((bits[i >> 3] ?? 0) >> (i & 7) & 1) === 1
}

function both(a: Uint8Array | null, b: Uint8Array | null): Uint8Array | null {
  if (a === null || b === null) return a ?? b
  return a.map((bits, i) => bits & (b[i] ?? 0))
}

/** Writes all values of `source` in Arrow's form, the first one at `at`. */
export type Convert = (source: Uint8Array, body: BatchBody, at: number) => void

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
    this.#values.add(rowsOf(this.data, this.#sourceWidth, from, count))
  }

  protected clear(): void {
    this.#values.clear()
  }

  protected bufferBytes(): readonly number[] {
    return [this.rowCount * this.#width]
  }

  protected layOwn(body: BatchBody): void {
    let at = body.place()
    for (const piece of this.#values.pieces()) {
      if (this.#convert === undefined) body.bytes.set(piece, at)
      else this.#convert(piece, body, at)
      at += piece.length / this.#sourceWidth * this.#width
    }
  }
}

/** Of the rows of `data`, `width` bytes each. */
export function rowsOf(data: Uint8Array, width: number, from: number, count: number): Uint8Array {
  return count * width === data.length ? data : data.subarray(from * width, (from + count) * width)
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

  protected bufferBytes(): readonly number[] {
    return [this.#values.byteCount]
  }

  protected layOwn(body: BatchBody): void {
    body.bytes.set(this.#values.used(), body.place())
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

  override tell(nodes: BatchNode[]): void {
    nodes.push({ rowCount: this.rowCount, nullCount: this.rowCount })
  }

  override lay(): void {}

  measure(): number {
    return 0
  }

  protected load(): void {}
  protected take(): void {}
  protected clear(): void {}
  protected layOwn(): void {}
  protected bufferBytes(): readonly number[] {
    return []
  }
}
