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
