/** The configuration file as values. Parsing and its messages: `parseConfig`. */

export interface Config {
  readonly dataDir: string
  readonly buckets: Readonly<Record<string, BucketConfig>>
  readonly catalogs: Readonly<Record<string, CatalogConfig>>
  readonly defaultCatalog: string
  readonly node: NodeConfig
  readonly listen: ListenConfig
}

export type BucketConfig = { readonly provider: 'local'; readonly path: string }

export interface CatalogConfig {
  readonly type: 'bucket_tables'
  readonly bucket: string
  readonly fileFormat: 'parquet' | 'csv' | 'json'
  readonly assumeImmutable: boolean
  /** Table name to a glob inside the bucket. */
  readonly tables: Readonly<Record<string, string>>
}

/** Of all executors of one `skein start` together; each has a default from the machine. */
export interface NodeConfig {
  readonly threads: number
  readonly memoryBytes: number
  readonly spillBytes: number
  readonly cacheBytes: number
  readonly labels: Readonly<Record<string, string>>
}

/** host:port of each door; port 0 takes any free one. */
export interface ListenConfig {
  readonly http: string
  readonly flight: string
  readonly admin: string
}
