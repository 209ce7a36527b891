/**
 * Writes the rows of a fragment as the Parquet files of an exchange, by DuckDB's own COPY. What Parquet would change is
 * cast to its wire type; the keys of an exchange are computed before that cast, on the fragment's own types. The
 * list of files comes from COPY itself: no folder is listed, and a path is never written twice.
 */

import { statSync } from 'node:fs'
import { relative } from 'node:path'
import type { ExchangeOutput, RangeOutput } from '../proto/gen/executor_pb.js'
import { quoteText } from '../proto/sql-text.ts'
import type { ExchangeFiles, TaskPlace } from './exchange-files.ts'
import type { DuckConnection } from './instances.ts'
import { rangeNumber } from './range-partition.ts'

export interface WrittenFile {
  readonly partition: number
  /** Relative to the exchange folder. */
  readonly path: string
  readonly sizeBytes: number
  readonly rowCount: number
}

/** Values of few kinds cost a little more without a dictionary, numbers much less; both sides read faster. */
const FORMAT = 'FORMAT parquet, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1, PARQUET_VERSION'

/**
 * Version 2, but for lists of text: DuckDB 1.5 counts the bytes of a list that is the same in many rows once, and
 * writes them for each ("not enough space in buffer"). Version 1 does not count.
 */
export function exchangeFormat(wireTypes: readonly string[]): string {
  const isListOfText = (type: string): boolean => type.includes(']') && /VARCHAR|JSON|BLOB/.test(type)
  return `${FORMAT} ${wireTypes.some(isListOfText) ? 'v1' : 'v2'}`
}

/** A plain list of files: a folder for each partition would cost more than what is in it. */
const BY_PART = 'PARTITION_BY (part), HIVE_FILE_PATTERN false, RETURN_STATS true'
/** Columns of the answer to that: filename, count, file_size_bytes, partition_keys. */
const STATS = [0, 1, 2, 5]
/** Of a COPY to one file: only the number of rows. */
const COUNT = [0]

/** Rejects with the query's failure; files that a failed COPY leaves are removed with the query. */
export async function writeExchange(
  connection: DuckConnection, sql: string, output: ExchangeOutput, files: ExchangeFiles, place: TaskPlace,
): Promise<WrittenFile[]> {
  if (!isDivided(output)) {
    const path = files.outputFile(place)
    const [[count] = []] = await connection.texts(copy(sql, output, path, formatOf(output)), COUNT)
    if (count === undefined || count === null) throw new Error('COPY did not tell the number of rows')
    const file = { partition: 0, path: relative(files.root, path), rowCount: Number(count) }
    return file.rowCount === 0 ? [] : [{ ...file, sizeBytes: statSync(path).size }]
  }
  const rows = await connection.texts(copyParts(sql, output, files.outputFolder(place)), STATS)
  return rows.map(([path, count, bytes, keys]) => ({
    partition: partitionOf(keys ?? ''),
    path: relative(files.root, path ?? ''),
    sizeBytes: Number(bytes),
    rowCount: Number(count),
  })).filter(file => file.rowCount > 0)
}

function formatOf({ columns }: ExchangeOutput): string {
  return exchangeFormat(columns.map(({ wireType }) => wireType))
}

/** Without bounds all rows are one range. */
function isDivided({ hashKeys, partitionCount, range }: ExchangeOutput): boolean {
  return range === undefined ? hashKeys.length > 0 && partitionCount > 1 : range.bounds.length > 0
}

function copyParts(sql: string, output: ExchangeOutput, folder: string): string {
  return copy(sql, output, folder, `${formatOf(output)}, ${BY_PART}`, [`${partNumber(output)} AS part`])
}

/** SQL of the partition of a row. */
export function partNumber({ hashKeys, partitionCount, range }: PartsOutput): string {
  const number = range === undefined ? `hash(${hashKeys.join(', ')}) % ${partitionCount}` : rangeNumber(KEY, range)
  return `CAST(${number} AS INTEGER)`
}

/** The relation that `partNumber` is of: the fragment with columns c0.., and their key if it is divided by ranges. */
export function keyed(sql: string, columnCount: number, { range }: Pick<PartsOutput, 'range'>): string {
  const names = Array.from({ length: columnCount }, (_, i) => `c${i}`).join(', ')
  const fragment = `(\n${sql}\n) AS fragment(${names})`
  return range === undefined ? fragment : `(SELECT *, ${range.key} AS ${KEY} FROM ${fragment})`
}

/** Made once a row, though it is compared with several bounds. */
const KEY = 'range_key'

interface PartsOutput extends Pick<ExchangeOutput, 'hashKeys' | 'partitionCount'> {
  readonly range?: Pick<RangeOutput, 'key' | 'bounds' | 'ties'> | undefined
}

function copy(
  sql: string, output: ExchangeOutput, target: string, options: string, more: readonly string[] = [],
): string {
  const { columns } = output
  const list = [...columns.map(({ wireType }, i) => `CAST(c${i} AS ${wireType}) AS w${i}`), ...more]
  const from = keyed(sql, columns.length, isDivided(output) ? output : {})
  return `COPY (SELECT ${list.join(', ')} FROM ${from}) TO ${quoteText(target)} (${options})`
}

/** DuckDB's text of the map of a file's keys. */
function partitionOf(keys: string): number {
  const [, text] = /^\{'part': '(\d+)'\}$/.exec(keys) ?? []
  if (text === undefined) throw new Error(`no partition in the keys ${keys} of an exchange file`)
  return Number(text)
}
