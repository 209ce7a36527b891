/**
 * Local paths for the files of a task: what an executor hands to DuckDB. A file of a local bucket is its own path,
 * checked against the etag that the query was planned with; one of a remote bucket comes through the column cache; one
 * that no bucket has was carried along.
 */

import { QueryError } from '../proto/errors.ts'
import type { CarriedFiles } from './carried-files.ts'
import type { ColumnCache } from './column-cache.ts'
import type { Lent, OpenFile, OpenFiles, WantedFile } from './wanted-file.ts'
import { isCarried, type FileKey } from './key.ts'
import { LocalStore } from './local-store.ts'
import type { ObjectStore } from './object-store.ts'

export class FileSource {
  readonly #stores: ReadonlyMap<string, ObjectStore>
  readonly #cache: ColumnCache
  readonly #carried: CarriedFiles

  /** Stores by the names of their buckets. */
  constructor(stores: ReadonlyMap<string, ObjectStore>, cache: ColumnCache, carried: CarriedFiles) {
    this.#stores = stores
    this.#cache = cache
    this.#carried = carried
  }

  /**
   * All files of one task, in their order, or none. FILE_CHANGED if one is no longer what its key names, FILE_NOT_FOUND
   * if it is gone. Local files are neither fetched nor cached: both counts are 0.
   */
  async open(wanted: readonly Omit<WantedFile, 'store'>[], signal: AbortSignal): Promise<OpenFiles> {
    const brought = wanted.map(({ file }) => file).filter(isCarried)
    if (brought.length === 0) return this.#openStored(wanted, signal)
    const carried = await this.#carried.open(brought)
    try {
      const stored = await this.#openStored(wanted.filter(({ file }) => !isCarried(file)), signal)
      const [own, rest] = [carried.paths.values(), stored.files.values()]
      const files = wanted.map(({ file }) => isCarried(file) ? localFile(next(own)) : next(rest))
      return { files, release: async () => { await carried.release(); await stored.release() } }
    } catch (error) {
      await carried.release()
      throw error
    }
  }

  async #openStored(wanted: readonly Omit<WantedFile, 'store'>[], signal: AbortSignal): Promise<OpenFiles> {
    const stored = wanted.map(each => ({ ...each, store: this.#store(each.file.bucket) }))
    const remote = stored.filter(({ store }) => !(store instanceof LocalStore))
    const local = await Promise.all(stored.map(({ store, file: { key, etag } }) =>
      store instanceof LocalStore ? store.localPath(key, etag) : Promise.resolve(null)))
    const nothing = (): Promise<void> => Promise.resolve()
    if (remote.length === 0) return { files: local.map(path => localFile(path ?? '')), release: nothing }
    const opened = await this.#cache.open(remote, signal)
    const rest = opened.files.values()
    const files = local.map((path): OpenFile => path === null ? next(rest) : localFile(path))
    return { files, release: () => opened.release() }
  }

  /** Brings what a task that waits for its turn will read, if there is room; rejects as `open` would. */
  async prefetch(wanted: readonly Omit<WantedFile, 'store'>[], signal: AbortSignal): Promise<void> {
    const stored = wanted.filter(({ file }) => !isCarried(file))
      .map(each => ({ ...each, store: this.#store(each.file.bucket) }))
    const remote = stored.filter(({ store }) => !(store instanceof LocalStore))
    if (remote.length > 0) await this.#cache.prefetch(remote, signal)
  }

  /** True if nothing of them has to be fetched. */
  async areHere(wanted: readonly Omit<WantedFile, 'store'>[]): Promise<boolean> {
    for (const each of wanted) {
      const isLocal = isCarried(each.file) || this.#store(each.file.bucket) instanceof LocalStore
      if (!isLocal && !(await this.#cache.here(each)).isAll) return false
    }
    return true
  }

  /** Chunks of a file of a remote bucket, for another executor; PERMISSION_DENIED for what is read in place. */
  async lend(
    file: FileKey, isParquet: boolean, chunks: readonly number[], signal: AbortSignal,
  ): Promise<Lent> {
    const store = this.#store(file.bucket)
    if (store instanceof LocalStore) throw new QueryError('PERMISSION_DENIED', `bucket '${file.bucket}' is not remote`)
    const wanted = { file, store, isParquet, passing: false, peer: null, columns: [], rows: null }
    return this.#cache.lend(wanted, chunks, signal)
  }

  /** DuckDB stumbled over some of `paths`. True: they are given up, and it may be tried again. */
  distrust(paths: readonly string[]): Promise<boolean> {
    return this.#cache.distrust(paths)
  }

  #store(bucket: string): ObjectStore {
    const store = this.#stores.get(bucket)
    if (store === undefined) throw new QueryError('FILE_NOT_FOUND', `no bucket named '${bucket}'`)
    return store
  }
}

function localFile(path: string): OpenFile {
  return { path, bytesFetched: 0, bytesCached: 0 }
}

function next<T>(files: Iterator<T>): T {
  const { value, done } = files.next()
  if (done === true) throw new Error('too few files were opened')
  return value
}
