/**
 * The files that a table's patterns mean, in the order in which DuckDB would read them: pattern by pattern, folder by
 * folder, names by their bytes (below `**` DuckDB's own order is another). The first file gives the table its columns.
 */

import type { FileKey } from '../cache/key.ts'
import { LocalStore } from '../cache/local-store.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import { compareStats } from '../cache/statistics.ts'
import { QueryError } from '../proto/errors.ts'
import type { FilePattern, TableDefinition } from './definitions.ts'
import { parseGlob } from './glob.ts'
import type { Freshness, Listed, Listings } from './listings.ts'

/** Of one table: their list is held in memory, about 300 bytes a file. */
const MAX_FILES = 1_000_000

/** FILE_NOT_FOUND if a pattern has no match: a table has a file to take its columns from. */
export async function listFiles(
  storeOf: (bucket: string) => ObjectStore, listings: Listings, { label, sources }: TableDefinition, wanted: Freshness,
): Promise<Listed> {
  const files: FileKey[] = []
  let [startedMs, tookMs] = [Infinity, 0]
  for (const source of sources) {
    const limit = MAX_FILES - files.length
    const listed = await listPattern(storeOf(source.bucket), listings, source, label, limit, wanted)
    if (listed.files.length > limit) {
      throw new QueryError('INVALID_REQUEST', `${label} has more than ${MAX_FILES} files`)
    }
    if (listed.files.length === 0) throw missing(label, source)
    for (const file of inOrder(listed.files)) files.push(file)
    startedMs = Math.min(startedMs, listed.startedMs)
    tookMs += listed.tookMs
  }
  return { files, startedMs, tookMs }
}

function listPattern(
  store: ObjectStore, listings: Listings, pattern: FilePattern, label: string, limit: number, wanted: Freshness,
): Promise<Listed> {
  const { folder, only, wants } = parseGlob(pattern.glob)
  const { bucket } = pattern
  if (only !== null) {
    return listings.alone(async () => {
      const { key, etag, sizeBytes } = await store.head(only).catch((error: unknown) => {
        throw error instanceof QueryError && error.code === 'FILE_NOT_FOUND' ? missing(label, pattern) : error
      })
      return [{ bucket, key, etag, sizeBytes }]
    })
  }
  if (!(store instanceof LocalStore)) return listings.files(store, pattern, limit, wanted)
  // a folder is cheap to look at, and its subfolders can be left out
  return listings.alone(async () => {
    const files: FileKey[] = []
    for await (const { key, etag, sizeBytes } of store.list(folder, { wants })) {
      if (wants(key)) files.push({ bucket, key, etag, sizeBytes })
      if (files.length > limit) break
    }
    return files
  })
}

function missing(label: string, { bucket, glob }: FilePattern): QueryError {
  return new QueryError('FILE_NOT_FOUND', `${label}: no file matches '${glob}' in bucket ${bucket}`)
}

function inOrder(files: readonly FileKey[]): FileKey[] {
  return files
    .map(file => ({ file, place: file.key.replaceAll('/', '\0') }))
    .sort((a, b) => compareStats(a.place, b.place) ?? 0)
    .map(({ file }) => file)
}
