/**
 * Chunks of a result to Arrow record batches of about 1 MiB. A chunk that would make a batch too large is split by
 * rows, in the middle, again and again. No message exceeds what every client takes: a single row that would is
 * RESULT_TOO_LARGE, with the column that made it so.
 *
 * A selective scan gives chunks of few rows, which gather here. Joined with a single row DuckDB itself would gather
 * them, and spare a third of the CPU, but only on an instance that does not keep the order of rows; a scan whose rows
 * go straight to the result runs on one that does, where the join has no effect.
 */

import { columnForm, type EnumForm, type ResultColumn } from '../proto/arrow-schema.ts'
import { layoutBatch } from '../proto/arrow-batch.ts'
import type { BatchNode } from '../proto/batch-message.ts'
import { compressed, type Compression } from '../proto/compression.ts'
import { QueryError } from '../proto/errors.ts'
import type { BodyPool, PooledBody } from '../proto/body-pool.ts'
import { BatchBody, OVERRUN_BYTES } from './batch-body.ts'
import type { ColumnEncoder } from './column-encoder.ts'
import { memory, type DataChunk } from './instances.ts'
import { encoderFor } from './vector-reader.ts'

/** Larger ones gain nothing on the wire; gRPC copies each a few times. */
const BATCH_BYTES = 1024 * 1024
/** For results of one narrow column: bounds what a client must take at once. */
const BATCH_ROWS = 64 * 1024
/** Some clients refuse a message above 4 MiB, others above 16; what Flight and gRPC put around it is a few bytes. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024 - 1024

export interface EncodedBatch {
  readonly header: Uint8Array
  readonly body: PooledBody
  readonly rowCount: number
}

export class ArrowEncoder {
  readonly #columns: readonly ColumnEncoder[]
  readonly #names: readonly string[]
  readonly #pool: BodyPool
  readonly #compression: Compression
  #rowCount = 0
  #bytes = 0

  /** Columns by their declared types; chunks must have their forms (`hasForm`). */
  constructor(
    columns: readonly ResultColumn[], pool: BodyPool, enums: EnumForm = 'text', compression: Compression = 'none',
  ) {
    this.#compression = compression
    this.#columns = columns.map(({ type }) => encoderFor(columnForm(type, enums)))
    this.#names = columns.map(({ name }) => name)
    this.#pool = pool
  }

  /** Takes the chunk row by row; gives each batch that it fills. A reader must go to the end before the next chunk. */
  *append(chunk: DataChunk, rowCount: number): Generator<EncodedBatch, void> {
    this.#columns.forEach((column, i) => column.begin(memory.column(chunk, i), rowCount))
    yield* this.#appendRows(0, rowCount)
    for (const column of this.#columns) column.end()
  }

  /** The rows that no batch has taken yet. */
  finish(): EncodedBatch[] {
    return this.#rowCount === 0 ? [] : [this.#takeBatch()]
  }

  *#appendRows(from: number, count: number): Generator<EncodedBatch, void> {
    let bytes = 0
    for (const column of this.#columns) bytes += column.measure(from, count)
    const isFull = this.#bytes + bytes > BATCH_BYTES || this.#rowCount + count > BATCH_ROWS
    if (isFull && this.#rowCount > 0) yield this.#takeBatch()
    if (bytes > BATCH_BYTES && count > 1) {
      const half = count >> 1
      yield* this.#appendRows(from, half)
      yield* this.#appendRows(from + half, count - half)
      return
    }
    if (bytes > MAX_MESSAGE_BYTES) throw this.#tooLarge(from, bytes)
    for (const column of this.#columns) column.append(from, count)
    this.#rowCount += count
    this.#bytes += bytes
  }

  #takeBatch(): EncodedBatch {
    const rowCount = this.#rowCount
    const nodes: BatchNode[] = []
    const bufferBytes: number[] = []
    for (const column of this.#columns) column.tell(nodes, bufferBytes)
    const { header, offsets, bodyBytes } = layoutBatch(rowCount, nodes, bufferBytes)
    if (this.#compression === 'none') this.#check(rowCount, header.length + bodyBytes)
    const body = new BatchBody(this.#pool.take(bodyBytes + OVERRUN_BYTES), offsets)
    for (const column of this.#columns) column.lay(body)
    for (const column of this.#columns) column.reset()
    this.#rowCount = this.#bytes = 0
    const plain = { header, body: body.finished(bufferBytes, bodyBytes), rowCount }
    return this.#compression === 'none' ? plain : this.#compressed(plain, nodes, offsets, bufferBytes)
  }

  #compressed(
    { body: plain, rowCount }: EncodedBatch, nodes: readonly BatchNode[], places: readonly number[],
    plainBytes: readonly number[],
  ): EncodedBatch {
    const buffers = plainBytes.map((bytes, i) =>
      compressed(plain.bytes.subarray(places[i], (places[i] ?? 0) + bytes), this.#compression))
    plain.release()
    const bufferBytes = buffers.map(({ length }) => length)
    const { header, offsets, bodyBytes } = layoutBatch(rowCount, nodes, bufferBytes, this.#compression)
    this.#check(rowCount, header.length + bodyBytes)
    const body = new BatchBody(this.#pool.take(bodyBytes), offsets)
    for (const buffer of buffers) body.bytes.set(buffer, body.place())
    return { header, body: body.finished(bufferBytes, bodyBytes), rowCount }
  }

  #check(rowCount: number, messageBytes: number): void {
    if (messageBytes <= MAX_MESSAGE_BYTES) return
    const what = `${rowCount} row${rowCount === 1 ? '' : 's'} of ${this.#columns.length} columns`
    throw new QueryError('RESULT_TOO_LARGE',
      `${what} make a message of ${messageBytes} bytes, the limit is ${MAX_MESSAGE_BYTES} bytes`)
  }

  /** Names the largest value of the row. */
  #tooLarge(row: number, bytes: number): QueryError {
    const sizes = this.#columns.map(column => column.measure(row, 1))
    const size = Math.max(...sizes)
    const name = this.#names[sizes.indexOf(size)] ?? ''
    return new QueryError('RESULT_TOO_LARGE', `a row of ${bytes} bytes, ${size} of them in column "${name}", `
      + `exceeds the limit of ${MAX_MESSAGE_BYTES} bytes a message`)
  }
}
