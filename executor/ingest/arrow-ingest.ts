/**
 * A stream of Arrow messages from a client into a table of DuckDB. Nothing of a message reaches DuckDB before all of
 * it is checked (proto/ingest); what is refused leaves nothing behind.
 */

import type { ResultColumn } from '../../proto/arrow-schema.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { ArrowIngest, type IngestBatch } from '../../proto/ingest/arrow-ingest.ts'
import type { IngestRows } from '../../proto/ingest/ingest-rows.ts'
import { refuse } from '../../proto/ingest/refusal.ts'
import { quoteName } from '../../proto/sql-text.ts'
import { NativeVector, VECTOR_ROWS, type ChunkAppender, type DuckConnection } from '../instances.ts'

/** A chunk is made of fewer rows rather than of more bytes. */
const CHUNK_BYTES = 16 * 1024 * 1024
/** One row in vectors, with its strings and lists. */
const MAX_VALUE_BYTES = 512 * 1024 * 1024
/** What an appender has gathered is in no budget of DuckDB until it is flushed. */
const FLUSH_BYTES = 16 * 1024 * 1024

/**
 * Makes a temporary table of that name on the connection and fills it; the rows that it has then. In a transaction of
 * its own: after a failure there is no table. DuckDB works on this thread, so others get their turn between batches.
 */
export async function ingestTable(
  connection: DuckConnection, table: string, messages: AsyncIterable<RawFlightData>,
): Promise<{ readonly columns: readonly ResultColumn[]; readonly rowCount: number }> {
  await connection.run('BEGIN TRANSACTION')
  try {
    const filled = await fill(connection, table, messages)
    await connection.run('COMMIT')
    return filled
  } catch (error) {
    await connection.run('ROLLBACK')
    throw error
  }
}

/** Without a transaction of its own: what a failure leaves is the caller's. */
async function fill(
  connection: DuckConnection, table: string, messages: AsyncIterable<RawFlightData>,
): Promise<{ readonly columns: readonly ResultColumn[]; readonly rowCount: number }> {
  let ingest: ArrowIngest | null = null
  let appender: ChunkAppender | null = null
  let rowCount = 0
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
    return { columns: ingest.columns, rowCount }
  } finally {
    appender?.abandon()
  }
}

export interface IngestTarget {
  /** Catalog, schema and table. */
  readonly place: readonly string[]
  /** Statements that make the table ready, given its columns as SQL. */
  readonly prepare: (columns: string) => readonly string[]
}

/** No name that anybody would choose. */
const STAGING = 'skein ingest'

/**
 * Rows go to a table of the session by their columns' names; how many. The caller has a transaction, and what a failure
 * leaves is its own.
 */
export async function ingestInto(
  connection: DuckConnection, { place, prepare }: IngestTarget, messages: AsyncIterable<RawFlightData>,
): Promise<number> {
  const { columns, rowCount } = await fill(connection, STAGING, messages)
  const list = columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ')
  const target = place.map(quoteName).join('.')
  for (const sql of prepare(list)) await connection.run(sql)
  await connection.run(`INSERT INTO ${target} BY NAME SELECT * FROM temp.main.${quoteName(STAGING)}`)
  await connection.run(`DROP TABLE temp.main.${quoteName(STAGING)}`)
  return rowCount
}

export function tableSql(table: string, columns: readonly ResultColumn[]): string {
  return `CREATE TEMP TABLE ${quoteName(table)} (${
    columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ')})`
}

export function appendBatch(appender: ChunkAppender, { rowCount, columns }: IngestBatch): void {
  let gathered = 0
  for (let from = 0; from < rowCount;) {
    const count = rowsOfChunk(columns, from, Math.min(VECTOR_ROWS, rowCount - from))
    appender.append(count, vector => {
      columns.forEach((column, i) => column.write(new NativeVector(vector(i)), from, count, null))
    })
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
