/**
 * Columns of data files, and for CSV and JSON the options that make every executor read them as they were read here:
 * what DuckDB finds out by looking into files depends on which of them it sees.
 *
 * Binding such a file reads it, so this has a DuckDB of its own, for one answer, fenced to the very files.
 */

import { access } from 'node:fs/promises'
import type { DescribedExample } from '../catalog/column-shapes.ts'
import type { FileDescription } from '../catalog/table-loader.ts'
import type { FileFormat, TableColumn } from '../catalog/table.ts'
import { QueryError, unreachable } from '../proto/errors.ts'
import { quoteText } from '../proto/sql-text.ts'
import { knownDuckType } from '../proto/types.ts'
import { Database, type Connection } from './duckdb.ts'
import { sampleValue } from './sample-value.ts'

export interface FilesToDescribe {
  readonly format: FileFormat
  /** Local files (of Parquet, a skeleton will do), all of one table. */
  readonly paths: readonly string[]
  /** Of the reader: SQL literals by name; they win over what is found. */
  readonly options: Readonly<Record<string, string>>
  /** True: CSV files are looked at one by one, for the names of their columns alone. */
  readonly each: boolean
}

/** Files looked into at most; the rest is trusted to be alike, and fails when it is read if it is not. */
const MAX_FILES = 32
const MEMORY_LIMIT = '256MB'

/** Rejects with DuckDB's message if a file is not of the format. */
export async function describeFiles({ format, paths, options, each }: FilesToDescribe): Promise<FileDescription> {
  const files = format === 'parquet' ? paths : paths.slice(0, MAX_FILES)
  await Promise.all(files.map(mustExist))
  const database = await Database.open({ directories: [], files }, { memory_limit: MEMORY_LIMIT })
  try {
    const connection = await database.connect()
    switch (format) {
      case 'parquet': return await describeParquet(connection, files, options)
      case 'csv': return await (each ? describeEach : describeCsv)(connection, files, options)
      case 'json': return await describeJson(connection, files, options)
      default: return unreachable(format)
    }
  } catch (cause) {
    throw new QueryError('FILE_CORRUPT', cause instanceof Error ? cause.message : String(cause), { cause })
  } finally {
    database.close()
  }
}

/** Every file by itself too, and which of its columns do not become the table's. */
async function describeParquet(
  connection: Connection, files: readonly string[], options: Readonly<Record<string, string>>,
): Promise<FileDescription> {
  const columns = await columnsOf(connection, call('read_parquet', files, { ...options, hive_partitioning: 'false' }))
  const wanted = new Map(columns.map(({ name, type }) => [name.toLowerCase(), type]))
  const examples: DescribedExample[] = []
  for (const file of files) {
    const own = files.length === 1
      ? columns : await columnsOf(connection, call('read_parquet', [file], { hive_partitioning: 'false' }))
    const refused: Record<string, string> = {}
    for (const { name, type } of own) {
      const to = wanted.get(name.toLowerCase())
      if (to === undefined || await becomes(connection, type, to)) continue
      refused[name.toLowerCase()] = `${type} does not become ${to}`
    }
    examples.push({ columns: own, refused })
  }
  return { columns, examples, readOptions: {} }
}

/** False if no value of the one type, but NULL, is one of the other. */
async function becomes(connection: Connection, from: string, to: string): Promise<boolean> {
  if (from === to) return true
  const type = knownDuckType(from)
  if (type === undefined) return true
  return connection.rows(`SELECT CAST(${sampleValue(type)} AS ${to})`).then(() => true, (error: unknown) =>
    error instanceof Error && CONVERSION.test(error.message) && !error.message.includes('Unimplemented type for cast'))
}

/** Of the very value, not of its type. */
const CONVERSION = /^Conversion Error/

/** Before DuckDB looks: to the fence a missing file is a forbidden one. */
async function mustExist(path: string): Promise<void> {
  await access(path).catch((cause: unknown) => { throw new QueryError('FILE_NOT_FOUND', `no file ${path}`, { cause }) })
}

/** What is found by them is in `columns`; a reader that is given columns refuses them. */
const columnOptions = [
  'types', 'names', 'all_varchar', 'auto_type_candidates', 'normalize_names', 'sample_size', 'files_to_sniff',
  'union_by_name', 'convert_strings_to_integers', 'field_appearance_threshold', 'map_inference_threshold',
  'maximum_depth', 'maximum_sample_files',
]

function pinned(
  options: Readonly<Record<string, string>>, columns: readonly TableColumn[],
): Readonly<Record<string, string>> {
  const kept = Object.entries(options).filter(([name]) => !columnOptions.includes(name))
  return { ...Object.fromEntries(kept), auto_detect: 'false', columns: columnList(columns) }
}

async function describeCsv(
  connection: Connection, files: readonly string[], options: Readonly<Record<string, string>>,
): Promise<FileDescription> {
  const dialect = options['auto_detect'] === 'false' ? {} : await sniff(connection, files[0] ?? '', options)
  const found = { ...dialect, ...options, hive_partitioning: 'false' }
  const columns = await columnsOf(connection, call('read_csv', files, found))
  const readOptions = pinned({ ...dialect, ...options }, columns)
  return { columns, examples: [], readOptions }
}

/** Names alone: every type is VARCHAR. */
async function describeEach(
  connection: Connection, files: readonly string[], options: Readonly<Record<string, string>>,
): Promise<FileDescription> {
  const { types: _, ...dialect } = options
  const examples: DescribedExample[] = []
  for (const file of files) {
    const found = { ...dialect, header: 'true', all_varchar: 'true', hive_partitioning: 'false' }
    examples.push({ columns: await columnsOf(connection, call('read_csv', [file], found)), refused: {} })
  }
  return { columns: [], examples, readOptions: {} }
}

/** What the reader would find out in each file anew, and not always alike. */
async function sniff(
  connection: Connection, file: string, options: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  // the sniffer refuses columns of other types than it would choose, which the reader takes
  const { union_by_name: _union, columns: _columns, types: _types, ...sniffed } = options
  const [row] = await connection.rows(
    `SELECT Delimiter, Quote, Escape, Comment, SkipRows, HasHeader, DateFormat, TimestampFormat
     FROM sniff_csv(${[quoteText(file), ...named(sniffed)].join(', ')})`)
  const [delimiter, quote, escape, comment, skip, header, dateFormat, timestampFormat] =
    (row ?? []).map(cell => cell ?? '')
  return {
    delim: character(delimiter), comment: character(comment),
    // none in the rows looked at does not mean none
    quote: character(quote === NONE ? '"' : quote), escape: character(quote === NONE ? '"' : escape),
    skip: String(skip), header: String(header),
    ...(dateFormat === '' ? {} : { dateformat: quoteText(String(dateFormat)) }),
    ...(timestampFormat === '' ? {} : { timestampformat: quoteText(String(timestampFormat)) }),
  }
}

/** The first that reads the files, in this order: a file of an array is also one odd line. */
const jsonFormats = ['array', 'newline_delimited', 'unstructured'] as const

async function describeJson(
  connection: Connection, files: readonly string[], options: Readonly<Record<string, string>>,
): Promise<FileDescription> {
  const given = options['format'] === quoteText('auto') ? undefined : options['format']
  const formats = given === undefined ? jsonFormats.map(quoteText) : [given]
  let failure: unknown
  for (const format of formats) {
    try {
      const found = { ...options, format }
      const columns = await columnsOf(connection, call('read_json', files, { ...found, hive_partitioning: 'false' }))
      return { columns, examples: [], readOptions: pinned(found, columns) }
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
