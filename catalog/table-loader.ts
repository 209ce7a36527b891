/**
 * A declared table to a Table: lists its files, reads footers, writes the skeleton, asks DuckDB for the types. All
 * errors name the table or the file. What has not changed since the last time is not done again.
 */

import { createHash } from 'node:crypto'
import type { FileKey } from '../cache/key.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import { QueryError } from '../proto/errors.ts'
import { type TableDefinition, qualifiedName } from './definitions.ts'
import type { FooterFiles } from './footer-files.ts'
import { FooterCache } from './footers.ts'
import { type HiveLayout, hiveLayout } from './hive.ts'
import { distinctCounts } from './distinct-counts.ts'
import { listFiles } from './listing.ts'
import { joinFooters } from './parquet-files.ts'
import { columnSources, dataFiles, skeletonColumns } from './parquet-table.ts'
import { estimateRows } from './row-estimate.ts'
import type { SkeletonFiles } from './skeleton-files.ts'
import { skeletonType } from './skeleton-schema.ts'
import { declaredColumn, skeletonBytes } from './skeleton.ts'
import type { Table, TableColumn } from './table.ts'
import { withSamples } from './text-samples.ts'

/** Asks DuckDB what the columns of local files are, without Hive keys of their paths. */
export type DescribeFiles = (request: DescribeRequest) => Promise<FileDescription>

export interface DescribeRequest {
  readonly format: 'parquet' | 'csv' | 'json'
  readonly paths: string[]
}

export interface FileDescription {
  readonly columns: readonly TableColumn[]
  /** Options with which read_csv or read_json reads every file of the table as it read these: SQL literals by name. */
  readonly readOptions: Readonly<Record<string, string>>
}

export interface LoaderPorts {
  readonly stores: ReadonlyMap<string, ObjectStore>
  readonly skeletons: SkeletonFiles
  readonly footers: FooterFiles
  readonly describe: DescribeFiles
}

/** Then all are forgotten: it only costs a question to DuckDB. */
const MAX_SHAPES = 1000
/** A change in how skeletons or versions are made; old files are then not used again. */
const SKELETON_FORMAT = 1
/** DuckDB looks at so many files of its own accord: 10 of CSV, 32 of JSON. */
const FILES_TO_DESCRIBE = { csv: 10, json: 32 } as const

export class TableLoader {
  readonly #ports: LoaderPorts
  readonly #footers: FooterCache
  readonly #shapes = new Map<string, readonly TableColumn[]>()

  constructor(ports: LoaderPorts) {
    this.#ports = ports
    this.#footers = new FooterCache(ports.footers)
  }

  /**
   * The table as its files are now; `before` itself if they are what they were. A file that changes between the list
   * and the look at it is met by listing once more.
   */
  async load(definition: TableDefinition, before: Table | undefined): Promise<Table> {
    try {
      return await this.#loadOnce(definition, before)
    } catch (error) {
      if (error instanceof QueryError && error.code === 'FILE_CHANGED') return this.#loadOnce(definition, before)
      throw error
    }
  }

  async #loadOnce(definition: TableDefinition, before: Table | undefined): Promise<Table> {
    const store = this.#ports.stores.get(definition.bucket)
    if (store === undefined) {
      throw new QueryError('INVALID_CONFIG',
        `table ${qualifiedName(definition.name)}: no bucket named '${definition.bucket}'`)
    }
    const files = await listFiles(store, definition)
    const version = versionOf(definition, files)
    if (before?.version === version) return before
    const source = { definition, store, files, version, hive: hiveLayout(files) }
    return definition.format === 'parquet' ? this.#parquet(source) : this.#text(source, definition.format)
  }

  async #parquet({ definition, store, files, version, hive }: TableSource): Promise<Table> {
    const joined = joinFooters(await this.#footers.read(store, files))
    const { schema, rowCount } = joined
    const skeletonPath = await this.#skeleton(definition, version, () => skeletonBytes({
      columns: skeletonColumns(joined, hive), rowCount, rowCountIs: 'exact', footer: schema,
    }))
    const columns = await this.#boundColumns(JSON.stringify([schema.fingerprint, hive.keys, hive.types]), skeletonPath)
    const sources = columnSources(joined, hive)
    if (columns.length !== sources.length) {
      throw new Error(`${skeletonPath} binds to ${columns.length} of ${sources.length} columns`)
    }
    return {
      ...common(definition, version, files, hive),
      columns, rowCount, skeletonPath, readOptions: {}, distinctCounts: distinctCounts(sources, joined, hive),
      files: dataFiles(files, joined, hive, columns),
    }
  }

  /** What DuckDB makes of the skeleton; the same for the same `shape`. */
  async #boundColumns(shape: string, skeletonPath: string): Promise<readonly TableColumn[]> {
    const known = this.#shapes.get(shape)
    if (known !== undefined) return known
    const { columns } = await this.#ports.describe({ format: 'parquet', paths: [skeletonPath] })
    if (this.#shapes.size >= MAX_SHAPES) this.#shapes.clear()
    this.#shapes.set(shape, columns)
    return columns
  }

  async #text({ definition, store, files, version, hive }: TableSource, format: 'csv' | 'json'): Promise<Table> {
    const described = await this.#describeText(store, files, format)
    const columns = withHiveKeys(described.columns, hive)
    const estimates = await estimateRows(store, files, format, columns.length)
    const rowCount = estimates.reduce((sum, rows) => sum + rows, 0)
    const skeletonPath = await this.#skeleton(definition, version, () => skeletonBytes({
      columns: columns.map(({ name, type }) => declaredColumn(name, type)),
      rowCount, rowCountIs: 'estimated', footer: null,
    }))
    return {
      ...common(definition, version, files, hive),
      columns, rowCount, skeletonPath, readOptions: described.readOptions, distinctCounts: columns.map(() => null),
      files: files.map((file, i) => ({
        file, hiveValues: hive.values[i] ?? [], rowGroups: [], rowCount: estimates[i] ?? 0,
      })),
    }
  }

  async #describeText(
    store: ObjectStore, files: readonly FileKey[], format: 'csv' | 'json',
  ): Promise<FileDescription> {
    const filled = files.filter(file => file.sizeBytes > 0)
    const sample = (filled.length > 0 ? filled : files).slice(0, FILES_TO_DESCRIBE[format])
    return withSamples(store, sample, paths => this.#ports.describe({ format, paths }))
  }

  #skeleton({ name }: TableDefinition, version: string, make: () => Uint8Array): Promise<string> {
    return this.#ports.skeletons.put(JSON.stringify(name), version, make)
  }
}

interface TableSource {
  readonly definition: TableDefinition
  readonly store: ObjectStore
  readonly files: readonly FileKey[]
  readonly version: string
  readonly hive: HiveLayout
}

/** Tables of the same files have versions of their own: a skeleton's path tells which table it is of. */
function versionOf({ name, format }: TableDefinition, files: readonly FileKey[]): string {
  const { catalog, schema, table } = name
  const hash = createHash('sha256').update(JSON.stringify([SKELETON_FORMAT, catalog, schema, table, format]))
  for (const { bucket, key, etag } of files) hash.update(`${bucket}\0${key}\0${etag}\0`)
  return hash.digest('hex')
}

/** A key that is also a column of the files takes its place, as in DuckDB; the others come last. */
function withHiveKeys(described: readonly TableColumn[], hive: HiveLayout): TableColumn[] {
  const keys = new Map(hive.keys.map((name, i) => [name.toLowerCase(), { name, type: hive.types[i] ?? 'VARCHAR' }]))
  const columns = described.map(({ name, type }) => {
    const key = keys.get(name.toLowerCase())
    keys.delete(name.toLowerCase())
    return key ?? { name, type: skeletonType(type) }
  })
  return [...columns, ...keys.values()]
}

function common({ name, format }: TableDefinition, version: string, files: readonly FileKey[], hive: HiveLayout) {
  return { name, version, format, hiveKeys: hive.keys, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) }
}
