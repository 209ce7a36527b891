/**
 * Columns of data files, and for CSV and JSON the options that make every executor read them as they were read here:
 * what DuckDB finds out by looking into files depends on which of them it sees.
 *
 * Binding such a file reads it, so this has a DuckDB of its own, for one answer, fenced to the very files.
 */

import { access } from 'node:fs/promises'
import type { FileDescription } from '../catalog/table-loader.ts'
import type { FileFormat, TableColumn } from '../catalog/table.ts'
import { QueryError, unreachable } from '../proto/errors.ts'
import { quoteText } from '../proto/sql-text.ts'
import { Database, type Connection } from './duckdb.ts'

export interface FilesToDescribe {
  readonly format: FileFormat
  /** Local files (of Parquet, a skeleton will do), all of one table. */
  readonly paths: readonly string[]
  /** Of read_csv or read_json: SQL literals by name; they win over what is found. */
  readonly options: Readonly<Record<string, string>>
}

/** Files looked into at most; the rest is trusted to be alike, and fails when it is read if it is not. */
const MAX_FILES = 32
const MEMORY_LIMIT = '256MB'

/** Rejects with DuckDB's message if a file is not of the format. */
export async function describeFiles({ format, paths, options }: FilesToDescribe): Promise<FileDescription> {
  const files = paths.slice(0, MAX_FILES)
  await Promise.all(files.map(mustExist))
  const database = await Database.open({ directories: [], files }, { memory_limit: MEMORY_LIMIT })
  try {
    const connection = await database.connect()
    switch (format) {
      case 'parquet': return { columns: await columnsOf(connection, call('read_parquet', files, {})), readOptions: {} }
      case 'csv': return await describeCsv(connection, files, options)
      case 'json': return await describeJson(connection, files, options)
      default: return unreachable(format)
    }
  } catch (cause) {
    throw new QueryError('FILE_CORRUPT', cause instanceof Error ? cause.message : String(cause), { cause })
  } finally {
    database.close()
  }
}

/** Before DuckDB looks: to the fence a missing file is a forbidden one. */
async function mustExist(path: string): Promise<void> {
  await access(path).catch((cause: unknown) => { throw new QueryError('FILE_NOT_FOUND', `no file ${path}`, { cause }) })
}

async function describeCsv(
  connection: Connection, files: readonly string[], options: Readonly<Record<string, string>>,
): Promise<FileDescription> {
  const [row] = await connection.rows(
    `SELECT Delimiter, Quote, Escape, Comment, SkipRows, HasHeader, DateFormat, TimestampFormat
     FROM sniff_csv(${[quoteText(files[0] ?? ''), ...named(options)].join(', ')})`)
  const [delimiter, quote, escape, comment, skip, header, dateFormat, timestampFormat] =
    (row ?? []).map(cell => cell ?? '')
  const found: Record<string, string> = {
    delim: character(delimiter), comment: character(comment),
    // none in the rows looked at does not mean none
    quote: character(quote === NONE ? '"' : quote), escape: character(quote === NONE ? '"' : escape),
    skip: String(skip), header: String(header),
    ...(dateFormat === '' ? {} : { dateformat: quoteText(String(dateFormat)) }),
    ...(timestampFormat === '' ? {} : { timestampformat: quoteText(String(timestampFormat)) }),
    ...options,
  }
  const columns = await columnsOf(connection, call('read_csv', files, { ...found, hive_partitioning: 'false' }))
  return { columns, readOptions: { auto_detect: 'false', ...found, columns: columnList(columns) } }
}

/** The first that reads the files, in this order: a file of an array is also one odd line. */
const jsonFormats = ['array', 'newline_delimited', 'unstructured'] as const

async function describeJson(
  connection: Connection, files: readonly string[], options: Readonly<Record<string, string>>,
): Promise<FileDescription> {
  const formats = options['format'] === undefined ? jsonFormats.map(quoteText) : [options['format']]
  let failure: unknown
  for (const format of formats) {
    try {
      const found = { ...options, format }
      const columns = await columnsOf(connection, call('read_json', files, { ...found, hive_partitioning: 'false' }))
      return { columns, readOptions: { auto_detect: 'false', ...found, columns: columnList(columns) } }
    } catch (thrown) {
      failure = thrown
    }
  }
  throw failure
}

async function columnsOf(connection: Connection, relation: string): Promise<TableColumn[]> {
  const rows = await connection.rows(`DESCRIBE SELECT * FROM ${relation}`)
  return rows.map(([name, type]) => ({ name: String(name), type: String(type) }))
}

function call(name: string, files: readonly string[], options: Readonly<Record<string, string>>): string {
  return `${name}(${[`[${files.map(quoteText).join(', ')}]`, ...named(options)].join(', ')})`
}

function named(options: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(options).map(([name, value]) => `${name} = ${value}`)
}

/** The sniffer's word for no character. */
const NONE = '(empty)'

function character(value: unknown): string {
  return quoteText(value === NONE ? '' : String(value))
}

function columnList(columns: readonly TableColumn[]): string {
  return `{${columns.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`).join(', ')}}`
}
