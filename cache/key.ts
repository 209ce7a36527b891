/** What names the bytes of a file: same key, same bytes. A file that changed has another etag, so another key. */
export interface FileKey {
  /** The bucket's name in the configuration. */
  readonly bucket: string
  /** Path inside the bucket, with `/`. */
  readonly key: string
  /** The store's own; for local files see local-store.ts. */
  readonly etag: string
  readonly sizeBytes: number
}

/** A file of no bucket: its bytes come along with whatever reads it. Its etag is a digest of them. */
export interface CarriedFile extends FileKey {
  readonly bucket: typeof CARRIED
  readonly content: Uint8Array
}

/** No bucket of a configuration can have this name. */
export const CARRIED = '.carried'

export function isCarried(file: FileKey): file is CarriedFile {
  return file.bucket === CARRIED
}
