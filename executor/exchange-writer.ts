/**
 * Writes the rows of a fragment as the Parquet files of an exchange, by DuckDB's own COPY. What Parquet would change is
 * cast to its wire type; the keys of a hash exchange are computed before that cast, on the fragment's own types. The
 * list of files comes from COPY itself: nothing is listed, and a path is never written twice.
 */

import { mkdirSync } from 'node:fs'
import { relative } from 'node:path'
import type { ExchangeOutput } from '../proto/gen/executor_pb.js'
import { quoteText } from '../proto/sql-text.ts'
import type { DuckConnection } from './instances.ts'

export interface WrittenFile {
  readonly partition: number
  /** Relative to the exchange folder. */
  readonly path: string
  readonly sizeBytes: number
  readonly rowCount: number
}

/** Values of few kinds cost a little more without a dictionary, numbers much less; both sides read faster. */
const FORMAT = 'FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1, RETURN_STATS true'
/** Columns of COPY's answer: filename, count, file_size_bytes. */
const ANSWER = [0, 1, 2]

/**
 * `folder` is this attempt's own, below `root`, and does not exist yet. Rejects with the query's failure; files that a
 * failed COPY leaves are removed with the query.
 */
export async function writeExchange(
  connection: DuckConnection, sql: string, output: ExchangeOutput, root: string, folder: string,
): Promise<WrittenFile[]> {
  const hashed = output.hashKeys.length > 0 && output.partitionCount > 1
  mkdirSync(folder, { recursive: true }) // microseconds, against ten times the CPU on another thread
  const target = hashed ? folder : `${folder}/rows.parquet`
  const rows = await connection.texts(copy(sql, output, target, hashed), ANSWER)
  return rows.map(([path, count, bytes]) => ({
    partition: hashed ? partitionOf(path ?? '') : 0,
    path: relative(root, path ?? ''),
    sizeBytes: Number(bytes),
    rowCount: Number(count),
  })).filter(file => file.rowCount > 0)
}

function copy(sql: string, output: ExchangeOutput, target: string, hashed: boolean): string {
  const columns = output.columns.map(({ wireType }, i) => `CAST(c${i} AS ${wireType}) AS w${i}`)
  const names = output.columns.map((_, i) => `c${i}`).join(', ')
  const partition = `CAST(hash(${output.hashKeys.join(', ')}) % ${output.partitionCount} AS INTEGER) AS part`
  const list = hashed ? [...columns, partition] : columns
  const options = hashed ? `${FORMAT}, PARTITION_BY (part)` : FORMAT
  return `COPY (SELECT ${list.join(', ')} FROM (\n${sql}\n) AS fragment(${names})) TO ${quoteText(target)} (${options})`
}

/** COPY names the folders itself: `part=3`. */
function partitionOf(path: string): number {
  const [, text] = /\/part=(\d+)\/[^/]*$/.exec(path) ?? []
  if (text === undefined) throw new Error(`no partition in the path ${path} of an exchange file`)
  return Number(text)
}
