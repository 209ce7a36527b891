/**
 * Chunks of a result to Arrow record batches of about 1 MiB. A chunk that would make a batch too large is split by
 * rows, in the middle, again and again; a single row that is still too large is RESULT_TOO_LARGE.
 */

import { columnForm, type ResultColumn } from '../proto/arrow-schema.ts'
import { layoutBatch, type BatchNode } from '../proto/arrow-batch.ts'
import { QueryError } from '../proto/errors.ts'
import type { BodyPool, PooledBody } from './body-pool.ts'
import type { ColumnEncoder } from './column-encoder.ts'
import { memory, type DataChunk } from './instances.ts'
import { encoderFor } from './vector-reader.ts'

/** Larger ones gain nothing on the wire; gRPC copies each a few times. */
const BATCH_BYTES = 1024 * 1024
/** For results of one narrow column: bounds what a client must take at once. */
const BATCH_ROWS = 64 * 1024
/** Largest row: what clients accept in one message, and far from where 32-bit offsets end. */
const MAX_ROW_BYTES = 64 * 1024 * 1024

export interface EncodedBatch {
  readonly header: Uint8Array
  readonly body: PooledBody
  readonly rowCount: number
}

export class ArrowEncoder {
  readonly #columns: readonly ColumnEncoder[]
  readonly #pool: BodyPool
  #rowCount = 0
  #bytes = 0

  /** Columns by their declared types; chunks must have their forms (`hasForm`). */
  constructor(columns: readonly ResultColumn[], pool: BodyPool) {
    this.#columns = columns.map(({ type }) => encoderFor(columnForm(type)))
    this.#pool = pool
  }

  /** Takes a whole chunk; gives the batches that are full by it. */
  append(chunk: DataChunk, rowCount: number): EncodedBatch[] {
    const batches: EncodedBatch[] = []
    this.#columns.forEach((column, i) => column.begin(memory.column(chunk, i), rowCount))
    this.#appendRows(0, rowCount, batches)
    for (const column of this.#columns) column.end()
    return batches
  }

  /** The rows that no batch has taken yet. */
  finish(): EncodedBatch[] {
    return this.#rowCount === 0 ? [] : [this.#takeBatch()]
  }

  #appendRows(from: number, count: number, batches: EncodedBatch[]): void {
    const bytes = this.#columns.reduce((sum, column) => sum + column.measure(from, count), 0)
    const isFull = this.#bytes + bytes > BATCH_BYTES || this.#rowCount + count > BATCH_ROWS
    if (isFull && this.#rowCount > 0) batches.push(this.#takeBatch())
    if (bytes > BATCH_BYTES && count > 1) {
      const half = count >> 1
      this.#appendRows(from, half, batches)
      this.#appendRows(from + half, count - half, batches)
      return
    }
    if (bytes > MAX_ROW_BYTES) {
      throw new QueryError('RESULT_TOO_LARGE', `a row of ${bytes} bytes exceeds the limit of ${MAX_ROW_BYTES} bytes`)
    }
    for (const column of this.#columns) column.append(from, count)
    this.#rowCount += count
    this.#bytes += bytes
  }

  #takeBatch(): EncodedBatch {
    const nodes: BatchNode[] = []
    const buffers: Uint8Array[] = []
    for (const column of this.#columns) column.emit(nodes, buffers)
    const rowCount = this.#rowCount
    const { header, offsets, bodyBytes } = layoutBatch(rowCount, nodes, buffers.map(buffer => buffer.length))
    const body = this.#pool.take(bodyBytes)
    buffers.forEach((buffer, i) => {
      const from = offsets[i] ?? 0
      body.bytes.set(buffer, from)
      body.bytes.fill(0, from + buffer.length, offsets[i + 1] ?? bodyBytes)
    })
    for (const column of this.#columns) column.reset()
    this.#rowCount = this.#bytes = 0
    return { header, body, rowCount }
  }
}
