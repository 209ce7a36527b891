/**
 * The catalog: names to tables. A table is loaded when a query first names it and looked at again when its time to
 * live has passed; what a query got does not change under it. A table that cannot be loaded fails the queries that
 * name it and no others.
 */

import { isDeepStrictEqual } from 'node:util'
import type { ObjectStore } from '../cache/object-store.ts'
import type { Clock } from '../proto/clock.ts'
import { type QueryError, asQueryError } from '../proto/errors.ts'
import { type Config, listingTtlMs } from '../proto/config.ts'
import { BloomFilters } from './bloom-filters.ts'
import { BUCKET_SCHEMA, type TableDefinition, definitions } from './definitions.ts'
import { type FilesOfText, FileTables } from './file-tables.ts'
import { FooterFiles } from './footer-files.ts'
import { Listings, goodUntilMs } from './listings.ts'
import { meanings, type NameDefaults } from './meanings.ts'
import type { SkeletonFiles } from './skeleton-files.ts'
import type { Table, TableName } from './table.ts'
import { type DescribeFiles, TableLoader } from './table-loader.ts'

/** Table names by schema by catalog. */
export type CatalogNames = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

export type LoadedTable =
  | { readonly state: 'loaded'; readonly name: TableName; readonly table: Table }
  | { readonly state: 'failed'; readonly name: TableName; readonly error: QueryError }

interface Entry {
  readonly table: Promise<Table>
  /** Null while it is being loaded. */
  expiresMs: number | null
}

/** Of databases there is nothing here but their names: what is in them is seen where they are. */
type CatalogsConfig = Pick<Config, 'catalogs' | 'buckets'> & Partial<Pick<Config, 'databases'>>

export interface CatalogOptions {
  readonly config: CatalogsConfig
  /** By the names of their buckets. */
  readonly stores: ReadonlyMap<string, ObjectStore>
  /** Planners read in its folder. */
  readonly skeletons: SkeletonFiles
  /** Absolute; belongs to this catalog alone. For the footers of remote files. */
  readonly footerFolder: string
  readonly describe: DescribeFiles
  readonly clock: Clock
}

export function openCatalog({ config, stores, skeletons, footerFolder, ...more }: CatalogOptions): Catalog {
  const { describe, clock } = more
  const footers = new FooterFiles(footerFolder)
  const listings = new Listings(clock)
  const loader = new TableLoader({ stores, skeletons, footers, describe, listings })
  return new Catalog(config, loader, listings, new BloomFilters({ stores, files: footers, clock }), clock)
}

export class Catalog {
  /** Of the files of its tables. */
  readonly bloomFilters: BloomFilters
  #buckets: Config['buckets']
  #definitions: ReadonlyMap<string, TableDefinition>
  readonly #loader: TableLoader
  readonly #listings: Listings
  /** Where files are known to have changed, or may have: only lists that began after this mark count. */
  readonly #doubted = new WeakMap<TableDefinition, number>()
  readonly #clock: Clock
  readonly #entries = new Map<TableDefinition, Entry>()
  readonly #last = new Map<TableDefinition, Table>()
  #files: FileTables
  readonly #databases: readonly string[]
  /** By definition: the same table with its hidden columns. */
  readonly #withHidden = new WeakMap<TableDefinition, TableDefinition>()

  constructor(
    config: CatalogsConfig, loader: TableLoader, listings: Listings, bloomFilters: BloomFilters, clock: Clock,
  ) {
    this.bloomFilters = bloomFilters
    this.#databases = Object.keys(config.databases ?? {})
    this.#buckets = config.buckets
    this.#definitions = byName(definitions(config))
    this.#loader = loader
    this.#listings = listings
    this.#clock = clock
    this.#files = this.#fileTables()
  }

  /**
   * Its tables from now on. What is known of those that stay as they were, in buckets that stay as they were, is kept;
   * of files that statements have named nothing is.
   */
  reload({ catalogs, buckets }: Pick<Config, 'catalogs' | 'buckets'>): void {
    const before = this.#definitions
    const isSame = (old: TableDefinition, now: TableDefinition): boolean => isDeepStrictEqual(old, now)
      && now.sources.every(({ bucket }) => isDeepStrictEqual(this.#buckets[bucket], buckets[bucket]))
    const now = definitions({ catalogs }).map(definition => {
      const old = before.get(keyOf(definition.name))
      return old !== undefined && isSame(old, definition) ? old : definition
    })
    const kept = new Set(now)
    for (const old of [...before.values(), ...this.#files.all()]) if (!kept.has(old)) this.#forget(old)
    this.#buckets = buckets
    this.#definitions = byName(now)
    this.#files = this.#fileTables()
  }

  #fileTables(): FileTables {
    const buckets = this.#buckets
    return new FileTables({
      buckets,
      ttlMs: bucket => listingTtlMs(buckets[bucket]?.provider),
      onForget: definition => this.#forget(definition),
    })
  }

  /**
   * Every table that one of `names` may mean, each once. Names have 1 to 3 parts: [[catalog,] schema,] table or
   * catalog, table. A name without a table is left out: DuckDB says so with its place in the text. Rejects if one of
   * the tables cannot be loaded. `hidden`: with the columns that only those who name them see.
   */
  async resolve(
    names: readonly (readonly string[])[], defaults: NameDefaults, hidden = false,
  ): Promise<readonly Table[]> {
    const found = new Set(names.flatMap(name => meanings(name, defaults)).flatMap(name => {
      const definition = this.#definitions.get(keyOf(name))
      return definition === undefined ? [] : [definition]
    }))
    return Promise.all([...found].map(definition => this.#current(this.#as(definition, hidden))))
  }

  /**
   * Tables of files that a text names, each under the name that stands in their place there. PERMISSION_DENIED for
   * files of no registered bucket.
   */
  async resolveFiles(
    named: readonly { readonly table: string; readonly files: FilesOfText }[], defaults: NameDefaults, hidden = false,
  ): Promise<readonly Table[]> {
    const found = named.map(({ table, files }) => this.#files.define({ ...defaults, table }, files))
    return Promise.all(found.map(definition => this.#current(this.#as(definition, hidden))))
  }

  #as(definition: TableDefinition, hidden: boolean): TableDefinition {
    if (!hidden) return definition
    const known = this.#withHidden.get(definition)
    const made = known ?? { ...definition, options: { ...definition.options, hidden: true } }
    if (known === undefined) this.#withHidden.set(definition, made)
    return made
  }

  /** Without looking at any file. */
  list(): CatalogNames {
    const catalogs = new Map<string, Map<string, string[]>>()
    for (const { name } of this.#definitions.values()) {
      const schemas = catalogs.get(name.catalog) ?? new Map<string, string[]>()
      schemas.set(name.schema, [...schemas.get(name.schema) ?? [], name.table])
      catalogs.set(name.catalog, schemas)
    }
    for (const name of this.#databases) catalogs.set(name, new Map([[BUCKET_SCHEMA, []]]))
    return catalogs
  }

  /** All tables with their columns, for those who list them; what cannot be loaded is there with its error. */
  tables(): Promise<readonly LoadedTable[]> {
    return Promise.all([...this.#definitions.values()].map(definition => this.#loaded(definition)))
  }

  /** Tables of the configuration as they were last seen; nothing is looked at. */
  seen(): readonly Table[] {
    return [...this.#definitions.values()].flatMap(definition => this.#last.get(definition) ?? [])
  }

  /**
   * Looks again at the files of the tables that `name` means, at immutable ones too: [[catalog,] schema,] table, a
   * catalog alone, or, without a part, all of them and whatever statements have named by address.
   */
  async refresh(name: readonly string[], defaults: NameDefaults): Promise<readonly LoadedTable[]> {
    const [first = ''] = name
    const all = [...this.#definitions.values()]
    const named = new Set(meanings(name, defaults).map(keyOf))
    const found = name.length === 0 ? all : all.filter(({ name }) => named.has(keyOf(name)))
    const ofCatalog = all.filter(({ name: { catalog } }) => catalog.toLowerCase() === first.toLowerCase())
    const meant = found.length > 0 || name.length > 1 ? found : ofCatalog
    for (const definition of name.length === 0 ? [...meant, ...this.#files.all()] : meant) this.#doubt(definition)
    return Promise.all(meant.map(definition => this.#loaded(definition)))
  }

  /** A file was found changed: looks at the files of `tables` again when they are next named, at immutable ones too. */
  invalidate(tables: readonly TableName[]): void {
    for (const name of tables) {
      const definition = this.#definitions.get(keyOf(name))
      if (definition !== undefined) this.#doubt(definition)
      for (const files of this.#files.all()) if (keyOf(files.name) === keyOf(name)) this.#doubt(files)
    }
  }

  #doubt(definition: TableDefinition): void {
    const withHidden = this.#withHidden.get(definition)
    if (withHidden !== undefined) this.#doubt(withHidden)
    this.#entries.delete(definition)
    this.#doubted.set(definition, this.#listings.mark())
  }

  #forget(definition: TableDefinition): void {
    const withHidden = this.#withHidden.get(definition)
    if (withHidden !== undefined) this.#forget(withHidden)
    this.#entries.delete(definition)
    this.#last.delete(definition)
    this.#loader.forget(definition)
  }

  async #loaded(definition: TableDefinition): Promise<LoadedTable> {
    const { name } = definition
    try {
      return { state: 'loaded', name, table: await this.#current(definition) }
    } catch (error) {
      return { state: 'failed', name, error: asQueryError(error) }
    }
  }

  #current(definition: TableDefinition): Promise<Table> {
    const known = this.#entries.get(definition)
    if (known !== undefined && (known.expiresMs === null || this.#clock.nowMs() < known.expiresMs)) return known.table
    const { listingTtlMs: ttlMs, assumeImmutable } = definition
    const loaded = this.#loader.load(definition, this.#last.get(definition), {
      ttlMs, after: this.#doubted.get(definition) ?? 0,
    })
    const entry: Entry = { table: loaded.then(({ table }) => table), expiresMs: null }
    this.#entries.set(definition, entry)
    loaded.then(
      ({ table, listed }) => {
        this.#last.set(definition, table)
        entry.expiresMs = assumeImmutable ? Infinity : goodUntilMs(listed, ttlMs)
      },
      () => { if (this.#entries.get(definition) === entry) this.#entries.delete(definition) },
    )
    return entry.table
  }
}

function byName(definitions: readonly TableDefinition[]): ReadonlyMap<string, TableDefinition> {
  return new Map(definitions.map(definition => [keyOf(definition.name), definition]))
}

/** DuckDB's names do not differ by case. */
function keyOf({ catalog, schema, table }: TableName): string {
  return [catalog, schema, table].join('\n').toLowerCase()
}
