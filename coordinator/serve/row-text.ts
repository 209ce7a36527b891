/**
 * The rows of a result as text: JSON arrays, JSON objects or CSV, one row a line. Batches are turned into text piece by
 * piece, so a result of any size costs the memory of one batch.
 */

import type { TableColumn } from '../../catalog/table.ts'
import { readBatch, readSchema, type Batch, type ResultSchema } from '../../proto/arrow.ts'
import { csvCell } from '../../proto/csv-text.ts'
import { unreachable } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { jsonReader } from '../../proto/json-value.ts'
import { textReader } from '../../proto/text-value.ts'
import type { TimeZone } from '../../proto/time-zone.ts'

/** Rows as JSON arrays, as JSON objects, or as comma-separated text with a line of names. */
export type RowStyle = 'arrays' | 'objects' | 'csv'

/** Characters of a piece: a few socket writes' worth, built in a millisecond or so. */
const PIECE_LENGTH = 64 * 1024

/** Pieces of whole lines. */
export async function* rowText(
  frames: AsyncIterable<RawFlightData>, columns: readonly TableColumn[], style: RowStyle, zone: TimeZone,
): AsyncGenerator<string> {
  let schema: ResultSchema | undefined
  for await (const frame of frames) {
    if (schema === undefined) {
      schema = readSchema(frame, columns.map(({ type }) => type))
      if (style === 'csv') yield `${columns.map(({ name }) => csvCell(name)).join(',')}\n`
    } else yield* batchText(readBatch(schema, frame), columns, style, zone)
  }
}

function* batchText(batch: Batch, columns: readonly TableColumn[], style: RowStyle, zone: TimeZone): Generator<string> {
  const { before, between, after, cells } = lineOf(batch, columns, style, zone)
  let piece = ''
  for (let row = 0; row < batch.rowCount; row++) {
    piece += before
    for (let i = 0; i < cells.length; i++) piece += i === 0 ? cells[i]?.(row) : between + cells[i]?.(row)
    piece += after
    if (piece.length >= PIECE_LENGTH) {
      yield piece
      piece = ''
    }
  }
  if (piece !== '') yield piece
}

interface Line {
  readonly before: string
  readonly between: string
  readonly after: string
  readonly cells: readonly ((row: number) => string)[]
}

function lineOf({ columns }: Batch, named: readonly TableColumn[], style: RowStyle, zone: TimeZone): Line {
  switch (style) {
    case 'arrays': {
      const cells = columns.map(column => jsonReader(column, 'natural', zone))
      return { before: '[', between: ',', after: ']\n', cells }
    }
    case 'objects': {
      const cells = columns.map((column, i) => {
        const key = `${JSON.stringify(named[i]?.name ?? '')}:`
        const value = jsonReader(column, 'natural', zone)
        return (row: number) => key + value(row)
      })
      return { before: '{', between: ',', after: '}\n', cells }
    }
    case 'csv': {
      const cells = columns.map(column => {
        const text = textReader(column, zone)
        return (row: number) => csvCell(text(row))
      })
      return { before: '', between: ',', after: '\n', cells }
    }
    default: return unreachable(style)
  }
}
