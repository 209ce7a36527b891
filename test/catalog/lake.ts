/** A bucket in a folder of its own, written by DuckDB, and a catalog over it: for the tests of catalog/. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { LocalStore } from '../../cache/local-store.ts'
import type { ObjectStore } from '../../cache/object-store.ts'
import { type Catalog, openCatalog } from '../../catalog/catalog.ts'
import { SkeletonFiles } from '../../catalog/skeleton-files.ts'
import type { Table } from '../../catalog/table.ts'
import { describeFiles } from '../../planner/describe-files.ts'
import type { Clock } from '../../proto/clock.ts'
import type { CatalogConfig } from '../../proto/config.ts'
import type { TableConfig } from '../../proto/config-table.ts'
import { type DuckDBConnection, DuckDBInstance } from '../duckdb.ts'

export interface Lake {
  /** Of the bucket `lake`. */
  readonly folder: string
  readonly skeletons: string
  readonly store: LocalStore
  /** Milliseconds of the catalog's clock; tests move it. */
  nowMs: number
  /** Calls of the describe port so far. */
  described: number
  path(key: string): string
  /** Writes the rows of a SELECT to a Parquet file. */
  write(key: string, select: string, options?: string): Promise<void>
  writeText(key: string, text: string): void
  rows(sql: string): Promise<unknown[][]>
  /** Over the folder, or over another store. */
  catalog(tables: Readonly<Record<string, string>>, more?: Partial<LakeOptions>, store?: ObjectStore): Catalog
  /** The table `t` of that pattern, freshly loaded. */
  table(glob: string, more?: Partial<LakeOptions>): Promise<Table>
  close(): void
}

export async function openLake(): Promise<Lake> {
  const root = mkdtempSync(join(tmpdir(), 'skein-lake-'))
  const folder = join(root, 'lake')
  mkdirSync(folder)
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run("SET enable_external_file_cache = false; SET disabled_optimizers = 'column_lifetime'")
  await connection.run("SET explain_output = 'optimized_only'")
  const store = new LocalStore('lake', folder)
  const path = (key: string) => join(folder, key)
  let catalogs = 0
  const lake: Lake = {
    folder, skeletons: join(root, 'skeletons'), store, nowMs: 0, described: 0, path,
    async write(key, select, options = '') {
      mkdirSync(dirname(path(key)), { recursive: true })
      await connection.run(`COPY (${select}) TO '${path(key)}' (FORMAT parquet ${options})`)
    },
    writeText(key, text) {
      mkdirSync(dirname(path(key)), { recursive: true })
      writeFileSync(path(key), text)
    },
    rows: sql => rowsOf(connection, sql),
    catalog: (tables, more = {}, other = store) => openCatalog({
      config: { buckets: { lake: { provider: 'local', path: folder } }, catalogs: { c: catalogConfig(tables, more) } },
      stores: new Map([['lake', other]]), footerFolder: join(root, 'footers'),
      skeletons: new SkeletonFiles(join(root, `skeletons${catalogs++ === 0 ? '' : catalogs}`)),
      describe: request => {
        lake.described++
        return describeFiles(request)
      },
      clock: clockOf(lake),
    }),
    async table(glob, more) {
      const [table] = await lake.catalog({ t: glob }, more).resolve([['t']], { catalog: 'c', schema: 'main' })
      if (table === undefined) throw new Error('table t is not resolved')
      return table
    },
    close() {
      connection.closeSync()
      instance.closeSync()
      rmSync(root, { recursive: true })
    },
  }
  return lake
}

/** Of the catalog, and of each of its tables. */
export type LakeOptions = Omit<CatalogConfig, 'tables'> & Omit<TableConfig, 'path'>

export function catalogConfig(tables: Readonly<Record<string, string>>, more: Partial<LakeOptions>): CatalogConfig {
  const { fileFormat = 'parquet', unionByName = null, hivePartitioning = true, read = {}, ...catalog } = more
  const all = Object.entries(tables).map(([name, path]): [string, TableConfig] =>
    [name, { path, fileFormat, unionByName, hivePartitioning, read }])
  return {
    type: 'bucket_tables', bucket: 'lake', assumeImmutable: false, listingTtlMs: 1000, ...catalog,
    tables: Object.fromEntries(all),
  }
}

const clockOf = (lake: Lake): Clock => ({
  nowMs: () => lake.nowMs,
  wallMs: () => lake.nowMs,
  after: () => () => {},
})

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<unknown[][]> {
  return (await connection.runAndReadAll(sql)).getRowsJS()
}
