/** The rows of a query as they arrive, in the forms the command line prints: table, json, csv, arrow. */

import { END_OF_STREAM, encapsulate } from '../proto/arrow-stream.ts'
import { TYPE_METADATA } from '../proto/arrow-schema.ts'
import { readBatch, readSchema, type Column } from '../proto/arrow.ts'
import { csvCell } from '../proto/csv-text.ts'
import { QueryError, unreachable } from '../proto/errors.ts'
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

export interface Answer {
  readonly frames: AsyncIterable<RawFlightData>
  readonly zone: TimeZone
  /** Asked once all rows have come; only JSON prints it. */
  readonly stats: () => Promise<object>
}

export function writeAnswer(format: Format, answer: Answer, write: Write): Promise<void> {
  switch (format) {
    case 'table': return writeTable(answer, write)
    case 'json': return writeJson(answer, write)
    case 'csv': return writeCsv(answer, write)
    case 'arrow': return writeArrow(answer, write)
    default: return unreachable(format)
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
    await onColumns(schema.fields.map(({ name, type, metadata }) => (
      { name, type: metadata.get(TYPE_METADATA) ?? String(type) }
    )))
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const { columns, rowCount } = readBatch(schema, next.value)
      await onBatch(columns, rowCount)
    }
  } finally {
    await iterator.return?.()
  }
}

async function writeTable({ frames, zone }: Answer, write: Write): Promise<void> {
  let names: readonly AnswerColumn[] = []
  const rows: (string | null)[][] = []
  let total = 0
  await read(frames, async columns => { names = columns }, async (columns, rowCount) => {
    const readers = columns.map(column => textReader(column, zone))
    const shown = Math.min(rowCount, MAX_TABLE_ROWS - rows.length)
    for (let row = 0; row < shown; row++) rows.push(readers.map(reader => reader(row)))
    total += rowCount
  })
  if (isDone(names) && total === 0) return write('OK\n')
  if (isExplanation(names)) return write(rows.map(([, text]) => `${text ?? ''}\n`).join(''))
  await write(formatTable(names.map(column => column.name), rows, names.map(column => isNumeric(column.type))))
  const left = total > rows.length ? `, the first ${rows.length} shown` : ''
  await write(`(${total} row${total === 1 ? '' : 's'}${left})\n`)
}

/** SET, USE, BEGIN and their like have a column and no row. */
function isDone(columns: readonly AnswerColumn[]): boolean {
  return columns.length === 1 && columns[0]?.name === 'Success' && columns[0].type === 'BOOLEAN'
}

/** The lines of EXPLAIN are a text, not a cell. */
function isExplanation(columns: readonly AnswerColumn[]): boolean {
  return columns.map(({ name }) => name).join(' ') === 'explain_key explain_value'
}

function isNumeric(type: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL.*|FLOAT|DOUBLE|BIGNUM)$/.test(type)
}

async function writeJson({ frames, zone, stats }: Answer, write: Write): Promise<void> {
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

async function writeCsv({ frames, zone }: Answer, write: Write): Promise<void> {
  await read(frames, columns => write(csvLine(columns.map(({ name }) => name))), async (columns, rowCount) => {
    const readers = columns.map(column => textReader(column, zone))
    let piece = ''
    for (let row = 0; row < rowCount; row++) piece += csvLine(readers.map(reader => reader(row)))
    await write(piece)
  })
}

function csvLine(cells: readonly (string | null)[]): string {
  return `${cells.map(csvCell).join(',')}\n`
}

async function writeArrow({ frames }: Answer, write: Write): Promise<void> {
  for await (const frame of frames) for (const piece of encapsulate(frame)) await write(piece)
  await write(END_OF_STREAM)
}
