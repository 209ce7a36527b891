/** Tables as they were declared: from the configuration file. What is in their files is the loader's to find out. */

import type { Config } from '../proto/config.ts'
import type { FileFormat, TableName } from './table.ts'

export interface TableDefinition {
  readonly name: TableName
  readonly bucket: string
  /** Inside the bucket. */
  readonly glob: string
  readonly format: FileFormat
  /** True: its files are listed once and never again. */
  readonly assumeImmutable: boolean
  /** How long a list of its files counts as the present. */
  readonly listingTtlMs: number
}

/** The schema of the tables of a `bucket_tables` catalog. */
export const BUCKET_SCHEMA = 'main'

export function definitions(config: Pick<Config, 'catalogs'>): TableDefinition[] {
  return Object.entries(config.catalogs).flatMap(([catalog, { fileFormat, tables, ...more }]) =>
    Object.entries(tables).map(([table, glob]) => ({
      name: { catalog, schema: BUCKET_SCHEMA, table }, glob, format: fileFormat,
      bucket: more.bucket, assumeImmutable: more.assumeImmutable, listingTtlMs: more.listingTtlMs,
    })))
}

/** For messages and versions. */
export function qualifiedName({ catalog, schema, table }: TableName): string {
  return `${catalog}.${schema}.${table}`
}
