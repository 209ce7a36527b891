/** Catalogs of `type: duckdb`: one DuckDB file in a local bucket, its tables made and changed by statements. */

import { resolve, sep } from 'node:path'
import { z } from 'zod'
import type { BucketConfig } from './config-bucket.ts'

export interface DatabaseConfig {
  readonly bucket: string
  /** Inside the bucket; what messages name. */
  readonly path: string
  /** Absolute. */
  readonly file: string
  /** Users, or beginnings of names that end in `*`; null: everybody who may log in. */
  readonly writers: readonly string[] | null
  /** Of the addresses of the executors that have the file; null: there is only one host. */
  readonly host: string | null
}

const text = z.string('must be a text').min(1, 'must not be empty')
const user = text.refine(value => !value.slice(0, -1).includes('*'), 'a * may stand at the end only')

export const databaseSchema = z.strictObject({
  type: z.literal('duckdb'),
  bucket: text,
  path: text,
  writers: z.array(user, 'must be a list of names').optional(),
  host: text.optional(),
})

type DatabaseFile = z.output<typeof databaseSchema>

/** As `key: problem`. */
export function databaseContradictions({ bucket, path }: DatabaseFile, provider: string | undefined): string[] {
  if (provider !== undefined && provider !== 'local') {
    return [`bucket: '${bucket}' is not local: DuckDB cannot write there`]
  }
  const inside = resolve(sep, path)
  const isPlain = inside === sep + path && !path.endsWith(sep) && !/[*?[]/.test(path)
  return isPlain ? [] : ['path: must name one file inside the bucket, such as work.duckdb']
}

export function databaseConfig(
  { bucket, path, writers, host }: DatabaseFile, buckets: Readonly<Record<string, BucketConfig>>,
): DatabaseConfig {
  const found = buckets[bucket]
  const folder = found?.provider === 'local' ? found.path : ''
  return { bucket, path, file: resolve(folder, path), writers: writers ?? null, host: host ?? null }
}

export function mayWrite({ writers }: DatabaseConfig, user: string): boolean {
  if (writers === null) return true
  return writers.some(name => name.endsWith('*') ? user.startsWith(name.slice(0, -1)) : name === user)
}
