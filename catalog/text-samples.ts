/**
 * Local files that DuckDB may look at to find the columns of CSV and JSON files: those of a folder are themselves,
 * those of a remote bucket are brought, whole if they are small, else their beginning up to the end of a line. They are
 * gone when the look has been taken.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { FileKey } from '../cache/key.ts'
import { LocalStore } from '../cache/local-store.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import { QueryError } from '../proto/errors.ts'
import { isCompressed } from './row-estimate.ts'

/** Of one file: more than DuckDB looks at (20,480 rows), also of wide ones. */
const SAMPLE_BYTES = 16 * 1024 * 1024
const LINE_FEED = 0x0a

/** What `look` says of a path is said of the file's key instead. */
export async function withSamples<T>(
  storeOf: (bucket: string) => ObjectStore, files: readonly FileKey[], look: (paths: string[]) => Promise<T>,
): Promise<T> {
  const made: { folder?: string } = {}
  const paths: string[] = []
  try {
    for (const [i, file] of files.entries()) {
      const store = storeOf(file.bucket)
      if (store instanceof LocalStore) {
        paths.push(await store.localPath(file.key, file.etag))
        continue
      }
      made.folder ??= await mkdtemp(join(tmpdir(), 'skein-samples-'))
      const path = join(made.folder, `${i}-${basename(file.key)}`) // its ending tells how it is compressed
      await writeFile(path, await sample(store, file), { mode: 0o600 })
      paths.push(path)
    }
    return await look(paths)
  } catch (error) {
    throw error instanceof QueryError ? withKeys(error, paths, files) : error
  } finally {
    if (made.folder !== undefined) await rm(made.folder, { recursive: true, force: true })
  }
}

function withKeys(error: QueryError, paths: readonly string[], files: readonly FileKey[]): QueryError {
  const message = paths.reduce((text, path, i) =>
    text.replaceAll(path, `${files[i]?.bucket}/${files[i]?.key}`), error.message)
  return message === error.message ? error : new QueryError(error.code, message, { cause: error })
}

async function sample(store: ObjectStore, file: FileKey): Promise<Uint8Array> {
  const { bucket, key, etag, sizeBytes } = file
  if (sizeBytes <= SAMPLE_BYTES) return store.readRange(key, 0, sizeBytes, etag)
  const start = isCompressed(key) ? undefined : await store.readRange(key, 0, SAMPLE_BYTES, etag)
  const end = start?.lastIndexOf(LINE_FEED) ?? -1
  if (start === undefined || end === -1) {
    throw new QueryError('FILE_CORRUPT',
      `'${key}' in bucket ${bucket} has no line within its first ${SAMPLE_BYTES} bytes to tell its columns by`)
  }
  return start.subarray(0, end + 1)
}
