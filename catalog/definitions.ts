/**
 * Tables as they were declared: in the configuration file, or by a path in a statement. What is in their files is the
 * loader's to find out.
 */

import type { Config } from '../proto/config.ts'
import { type ReaderOptions, defaultOptions } from './reader-options.ts'
import type { FileFormat, TableName } from './table.ts'

export interface TableDefinition {
  readonly name: TableName
  /** How messages name it. */
  readonly label: string
  /** Where its files are; at least one. */
  readonly sources: readonly FilePattern[]
  readonly format: FileFormat
  readonly options: ReaderOptions
  /** What stands before the key in the values of a filename column, by bucket. */
  readonly prefixes: Readonly<Record<string, string>>
  /** True: its files are listed once and never again. */
  readonly assumeImmutable: boolean
  /** How long a list of its files counts as the present. */
  readonly listingTtlMs: number
}

export interface FilePattern {
  readonly bucket: string
  /** Inside the bucket. */
  readonly glob: string
}

/** The schema of the tables of a `bucket_tables` catalog. */
export const BUCKET_SCHEMA = 'main'

export function definitions(config: Pick<Config, 'catalogs'>): TableDefinition[] {
  return Object.entries(config.catalogs).flatMap(([catalog, { bucket, tables, ...more }]) =>
    Object.entries(tables).map(([table, { path, fileFormat, unionByName, hivePartitioning, read }]) => ({
      name: { catalog, schema: BUCKET_SCHEMA, table }, label: `table ${catalog}.${BUCKET_SCHEMA}.${table}`,
      sources: [{ bucket, glob: path }], format: fileFormat,
      prefixes: { [bucket]: `s3://${bucket}/` },
      options: { ...defaultOptions, unionByName, hivePartitioning, read },
      assumeImmutable: more.assumeImmutable, listingTtlMs: more.listingTtlMs,
    })))
}

/** For messages and versions. */
export function qualifiedName({ catalog, schema, table }: TableName): string {
  return `${catalog}.${schema}.${table}`
}
