/** Arrow messages into tables of a DuckDB instance, and what stands in them. */

import type { Test } from 'tap'
import { ArrowEncoder } from '../../executor/arrow-encoder.ts'
import { BodyPool } from '../../proto/body-pool.ts'
import { ingestTable } from '../../executor/ingest/arrow-ingest.ts'
import { DuckInstance, type DuckConnection } from '../../executor/instances.ts'
import { arrowSchemaMessage, type ResultColumn } from '../../proto/arrow-schema.ts'
import { readStream } from '../../proto/arrow-stream.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'

export async function openConnection(t: Test): Promise<DuckConnection> {
  const instance = await DuckInstance.open({ threads: '1', memory_limit: '1GB' })
  const connection = await instance.connect()
  t.teardown(() => { connection.close(); instance.close() })
  return connection
}

export async function* each(messages: readonly RawFlightData[]): AsyncGenerator<RawFlightData> {
  yield* messages
}

/** The messages of an IPC stream. */
export async function messagesOf(stream: Uint8Array): Promise<RawFlightData[]> {
  const messages: RawFlightData[] = []
  for await (const message of readStream(once(stream))) messages.push(message)
  return messages
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

export function ingest(connection: DuckConnection, table: string, messages: readonly RawFlightData[]) {
  return ingestTable(connection, table, each(messages))
}

/** All rows of a query of one column, as texts. */
export async function column(connection: DuckConnection, sql: string): Promise<(string | null)[]> {
  const rows = await connection.texts(sql, [0])
  return rows.map(([value = null]) => value)
}

/** The rows of `table` as Arrow, by the encoder of results. */
export async function encoded(
  connection: DuckConnection, table: string, columns: readonly ResultColumn[],
): Promise<RawFlightData[]> {
  const messages: RawFlightData[] = [{ dataHeader: arrowSchemaMessage(columns), dataBody: new Uint8Array(0) }]
  const encoder = new ArrowEncoder(columns, new BodyPool())
  const prepared = await connection.prepare(`FROM ${table}`)
  const stream = await prepared.stream()
  for (let next = await stream.next(); next !== null; next = await stream.next()) {
    for (const { header, body } of encoder.append(next.chunk, next.rowCount)) {
      messages.push({ dataHeader: header, dataBody: body.bytes })
    }
  }
  for (const { header, body } of encoder.finish()) messages.push({ dataHeader: header, dataBody: body.bytes })
  prepared.close()
  return messages
}
