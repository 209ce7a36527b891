/**
 * Hive partitioning: folders named `key=value` are columns. All files of a table have the same keys; a key twice in
 * one path means its first. Columns are in the order of their keys' bytes, which is how DuckDB appends them.
 */

import type { FileKey } from '../cache/key.ts'
import { compareStats } from '../cache/statistics.ts'
import { QueryError } from '../proto/errors.ts'
import { hiveType } from './hive-types.ts'
import type { ReaderOptions } from './reader-options.ts'

export interface HiveLayout {
  readonly keys: readonly string[]
  /** By position of the key; over the values of all files, so no part of them can make DuckDB choose another. */
  readonly types: readonly string[]
  /** By file, by position of the key. */
  readonly values: readonly (readonly (string | null)[])[]
}

/** Names of the folder of rows whose key is NULL: Hive's, and DuckDB's (in any case). */
const DEFAULT_PARTITION = '__HIVE_DEFAULT_PARTITION__'
const NULL_VALUE = 'null'

export type HiveOptions = Pick<ReaderOptions, 'hivePartitioning' | 'hiveTypes' | 'hiveAutocast'>

/** `files` are of one table. FILE_CORRUPT if they have to have the same keys and have not. */
export function hiveLayout(files: readonly FileKey[], options: HiveOptions): HiveLayout {
  const none: HiveLayout = { keys: [], types: [], values: files.map(() => []) }
  const [first] = files
  if (first === undefined || options.hivePartitioning === false) return none
  const keys = [...partition(first.key).keys()].sort((a, b) => compareStats(a, b) ?? 0)
  const raw: (string | null)[][] = []
  for (const file of files) {
    const found = partition(file.key)
    if (found.size !== keys.length || keys.some(key => !found.has(key))) {
      if (options.hivePartitioning === null) return none
      throw new QueryError('FILE_CORRUPT', `'${file.key}' in bucket ${file.bucket} has the Hive keys ` +
        `[${[...found.keys()].join(', ')}], but '${first.key}' has [${keys.join(', ')}]`)
    }
    raw.push(keys.map(key => found.get(key) ?? null))
  }
  const types = keys.map((key, i) => options.hiveTypes[key.toLowerCase()]
    ?? (options.hiveAutocast ? hiveType(raw.map(values => values[i] ?? null)) : 'VARCHAR'))
  return { keys, types, values: raw.map(values => values.map((value, i) => decode(value, types[i]))) }
}

/** The `key=value` folders of a path; values as they stand there, null for NULL. */
function partition(key: string): Map<string, string | null> {
  const found = new Map<string, string | null>()
  for (const folder of key.split('/').slice(0, -1)) {
    const [name = '', value, ...more] = folder.split('=')
    if (name === '' || value === undefined || more.length > 0 || found.has(name)) continue
    found.set(name, value === DEFAULT_PARTITION || value.toLowerCase() === NULL_VALUE ? null : value)
  }
  return found
}

/** `%20` is a space, in texts only: DuckDB reads the other types from the path as it is. */
function decode(value: string | null, type: string | undefined): string | null {
  if (value === null || type !== 'VARCHAR' || !value.includes('%')) return value
  const bytes = value.replaceAll(/(?:%[0-9a-fA-F]{2})+/g, run => {
    return Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8')
  })
  return bytes.includes('\ufffd') ? value : bytes
}
