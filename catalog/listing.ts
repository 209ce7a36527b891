/**
 * The files that a table's pattern means, in the order in which DuckDB would read them: folder by folder, names by
 * their bytes (below `**` DuckDB's own order is another). The first file gives the table its columns.
 */

import type { FileKey } from '../cache/key.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import { compareStats } from '../cache/statistics.ts'
import { QueryError } from '../proto/errors.ts'
import { type TableDefinition, qualifiedName } from './definitions.ts'
import { parseGlob } from './glob.ts'

/** Of one table: their list is held in memory, about 300 bytes a file. */
const MAX_FILES = 1_000_000

/** FILE_NOT_FOUND if nothing matches: a table has a file to take its columns from. */
export async function listFiles(store: ObjectStore, table: TableDefinition): Promise<FileKey[]> {
  const { bucket, glob } = table
  const { folder, wants } = parseGlob(glob)
  const files: FileKey[] = []
  for await (const { key, etag, sizeBytes } of store.list(folder, { wants })) {
    if (!wants(key)) continue
    files.push({ bucket, key, etag, sizeBytes })
    if (files.length > MAX_FILES) {
      throw new QueryError('INVALID_REQUEST', `table ${qualifiedName(table.name)} has more than ${MAX_FILES} files`)
    }
  }
  if (files.length === 0) {
    throw new QueryError('FILE_NOT_FOUND',
      `table ${qualifiedName(table.name)}: no file matches '${glob}' in bucket ${bucket}`)
  }
  return files
    .map(file => ({ file, place: file.key.replaceAll('/', '\0') }))
    .sort((a, b) => compareStats(a.place, b.place) ?? 0)
    .map(({ file }) => file)
}
