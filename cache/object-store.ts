/**
 * Where the bytes of a bucket are: a folder, or S3 and its like. Objects are written once and replaced whole; an
 * etag names one content. Errors are QueryErrors: FILE_NOT_FOUND, FILE_CHANGED (the etag asked for is gone),
 * PERMISSION_DENIED (a key that leaves the bucket), UNAVAILABLE.
 */

export interface StoredObject {
  /** Path inside the bucket, with `/`, never at its start. */
  readonly key: string
  readonly etag: string
  readonly sizeBytes: number
}

export interface ListOptions {
  /**
   * Asked with each key, and with each folder (it ends in `/`) before it is entered: false leaves it out. A store that
   * has no folders may ask with keys only. Default: everything is wanted.
   */
  readonly wants?: (path: string) => boolean
}

/** What whoever asks a store has waited before. */
export interface Waited {
  /** For the same bytes, elsewhere: it comes off the time that the store has. */
  readonly elsewhereMs: number
  /** In line for its turn, since then by the process's clock: what those before it waited for in vain is not asked. */
  readonly inLineSinceMs: number
}

export interface ObjectStore {
  /** The object as it is now. */
  head(key: string): Promise<StoredObject>
  /** The bytes [from, to), exactly so many, of the content that `etag` names. */
  readRange(
    key: string, from: number, to: number, etag: string, signal?: AbortSignal, waited?: Waited,
  ): Promise<Uint8Array<ArrayBuffer>>
  /** Objects whose key starts with `prefix` (a folder, `a/b/`, or nothing), in no order that may be relied on. */
  list(prefix: string, options?: ListOptions): AsyncIterable<StoredObject>
  /** Rejects with what is wrong with the bucket or with the way to it, in words for whoever set it up. */
  check(): Promise<void>
  /** Ends its connections. */
  close(): void
}
