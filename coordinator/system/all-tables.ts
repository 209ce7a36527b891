/** The tables of the configuration and those of the system, by their names, as whoever asks may see them. */

import type { Catalog, CatalogNames, LoadedTable } from '../../catalog/catalog.ts'
import { meanings } from '../../catalog/meanings.ts'
import type { Table } from '../../catalog/table.ts'
import type { Asking } from '../query-ports.ts'
import { SYSTEM_CATALOG, SYSTEM_SCHEMA } from './columns.ts'
import type { SystemTables } from './system-tables.ts'

export class AllTables {
  readonly #catalog: Catalog
  readonly #system: SystemTables

  constructor(catalog: Catalog, system: SystemTables) {
    this.#catalog = catalog
    this.#system = system
  }

  /** As Catalog.resolve. */
  async resolve(names: readonly (readonly string[])[], asking: Asking): Promise<readonly Table[]> {
    const own = names.flatMap(name => meanings(name, asking)).flatMap(({ catalog, schema, table }) =>
      [catalog, schema].join('.').toLowerCase() === `${SYSTEM_CATALOG}.${SYSTEM_SCHEMA}` ? [table] : [])
    const tables = await this.#catalog.resolve(names, asking, asking.hidden === 'all')
    return own.length === 0 ? tables : [...tables, ...await this.#system.tables(own, asking.principal)]
  }

  list(): CatalogNames {
    return new Map([...this.#catalog.list(), [SYSTEM_CATALOG, new Map([[SYSTEM_SCHEMA, this.#system.names]])]])
  }

  async tables(): Promise<readonly LoadedTable[]> {
    return [...await this.#catalog.tables(), ...await this.#system.shapes()]
  }
}
