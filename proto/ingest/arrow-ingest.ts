/**
 * A stream of Arrow messages from a stranger, into rows that are checked to the last value, before any library sees
 * them. What is refused is INVALID_REQUEST with column and reason.
 *
 *   schema ──▶ columns        dictionary ──▶ kept        record batch ──▶ rows
 */

import type { ResultColumn } from '../arrow-schema.ts'
import type { RawFlightData } from '../flight-data.ts'
import { typeText } from '../types.ts'
import { readMessage } from './arrow-message.ts'
import { BufferReader } from './buffer-reader.ts'
import { columnReader, type ColumnReader } from './column-reader.ts'
import { Dictionaries } from './dictionaries.ts'
import type { IngestRows } from './ingest-rows.ts'
import { checkNames } from './nested-reader.ts'
import { refuse } from './refusal.ts'

/** Of a row in vectors: DuckDB makes them for 2048 rows at once, whatever comes. */
const MAX_ROW_BYTES = 64 * 1024

export interface IngestBatch {
  readonly rowCount: number
  readonly columns: readonly IngestRows[]
}

export class ArrowIngest {
  readonly #readers: readonly ColumnReader[]
  readonly #dictionaries: Dictionaries
  /** Names and DuckDB types, in the order of the schema. */
  readonly columns: readonly ResultColumn[]

  /** `header`: of the stream's first message, which must be a schema. */
  constructor(header: Uint8Array) {
    const message = readMessage(header)
    if (message.kind !== 'schema') refuse('', 'the first message must be a schema')
    const { fields } = message
    if (fields.length === 0) refuse('', 'a schema without columns')
    checkNames('', fields)
    this.#readers = fields.map(columnReader)
    const rowBytes = this.#readers.reduce((sum, reader) => sum + reader.rowBytes, 0)
    if (rowBytes > MAX_ROW_BYTES) refuse('', `rows of ${rowBytes} bytes, the limit is ${MAX_ROW_BYTES} bytes`)
    this.#dictionaries = new Dictionaries(fields)
    this.columns = this.#readers.map(({ type }, i) => ({ name: fields[i]?.name ?? '', type: typeText(type) }))
  }

  /** A later message: its rows, or null if it has none. */
  take({ dataHeader, dataBody }: RawFlightData): IngestBatch | null {
    const message = readMessage(dataHeader)
    if (message.bodyBytes > dataBody.length) refuse('', `a body of ${dataBody.length} bytes, not ${message.bodyBytes}`)
    const body = aligned(dataBody.subarray(0, message.bodyBytes))
    switch (message.kind) {
      case 'schema': return refuse('', 'a second schema')
      case 'dictionary':
        this.#dictionaries.take(message.id, message.batch, body)
        return null
      case 'batch': {
        const { rowCount } = message.batch
        const buffers = new BufferReader(message.batch, body)
        const bounds = { least: rowCount, most: rowCount }
        const columns = this.#readers.map(reader => reader.read(buffers, bounds, this.#dictionaries.values))
        buffers.end()
        return { rowCount, columns }
      }
    }
  }
}

/** Values are read as words, which must start at a multiple of 8 in memory. */
function aligned(body: Uint8Array): Uint8Array {
  return body.byteOffset % 8 === 0 ? body : Uint8Array.from(body)
}
