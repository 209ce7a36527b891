/** Answers that the coordinator gives itself, without an executor: of statements about the session, and small texts. */

import type { TableColumn } from '../../catalog/table.ts'
import { arrowSchemaMessage } from '../../proto/arrow-schema.ts'
import { smallTableMessages } from '../../proto/arrow-table.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'

/** A change that was made once for each of several rows of values. Bytes are of buckets, and of caches of them. */
export interface Repeated {
  readonly changedRows: bigint
  readonly bytesFetched: number
  readonly bytesCached: number
}

export interface Answer {
  readonly columns: readonly TableColumn[]
  /** Absent: none. */
  readonly bytes?: Omit<Repeated, 'changedRows'>
  /** As of a RunningQuery. */
  changedRows?(): bigint | null
  frames(): AsyncIterable<RawFlightData>
}

/** What DuckDB answers to SET, USE, BEGIN and their like: no rows. */
export const done: Answer = { ...noRows([{ name: 'Success', type: 'BOOLEAN' }]), changedRows: () => 0n }

export function noRows(columns: readonly TableColumn[]): Answer {
  return {
    columns,
    async *frames() {
      yield { dataHeader: arrowSchemaMessage(columns, 'text'), dataBody: new Uint8Array(0) }
    },
  }
}

/** What DuckDB answers to a change: how many rows. */
export function count({ changedRows: rows, ...bytes }: Repeated): Answer {
  const columns = [{ name: 'Count', type: 'BIGINT' }]
  return {
    columns, bytes,
    changedRows: () => rows,
    async *frames() {
      yield* noRows(columns).frames() // the schema as FlightInfo has it
      const column = { name: 'Count', kind: 'int64', nullable: true, values: [rows] } as const
      for await (const message of smallTableMessages([column])) {
        if (message.dataBody.length > 0) yield message
      }
    },
  }
}

/** Columns of text. */
export function texts(names: readonly string[], rows: readonly (readonly (string | null)[])[]): Answer {
  return {
    columns: names.map(name => ({ name, type: 'VARCHAR' })),
    frames: () => smallTableMessages(names.map((name, i) => ({
      name, kind: 'utf8' as const, nullable: true, values: rows.map(row => row[i] ?? null),
    }))),
  }
}
