/**
 * The files that a table's patterns mean, in the order in which DuckDB would read them: pattern by pattern, folder by
 * folder, names by their bytes (below `**` DuckDB's own order is another). The first file gives the table its columns.
 */

import type { FileKey } from '../cache/key.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import { compareStats } from '../cache/statistics.ts'
import { QueryError } from '../proto/errors.ts'
import type { FilePattern, TableDefinition } from './definitions.ts'
import { parseGlob } from './glob.ts'

/** Of one table: their list is held in memory, about 300 bytes a file. */
const MAX_FILES = 1_000_000

/** FILE_NOT_FOUND if a pattern has no match: a table has a file to take its columns from. */
export async function listFiles(
  storeOf: (bucket: string) => ObjectStore, { label, sources }: TableDefinition,
): Promise<FileKey[]> {
  const files: FileKey[] = []
  for (const source of sources) {
    const found = await listPattern(storeOf(source.bucket), source, label, MAX_FILES - files.length)
    for (const file of found) files.push(file)
  }
  return files
}

async function listPattern(
  store: ObjectStore, { bucket, glob }: FilePattern, label: string, limit: number,
): Promise<FileKey[]> {
  const { folder, only, wants } = parseGlob(glob)
  const files: FileKey[] = []
  const missing = (): QueryError =>
    new QueryError('FILE_NOT_FOUND', `${label}: no file matches '${glob}' in bucket ${bucket}`)
  if (only !== null) {
    const { key, etag, sizeBytes } = await store.head(only).catch((error: unknown) => {
      throw error instanceof QueryError && error.code === 'FILE_NOT_FOUND' ? missing() : error
    })
    return [{ bucket, key, etag, sizeBytes }]
  }
  for await (const { key, etag, sizeBytes } of store.list(folder, { wants })) {
    if (!wants(key)) continue
    files.push({ bucket, key, etag, sizeBytes })
    if (files.length > limit) throw new QueryError('INVALID_REQUEST', `${label} has more than ${MAX_FILES} files`)
  }
  if (files.length === 0) throw missing()
  return files
    .map(file => ({ file, place: file.key.replaceAll('/', '\0') }))
    .sort((a, b) => compareStats(a.place, b.place) ?? 0)
    .map(({ file }) => file)
}
