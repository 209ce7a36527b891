/**
 * Tables in the configuration: a pattern of keys, or a mapping with the pattern as `path` and what tells how its files
 * are read.
 *
 *   orders: "orders/*.parquet"
 *   lines:  { path: "lines/*.csv", file_format: csv, csv: { delimiter: ";", columns: { id: BIGINT, day: DATE } } }
 *
 * What is left out DuckDB finds in the files. `columns` are all columns of the files, `types` some of them.
 */

import { z } from 'zod'
import { quoteName, quoteText, quoteTexts } from './sql-text.ts'
import { knownDuckType } from './types.ts'

export type TableFormat = 'parquet' | 'csv' | 'json'

export interface TableConfig {
  /** A glob inside the bucket. */
  readonly path: string
  readonly fileFormat: TableFormat
  /** Where the columns of its files differ: true, null: those of all of them; false: those of the first file. */
  readonly unionByName: boolean | null
  /** Whether `key=value` folders, which all of its files must have, are columns. */
  readonly hivePartitioning: boolean
  /** Options of read_csv or read_json: SQL literals by DuckDB's names. */
  readonly read: Readonly<Record<string, string>>
}

const text = z.string('must be a text').min(1, 'must not be empty')
const flag = z.union(
  [z.boolean(), z.enum(['true', 'false']).transform(value => value === 'true')], 'must be true or false',
)
const count = z.int('must be a whole number').min(0, 'must not be below 0')
const character = z.string('must be one character').refine(value => [...value].length <= 1, 'must be one character')
/** DuckDB takes up to four. */
const delimiter = z.string('must be a text').min(1, 'must not be empty').max(4, 'must have at most 4 characters')
const format = z.enum(['parquet', 'csv', 'json'], 'must be parquet, csv or json')
const compression = z.enum(['none', 'gzip', 'zstd'], 'must be none, gzip or zstd')
const type = z.string('must be a type').refine(value => knownDuckType(value) !== undefined, {
  error: issue => `'${String(issue.input)}' is not a type such as BIGINT, DECIMAL(9,2) or VARCHAR[]`,
})
const types = z.record(text, type).refine(value => Object.keys(value).length > 0, 'must name a column')
const texts = z.union([z.string(), z.array(z.string()).min(1)], 'must be a text or a list of texts')

const csv = z.strictObject({
  delimiter: delimiter.optional(),
  quote: character.optional(),
  escape: character.optional(),
  comment: character.optional(),
  header: flag.optional(),
  skip: count.optional(),
  null_text: texts.optional(),
  columns: types.optional(),
  types: types.optional(),
  compression: compression.optional(),
  date_format: text.optional(),
  timestamp_format: text.optional(),
  decimal_separator: z.enum(['.', ','], 'must be . or ,').optional(),
  null_padding: flag.optional(),
  ignore_errors: flag.optional(),
})

const json = z.strictObject({
  format: z.enum(['newline_delimited', 'array', 'unstructured'], 'must be newline_delimited, array or unstructured')
    .optional(),
  records: flag.optional(),
  columns: types.optional(),
  compression: compression.optional(),
  date_format: text.optional(),
  timestamp_format: text.optional(),
  maximum_object_size: count.optional(),
  ignore_errors: flag.optional(),
})

const mapping = z.strictObject({
  path: text,
  file_format: format.optional(),
  union_by_name: flag.optional(),
  hive_partitioning: flag.optional(),
  csv: csv.optional(),
  json: json.optional(),
}, { error: issue => issue.code === 'invalid_type' ? 'must be a pattern of keys, or a mapping' : undefined })

export const tableSchema = z.preprocess(value => typeof value === 'string' ? { path: value } : value, mapping)

type TableFile = z.output<typeof tableSchema>

/** What one key of a table says against another, or against its catalog; as `key: problem`. */
export function tableContradictions(table: TableFile, catalogFormat: TableFormat): string[] {
  const own = table.file_format ?? catalogFormat
  const wrong: string[] = []
  if (table.csv !== undefined && own !== 'csv') wrong.push(`csv: the files of the table are ${own}`)
  if (table.json !== undefined && own !== 'json') wrong.push(`json: the files of the table are ${own}`)
  if (table.csv?.columns !== undefined && table.csv.types !== undefined) {
    wrong.push('csv.types: has no meaning beside columns, which has the type of every column')
  }
  return wrong
}

export function tableConfig(table: TableFile, catalogFormat: TableFormat): TableConfig {
  return {
    path: table.path, fileFormat: table.file_format ?? catalogFormat,
    unionByName: table.union_by_name ?? null, hivePartitioning: table.hive_partitioning ?? true,
    read: { ...csvOptions(table.csv ?? {}), ...jsonOptions(table.json ?? {}) },
  }
}

function csvOptions({ delimiter, quote, escape, comment, ...more }: NonNullable<TableFile['csv']>) {
  const { null_text: nulls, decimal_separator: decimal } = more
  return literals({
    delim: optional(delimiter, quoteText), quote: optional(quote, quoteText), escape: optional(escape, quoteText),
    comment: optional(comment, quoteText), header: optional(more.header, String), skip: optional(more.skip, String),
    nullstr: optional(nulls, value => typeof value === 'string' ? quoteText(value) : quoteTexts(value)),
    columns: optional(more.columns, struct), types: optional(more.types, struct),
    compression: optional(more.compression, quoteText), dateformat: optional(more.date_format, quoteText),
    timestampformat: optional(more.timestamp_format, quoteText), decimal_separator: optional(decimal, quoteText),
    null_padding: optional(more.null_padding, String), ignore_errors: optional(more.ignore_errors, String),
  })
}

function jsonOptions({ format, records, columns, compression, ...more }: NonNullable<TableFile['json']>) {
  return literals({
    format: optional(format, quoteText), records: optional(records, value => quoteText(String(value))),
    columns: optional(columns, struct), compression: optional(compression, quoteText),
    dateformat: optional(more.date_format, quoteText), timestampformat: optional(more.timestamp_format, quoteText),
    maximum_object_size: optional(more.maximum_object_size, String),
    ignore_errors: optional(more.ignore_errors, String),
  })
}

function optional<T>(value: T | undefined, literal: (value: T) => string): string | undefined {
  return value === undefined ? undefined : literal(value)
}

function struct(fields: Readonly<Record<string, string>>): string {
  return `{${Object.entries(fields).map(([name, value]) => `${quoteName(name)}: ${quoteText(value)}`).join(', ')}}`
}

function literals(options: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given = Object.entries(options).flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const])
  return Object.fromEntries(given)
}
