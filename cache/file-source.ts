/**
 * Local paths for the files of a task: what an executor hands to DuckDB. A file of a local bucket is its own path,
 * checked against the etag that the query was planned with. Remote buckets will come through the column cache here.
 */

import { QueryError } from '../proto/errors.ts'
import type { FileKey } from './key.ts'
import { LocalStore } from './local-store.ts'
import type { ObjectStore } from './object-store.ts'

export interface LocalFile {
  /** Absolute, free of links, inside a folder that was registered as a bucket. */
  readonly path: string
  /** Brought from a remote bucket for this call. Local files are neither fetched nor cached: both counts are 0. */
  readonly bytesFetched: number
  /** Found in this executor's cache of remote files. */
  readonly bytesCached: number
}

export class FileSource {
  readonly #stores: ReadonlyMap<string, ObjectStore>

  /** Stores by the names of their buckets. */
  constructor(stores: ReadonlyMap<string, ObjectStore>) {
    this.#stores = stores
  }

  /** FILE_CHANGED if the file is no longer what `file` names, FILE_NOT_FOUND if it is gone. */
  async localPath(file: FileKey): Promise<LocalFile> {
    const store = this.#stores.get(file.bucket)
    if (store === undefined) throw new QueryError('FILE_NOT_FOUND', `no bucket named '${file.bucket}'`)
    if (!(store instanceof LocalStore)) {
      throw new QueryError('UNAVAILABLE', `bucket ${file.bucket} is remote, which is not supported yet`)
    }
    return { path: await store.localPath(file.key, file.etag), bytesFetched: 0, bytesCached: 0 }
  }
}
