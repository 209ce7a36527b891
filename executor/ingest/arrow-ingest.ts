/**
 * A stream of Arrow messages from a client into a table of DuckDB. Nothing of a message reaches DuckDB, or a library,
 * before all of it is checked; what is refused is INVALID_REQUEST with column and reason, and leaves nothing behind.
 *
 *   schema ──▶ columns        dictionary ──▶ kept        record batch ──▶ rows ──▶ vectors of at most 2048
 */

import type { ResultColumn } from '../../proto/arrow-schema.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { quoteName } from '../../proto/sql-text.ts'
import { typeText } from '../../proto/types.ts'
import { VECTOR_ROWS, type ChunkAppender, type DuckConnection } from '../instances.ts'
import { readMessage } from './arrow-message.ts'
import { BufferReader } from './buffer-reader.ts'
import { columnReader, type ColumnReader } from './column-reader.ts'
import { Dictionaries } from './dictionaries.ts'
import type { IngestRows } from './ingest-rows.ts'
import { checkNames } from './nested-reader.ts'
import { refuse } from './refusal.ts'

/** Of a row in vectors: DuckDB makes them for 2048 rows at once, whatever comes. */
const MAX_ROW_BYTES = 64 * 1024
/** A chunk is made of fewer rows rather than of more bytes. */
const CHUNK_BYTES = 16 * 1024 * 1024
/** One row in vectors, with its strings and lists. */
const MAX_VALUE_BYTES = 512 * 1024 * 1024
/** What an appender has gathered is in no budget of DuckDB until it is flushed. */
const FLUSH_BYTES = 16 * 1024 * 1024

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

/**
 * Makes a temporary table of that name on the connection and fills it; the rows that it has then. In a transaction of
 * its own: after a failure there is no table. DuckDB works on this thread, so others get their turn between batches.
 */
export async function ingestTable(
  connection: DuckConnection, table: string, messages: AsyncIterable<RawFlightData>,
): Promise<{ readonly columns: readonly ResultColumn[]; readonly rowCount: number }> {
  let ingest: ArrowIngest | null = null
  let appender: ChunkAppender | null = null
  let rowCount = 0
  await connection.run('BEGIN TRANSACTION')
  try {
    for await (const message of messages) {
      if (ingest === null) {
        ingest = new ArrowIngest(message.dataHeader)
        await connection.run(tableSql(table, ingest.columns))
        appender = connection.appender(table)
        continue
      }
      const batch = ingest.take(message)
      if (batch === null || appender === null) continue
      appendBatch(appender, batch)
      rowCount += batch.rowCount
    }
    if (ingest === null || appender === null) return refuse('', 'no message came')
    appender.close()
    appender = null
    await connection.run('COMMIT')
    return { columns: ingest.columns, rowCount }
  } catch (error) {
    appender?.abandon()
    await connection.run('ROLLBACK')
    throw error
  }
}

export function tableSql(table: string, columns: readonly ResultColumn[]): string {
  return `CREATE TEMP TABLE ${quoteName(table)} (${
    columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ')})`
}

export function appendBatch(appender: ChunkAppender, { rowCount, columns }: IngestBatch): void {
  let gathered = 0
  for (let from = 0; from < rowCount;) {
    const count = rowsOfChunk(columns, from, Math.min(VECTOR_ROWS, rowCount - from))
    appender.append(count, vector => columns.forEach((column, i) => column.write(vector(i), from, count, null)))
    gathered += measure(columns, from, count)
    from += count
    if (gathered < FLUSH_BYTES) continue
    appender.flush()
    gathered = 0
  }
}

function rowsOfChunk(columns: readonly IngestRows[], from: number, most: number): number {
  let count = most
  while (count > 1 && measure(columns, from, count) > CHUNK_BYTES) count >>= 1
  const bytes = count === 1 ? measure(columns, from, 1) : 0
  if (bytes > MAX_VALUE_BYTES) refuse('', `row ${from} takes ${bytes} bytes, the limit is ${MAX_VALUE_BYTES} bytes`)
  return count
}

function measure(columns: readonly IngestRows[], from: number, count: number): number {
  return columns.reduce((sum, column) => sum + column.measure(from, count), 0)
}

/** Values are read as words, which must start at a multiple of 8 in memory. */
function aligned(body: Uint8Array): Uint8Array {
  return body.byteOffset % 8 === 0 ? body : Uint8Array.from(body)
}
