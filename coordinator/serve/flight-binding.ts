/**
 * Values of parameters as a client uploads them: the Arrow messages of one DoPut, checked, and the values of each row
 * as literals of SQL. Named parameters take the columns of their names, others the columns in their order.
 */

import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { ArrowIngest, type IngestBatch } from '../../proto/ingest/arrow-ingest.ts'
import { readMessage } from '../../proto/ingest/arrow-message.ts'
import { NullRows } from '../../proto/ingest/ingest-rows.ts'
import { parseDuckType } from '../../proto/types.ts'
import { valueSql } from '../bound-value.ts'

/** Of one binding, as it was sent: it stays in memory until it is used. More rows are loaded, not bound. */
const MAX_BYTES = 64 * 1024 * 1024
/** Of its values, which may be many times what was sent: dictionaries and views show the same bytes again. */
const MAX_VALUE_BYTES = 256 * 1024 * 1024

/** Arrow's null. */
const UNTYPED = '"NULL"'

export class Binding {
  readonly #ingest: ArrowIngest
  readonly #batches: readonly IngestBatch[]
  readonly rowCount: number

  constructor(ingest: ArrowIngest, batches: readonly IngestBatch[]) {
    this.#ingest = ingest
    this.#batches = batches
    this.rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0)
  }

  get columnCount(): number {
    return this.#ingest.columns.length
  }

  /** The SQL of each row's values by the parameter's name. Throws INVALID_REQUEST if there are too few, or many. */
  *rows(parameters: readonly string[]): Generator<ReadonlyMap<string, string>> {
    const columns = this.#ingest.columns.map(({ type }) => parseDuckType(type))
    const places = this.#places(parameters)
    for (const batch of this.#batches) {
      for (let row = 0; row < batch.rowCount; row++) {
        yield new Map(places.map((place, i) => {
          const [type, rows] = [columns[place], batch.columns[place]]
          if (type === undefined || rows === undefined) throw new Error(`no column ${place}`)
          return [parameters[i] ?? '', valueSql(type, rows, row)]
        }))
      }
    }
  }

  /**
   * Of each parameter its first value, for what is decided before any row runs; a NULL of their type if all are: DuckDB
   * leaves out what is done with a NULL.
   */
  sample(parameters: readonly string[]): ReadonlyMap<string, string> {
    return new Map(this.#places(parameters).map((place, i) => [parameters[i] ?? '', this.#firstValue(place)]))
  }

  #firstValue(place: number): string {
    const { type } = this.#ingest.columns[place] ?? { type: UNTYPED }
    for (const { columns: { [place]: rows }, rowCount } of this.#batches) {
      if (rows === undefined || rows instanceof NullRows) continue
      for (let row = 0; row < rowCount; row++) if (!rows.isNull(row)) return valueSql(parseDuckType(type), rows, row)
    }
    // a text fits where any type does, as its literal would
    return type === UNTYPED || type === 'VARCHAR' ? 'NULL' : `CAST(NULL AS ${type})`
  }

  /** Of each parameter its column. */
  #places(parameters: readonly string[]): readonly number[] {
    const names = this.#ingest.columns.map(({ name }) => name.toLowerCase().replace(/^\$/, ''))
    if (names.length !== parameters.length) {
      throw new QueryError('INVALID_REQUEST',
        `${names.length} values are bound to a statement with ${parameters.length} parameters`)
    }
    const byName = parameters.map(name => names.indexOf(name))
    return byName.every(place => place >= 0) ? byName : parameters.map((_, i) => i)
  }
}

/**
 * null: nothing is bound, as the client has sent no schema, or one without columns, as JDBC does. Throws
 * INVALID_REQUEST for what is no Arrow.
 */
export async function readBinding(messages: AsyncIterable<RawFlightData>): Promise<Binding | null> {
  let ingest: ArrowIngest | null = null
  const batches: IngestBatch[] = []
  let [bytes, valueBytes] = [0, 0]
  for await (const message of messages) {
    const { dataHeader, dataBody } = message
    if (dataHeader.length === 0) continue
    bytes += dataHeader.length + dataBody.length
    if (bytes > MAX_BYTES) throw new QueryError('RESULT_TOO_LARGE', `more than ${MAX_BYTES} bytes of bound values`)
    if (ingest === null) {
      if (isWithoutColumns(dataHeader)) return null
      ingest = new ArrowIngest(dataHeader)
      continue
    }
    const batch = ingest.take(message)
    if (batch === null) continue
    valueBytes += batch.columns.reduce((sum, column) => sum + column.measure(0, batch.rowCount), 0)
    if (valueBytes > MAX_VALUE_BYTES) {
      throw new QueryError('RESULT_TOO_LARGE', `bound values of more than ${MAX_VALUE_BYTES} bytes`)
    }
    batches.push(batch)
  }
  return ingest === null ? null : new Binding(ingest, batches)
}

function isWithoutColumns(header: Uint8Array): boolean {
  const message = readMessage(header)
  return message.kind === 'schema' && message.fields.length === 0
}
