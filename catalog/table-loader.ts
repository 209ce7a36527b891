/**
 * A declared table to a Table: lists its files, reads footers, writes the skeleton, asks DuckDB for the types. All
 * errors name the table or the file. What has not changed since the last time is not done again.
 */

import { createHash } from 'node:crypto'
import type { FileKey } from '../cache/key.ts'
import type { ObjectStore } from '../cache/object-store.ts'
import { QueryError } from '../proto/errors.ts'
import type { DescribedExample } from './column-shapes.ts'
import type { TableDefinition } from './definitions.ts'
import { FILENAME, ROW_NUMBER } from './reader-options.ts'
import { distinctCounts } from './distinct-counts.ts'
import { dividedColumns, orderedColumns } from './ordered-columns.ts'
import type { FooterFiles } from './footer-files.ts'
import { FooterCache } from './footers.ts'
import { type HiveLayout, hiveLayout } from './hive.ts'
import { listFiles } from './listing.ts'
import type { Freshness, Listed, Listings } from './listings.ts'
import { ParquetDescriber } from './parquet-describer.ts'
import { joinFooters } from './parquet-files.ts'
import { dataFiles, skeletonColumns } from './parquet-table.ts'
import { estimateRows } from './row-estimate.ts'
import type { SkeletonFiles } from './skeleton-files.ts'
import { skeletonType } from './skeleton-schema.ts'
import { type SkeletonColumn, declaredColumn, skeletonBytes } from './skeleton.ts'
import type { Table, TableColumn } from './table.ts'
import { TextDescriber } from './text-describer.ts'

/** Asks DuckDB what the columns of local files are, without Hive keys of their paths. */
export type DescribeFiles = (request: DescribeRequest) => Promise<FileDescription>

export interface DescribeRequest {
  readonly format: 'parquet' | 'csv' | 'json'
  readonly paths: readonly string[]
  /** Of the reader: SQL literals by name. */
  readonly options: Readonly<Record<string, string>>
  /** True: CSV files are looked at one by one, for the names of their columns alone. */
  readonly each: boolean
}

export interface FileDescription {
  readonly columns: readonly TableColumn[]
  /** Each of the files by itself: of Parquet, and where that was asked for. */
  readonly examples: readonly DescribedExample[]
  /** Options with which read_csv or read_json reads every file of the table as it read these: SQL literals by name. */
  readonly readOptions: Readonly<Record<string, string>>
}

export interface LoaderPorts {
  readonly stores: ReadonlyMap<string, ObjectStore>
  readonly listings: Listings
  readonly skeletons: SkeletonFiles
  readonly footers: FooterFiles
  readonly describe: DescribeFiles
}

export interface Loaded {
  readonly table: Table
  /** When its files were listed, and how long that took. */
  readonly listed: Pick<Listed, 'startedMs' | 'tookMs'>
}

/** A change in how skeletons or versions are made; old files are then not used again. */
const SKELETON_FORMAT = 3

export class TableLoader {
  readonly #ports: LoaderPorts
  readonly #footers: FooterCache
  readonly #parquet: ParquetDescriber
  readonly #text: TextDescriber

  constructor(ports: LoaderPorts) {
    this.#ports = ports
    this.#footers = new FooterCache(ports.footers)
    this.#parquet = new ParquetDescriber(ports.describe)
    this.#text = new TextDescriber(ports.describe)
  }

  /**
   * The table as its files are now; `before` itself if they are what they were. A file that changes between the list
   * and the look at it is met by listing once more.
   */
  async load(definition: TableDefinition, before: Table | undefined, wanted: Freshness): Promise<Loaded> {
    try {
      return await this.#loadOnce(definition, before, wanted)
    } catch (error) {
      if (!(error instanceof QueryError) || error.code !== 'FILE_CHANGED') throw error
      return this.#loadOnce(definition, before, { ...wanted, after: this.#ports.listings.mark() })
    }
  }

  async #loadOnce(definition: TableDefinition, before: Table | undefined, wanted: Freshness): Promise<Loaded> {
    const { stores, listings } = this.#ports
    const storeOf = (bucket: string): ObjectStore => {
      const store = stores.get(bucket)
      if (store !== undefined) return store
      throw new QueryError('INVALID_CONFIG', `${definition.label}: no bucket named '${bucket}'`)
    }
    const { files, ...listed } = await listFiles(storeOf, listings, definition, wanted)
    const version = versionOf(definition, files)
    if (before?.version === version) return { table: before, listed }
    const source = { definition, storeOf, files, version, hive: hiveLayout(files, definition.options) }
    const { format } = definition
    const table = format === 'parquet' ? await this.#loadParquet(source) : await this.#loadText(source, format)
    twoNames(definition, table)
    return { table, listed }
  }

  async #loadParquet({ definition, storeOf, files, version, hive }: TableSource): Promise<Table> {
    const footers = await this.#footers.read(storeOf, files)
    const { described, shapes } = await this.#parquet.describe(definition, files, footers, hive)
    const joined = joinFooters(footers, described, shapes)
    const columns = skeletonColumns(joined, hive)
    const { columns: made, hidden } = withMade(definition, columns, described.columns.length)
    const skeletonPath = await this.#skeleton(definition, version, () => skeletonBytes({
      columns: made.map(({ skeleton }) => skeleton), rowCount: joined.rowCount, rowCountIs: 'exact',
      footer: joined.schema,
    }))
    const data = dataFiles(files, joined, hive)
    return {
      ...common(definition, version, files, hive, hidden),
      columns: made.map(({ column }) => column), shapes, rowCount: joined.rowCount, skeletonPath, readOptions: {},
      distinctCounts: countsOf(made, columns, distinctCounts(joined, hive)),
      orderedColumns: orderedColumns(data.index), dividedColumns: dividedColumns(data.index), ...data,
    }
  }

  async #loadText({ definition, storeOf, files, version, hive }: TableSource, format: 'csv' | 'json'): Promise<Table> {
    const described = await this.#text.describe(definition, storeOf, files, hive)
    const all = withHiveKeys(described.columns, hive)
      .map(column => ({ column, skeleton: declaredColumn(column.name, column.type) }))
    const { columns: made, hidden } = withMade(definition, all, described.columns.length)
    const estimates = await estimateRows(storeOf, files, format, made.length)
    const rowCount = estimates.reduce((sum, rows) => sum + rows, 0)
    const skeletonPath = await this.#skeleton(definition, version, () => skeletonBytes({
      columns: made.map(({ skeleton }) => skeleton), rowCount, rowCountIs: 'estimated', footer: null,
    }))
    return {
      ...common(definition, version, files, hive, hidden), shapes: described.shapes,
      columns: made.map(({ column }) => column), rowCount, skeletonPath, readOptions: described.readOptions,
      distinctCounts: made.map(() => null),
      files: files.map((file, i) => ({
        file, shape: described.shapeOf[i] ?? 0, hiveValues: hive.values[i] ?? [], rowGroups: [],
        rowCount: estimates[i] ?? 0,
      })),
    }
  }

  /** Its skeleton may go. */
  forget(definition: TableDefinition): void {
    this.#ports.skeletons.forget(idOf(definition))
  }

  #skeleton(definition: TableDefinition, version: string, make: () => Uint8Array): Promise<string> {
    return this.#ports.skeletons.put(idOf(definition), version, make)
  }
}

interface TableSource {
  readonly definition: TableDefinition
  readonly storeOf: (bucket: string) => ObjectStore
  readonly files: readonly FileKey[]
  readonly version: string
  readonly hive: HiveLayout
}

interface MadeColumn {
  readonly column: TableColumn
  readonly skeleton: SkeletonColumn
}

function idOf({ name, format, sources, options }: TableDefinition): string {
  return JSON.stringify([name, format, sources, options])
}

/** Tables of the same files have versions of their own: a skeleton's path tells which table it is of. */
function versionOf({ name, format, options, prefixes }: TableDefinition, files: readonly FileKey[]): string {
  const { catalog, schema, table } = name
  const definition = JSON.stringify([SKELETON_FORMAT, catalog, schema, table, format, options, prefixes])
  const hash = createHash('sha256').update(definition)
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

/**
 * Those that readers make come behind the columns of the files, before the Hive keys, as in DuckDB. Last come the ones
 * that nobody has asked for: a FROM gives names to columns by their places. A column of the files hides those.
 */
function withMade(
  { options, format }: TableDefinition, columns: readonly MadeColumn[], ofFiles: number,
): { readonly columns: readonly MadeColumn[]; readonly hidden: readonly string[] } {
  const { filename, rowNumber } = options
  const column = (name: string, type: string): MadeColumn =>
    ({ column: { name, type }, skeleton: declaredColumn(name, type) })
  const asked = [
    ...rowNumber ? [column(ROW_NUMBER, 'BIGINT')] : [], ...filename === null ? [] : [column(filename, 'VARCHAR')],
  ]
  const taken = new Set([...columns, ...asked].map(one => one.column.name.toLowerCase()))
  const hidden = !options.hidden ? [] : [
    ...filename === null ? [column(FILENAME, 'VARCHAR')] : [],
    ...format === 'parquet' ? [column(ROW_NUMBER, 'BIGINT')] : [],
  ].filter(one => !taken.has(one.column.name))
  return {
    columns: [...columns.slice(0, ofFiles), ...asked, ...columns.slice(ofFiles), ...hidden],
    hidden: hidden.map(one => one.column.name),
  }
}

/** Nothing is known of columns that readers make. */
function countsOf(
  made: readonly MadeColumn[], columns: readonly MadeColumn[], counts: readonly (number | null)[],
): readonly (number | null)[] {
  const known = new Map(columns.map((column, i) => [column, counts[i]]))
  return made.map(one => known.get(one) ?? null)
}

function twoNames({ label, options }: TableDefinition, { columns }: Table): void {
  const { filename, rowNumber } = options
  for (const [option, added] of [[FILENAME, filename], [ROW_NUMBER, rowNumber ? ROW_NUMBER : null]] as const) {
    const found = columns.filter(({ name }) => added !== null && name.toLowerCase() === added.toLowerCase())
    if (found.length < 2) continue
    throw new QueryError('BIND_ERROR', `${label}: option ${option} adds the column '${added}', which its files have`)
  }
}

function common(
  { name, format, options, prefixes }: TableDefinition, version: string, files: readonly FileKey[], hive: HiveLayout,
  hidden: readonly string[],
) {
  const column = options.filename ?? hidden.find(name => name === FILENAME)
  return {
    name, version, format, hiveKeys: hive.keys, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    filename: column === undefined ? null : { column, prefixes }, hidden,
  }
}
