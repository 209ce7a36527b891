/**
 * Hive partitioning: folders named `key=value` are columns. All files of a table have the same keys; a key twice in
 * one path means its first. Columns are in the order of their keys' bytes, which is how DuckDB appends them.
 */

import type { FileKey } from '../cache/key.ts'
import { compareStats } from '../cache/statistics.ts'
import { QueryError } from '../proto/errors.ts'
import { type HiveType, hiveType } from './hive-types.ts'

export interface HiveLayout {
  readonly keys: readonly string[]
  /** By position of the key; over the values of all files, so no part of them can make DuckDB choose another. */
  readonly types: readonly HiveType[]
  /** By file, by position of the key. */
  readonly values: readonly (readonly (string | null)[])[]
}

/** Names of the folder of rows whose key is NULL: Hive's, and DuckDB's (in any case). */
const DEFAULT_PARTITION = '__HIVE_DEFAULT_PARTITION__'
const NULL_VALUE = 'null'

/** `files` are of one table. */
export function hiveLayout(files: readonly FileKey[]): HiveLayout {
  const [first] = files
  const keys = first === undefined ? [] : [...partition(first.key).keys()].sort((a, b) => compareStats(a, b) ?? 0)
  const raw = files.map(file => {
    const found = partition(file.key)
    if (found.size !== keys.length || keys.some(key => !found.has(key))) {
      throw new QueryError('FILE_CORRUPT', `'${file.key}' in bucket ${file.bucket} has the Hive keys ` +
        `[${[...found.keys()].join(', ')}], but '${first?.key}' has [${keys.join(', ')}]`)
    }
    return keys.map(key => found.get(key) ?? null)
  })
  const types = keys.map((_, i) => hiveType(raw.map(values => values[i] ?? null)))
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
function decode(value: string | null, type: HiveType | undefined): string | null {
  if (value === null || type !== 'VARCHAR' || !value.includes('%')) return value
  const bytes = value.replaceAll(/(?:%[0-9a-fA-F]{2})+/g, run => {
    return Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8')
  })
  return bytes.includes('\ufffd') ? value : bytes
}
