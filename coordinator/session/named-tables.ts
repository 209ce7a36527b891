/**
 * The cluster's tables that a session's statements have named, which its views and macros may read later, as its
 * instance gets them. The columns that no `*` means (planner/hidden-columns.ts) are those of other tables there, for
 * views keep what `*` meant when they were made: a text that means such a column names these.
 */

import type { CatalogNames, LoadedTable } from '../../catalog/catalog.ts'
import type { Table } from '../../catalog/table.ts'
import { mentionsHidden, nameApart } from '../../planner/hidden-columns.ts'
import { asQueryError, type QueryError } from '../../proto/errors.ts'
import type { Asking } from '../query-ports.ts'
import type { QueryRequest } from '../running-query.ts'
import { hidesColumns } from '../tables-of-text.ts'
import { chainsIn } from './mentions.ts'
import { keyOf, pathOf } from './own-tables.ts'

export interface SessionCatalog {
  resolve(names: readonly (readonly string[])[], asking: Asking): Promise<readonly Table[]>
  list(): CatalogNames
  tables(): Promise<readonly LoadedTable[]>
}

/** With what is wrong with those that are not there. */
export interface Found {
  readonly tables: readonly Table[]
  readonly failures: readonly QueryError[]
}

type Text = Pick<QueryRequest, 'sql' | 'defaultCatalog' | 'defaultSchema' | 'principal'>
type Names = readonly (readonly string[])[]

/** A transaction sees no table that is made near after it has begun: so many of the default catalog come at once. */
const TABLES_OF_TRANSACTION = 64

export class NamedTables {
  readonly #catalog: SessionCatalog
  readonly #named = new Map<string, readonly string[]>()
  /** Those that were named with their hidden columns. */
  readonly #apart = new Map<string, readonly string[]>()

  constructor(catalog: SessionCatalog) {
    this.#catalog = catalog
  }

  /** Those that the text may name, and those that were named before. */
  async of(text: Text, begin: boolean): Promise<Found> {
    const names = [...chainsIn(text.sql), ...this.#named.values(), ...begin ? this.#default(text) : []]
    // none can come later in the transaction
    const early = begin && mentionsHidden(text.sql) ? chainsIn(text.sql) : []
    const [plain, apart] = await Promise.all([
      this.#resolve(names, text), this.#resolve([...this.#apart.values(), ...early], text, true),
    ])
    for (const table of plain.tables) this.#named.set(keyOf(pathOf(table)), pathOf(table))
    return { tables: [...plain.tables, ...apart.tables.filter(hidesColumns).map(tableApart)], failures: plain.failures }
  }

  /** Those that the text may name, with their hidden columns and under their own names. */
  async withHidden(text: Text): Promise<readonly Table[]> {
    return (await this.#resolve(chainsIn(text.sql), text, true)).tables
  }

  /** A view or a macro may read these from now on. */
  keepApart(tables: readonly Table[]): void {
    for (const table of tables) this.#apart.set(keyOf(pathOf(table)), pathOf(table))
  }

  async #resolve(names: Names, { defaultCatalog, defaultSchema, principal }: Text, hidden = false): Promise<Found> {
    const asking = { catalog: defaultCatalog, schema: defaultSchema, principal }
    const found = new Map<string, Table>()
    const failures: QueryError[] = []
    await Promise.all(names.map(async name => {
      const tables = await this.#catalog.resolve([name], hidden ? { ...asking, hidden: 'all' } : asking)
        .catch((thrown: unknown) => {
          failures.push(asQueryError(thrown))
          return []
        })
      for (const table of tables) found.set(keyOf(pathOf(table)), table)
    }))
    return { tables: [...found.values()], failures }
  }

  #default({ defaultCatalog: catalog, defaultSchema: schema }: Text): Names {
    const tables = this.#catalog.list().get(catalog)?.get(schema) ?? []
    return tables.length > TABLES_OF_TRANSACTION ? [] : tables.map(table => [catalog, schema, table])
  }
}

/** As the session's instance knows it. */
export function tableApart(table: Table): Table {
  return { ...table, name: { ...table.name, table: nameApart(table.name.table) } }
}
