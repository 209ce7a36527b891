/** The rows of a query as they arrive, in the forms the command line prints: table, json, csv, arrow. */

import { END_OF_STREAM, encapsulate } from '../proto/arrow-stream.ts'
import { TYPE_METADATA } from '../proto/arrow-schema.ts'
import { readBatch, readSchema, type Column } from '../proto/arrow.ts'
import { QueryError } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import { jsonReader } from '../proto/json-value.ts'
import { textReader } from '../proto/text-value.ts'
import type { TimeZone } from '../proto/time-zone.ts'
import { formatTable } from './table.ts'

export type Format = 'table' | 'json' | 'csv' | 'arrow'

/** A table is kept until its widths are known; a person does not read more rows than these, and is told so. */
const MAX_TABLE_ROWS = 10_000

export interface AnswerColumn {
  readonly name: string
  readonly type: string
}

/** What a writer puts out: pieces of text or bytes, in order. */
export type Write = (piece: string | Uint8Array) => Promise<void>

export function formatOf(word: string | undefined): Format {
  switch (word) {
    case undefined: return 'table'
    case 'table': case 'json': case 'csv': case 'arrow': return word
    default: throw new QueryError('INVALID_REQUEST', `--format takes table, json, csv or arrow, not '${word}'`)
  }
}

/** `stats` is asked once all rows have come; only JSON prints it. */
export async function writeAnswer(
  format: Format, frames: AsyncIterable<RawFlightData>, zone: TimeZone, stats: () => Promise<object>, write: Write,
): Promise<void> {
  switch (format) {
    case 'table': return writeTable(frames, zone, write)
    case 'json': return writeJson(frames, zone, stats, write)
    case 'csv': return writeCsv(frames, zone, write)
    default: return writeArrow(frames, write)
  }
}

/** Calls back with the columns once, then with every batch's columns of values. */
async function read(
  frames: AsyncIterable<RawFlightData>, onColumns: (columns: readonly AnswerColumn[]) => Promise<void>,
  onBatch: (columns: readonly Column[], rowCount: number) => Promise<void>,
): Promise<void> {
  const iterator = frames[Symbol.asyncIterator]()
  try {
    const first = await iterator.next()
    if (first.done === true) throw new QueryError('UNAVAILABLE', 'the result has no schema')
    const schema = readSchema(first.value)
    await onColumns(schema.fields.map(field => ({ name: field.name, type: field.metadata.get(TYPE_METADATA) ?? String(field.type) })))
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const { columns, rowCount } = readBatch(schema, next.value)
      await onBatch(columns, rowCount)
    }
  } finally {
    await iterator.return?.()
  }
}

async function writeTable(frames: AsyncIterable<RawFlightData>, zone: TimeZone, write: Write): Promise<void> {
  let names: readonly AnswerColumn[] = []
  const rows: (string | null)[][] = []
  let total = 0
  await read(frames, async columns => { names = columns }, async (columns, rowCount) => {
    const readers = columns.map(column => textReader(column, zone))
    for (let row = 0; row < rowCount && rows.length < MAX_TABLE_ROWS; row++) rows.push(readers.map(reader => reader(row)))
    total += rowCount
  })
  await write(formatTable(names.map(column => column.name), rows, names.map(column => isNumeric(column.type))))
  await write(total > rows.length ? `(${total} rows, the first ${rows.length} shown)\n` : `(${total} row${total === 1 ? '' : 's'})\n`)
}

function isNumeric(type: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL.*|FLOAT|DOUBLE|BIGNUM)$/.test(type)
}

async function writeJson(frames: AsyncIterable<RawFlightData>, zone: TimeZone, stats: () => Promise<object>, write: Write): Promise<void> {
  let separator = ''
  await read(frames, columns => write(`{"columns":${JSON.stringify(columns)},"rows":[`), async (columns, rowCount) => {
    const readers = columns.map(column => jsonReader(column, 'exact', zone))
    let piece = ''
    for (let row = 0; row < rowCount; row++) {
      piece += `${separator}[${readers.map(reader => reader(row)).join(',')}]`
      separator = ','
    }
    await write(piece)
  })
  await write(`],"stats":${JSON.stringify(await stats())}}\n`)
}

async function writeCsv(frames: AsyncIterable<RawFlightData>, zone: TimeZone, write: Write): Promise<void> {
  await read(frames, columns => write(`${columns.map(column => csvCell(column.name)).join(',')}\n`), async (columns, rowCount) => {
    const readers = columns.map(column => textReader(column, zone))
    let piece = ''
    for (let row = 0; row < rowCount; row++) piece += `${readers.map(reader => csvCell(reader(row))).join(',')}\n`
    await write(piece)
  })
}

/** NULL is nothing, an empty text is `""`, so that the two can be told apart. */
function csvCell(text: string | null): string {
  if (text === null) return ''
  return text === '' || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

async function writeArrow(frames: AsyncIterable<RawFlightData>, write: Write): Promise<void> {
  for await (const frame of frames) for (const piece of encapsulate(frame)) await write(piece)
  await write(END_OF_STREAM)
}
