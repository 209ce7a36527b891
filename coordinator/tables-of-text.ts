/**
 * A text and the tables that it names, as the planner takes them: with names in the place of files, and with columns
 * that are hidden (filename, file_row_number) for a text that names them. Files have those as DuckDB's readers do. For
 * a table of a catalog they come last: only where a text means nothing without them, so a name that it gives itself, or
 * that another table has, is never taken for one. What is told of an error is told of the text as it was written.
 */

import type { Table } from '../catalog/table.ts'
import { replaced, type NamedFiles } from '../planner/file-references.ts'
import { HIDDEN_COLUMNS, mentionsHidden, withAdded, withoutAdded } from '../planner/hidden-columns.ts'
import { QueryError } from '../proto/errors.ts'
import type { CatalogPort, PlannerPort } from './query-ports.ts'
import type { QueryRequest } from './running-query.ts'
import { asWritten } from './text-as-written.ts'

export interface TextPorts {
  readonly planner: Pick<PlannerPort, 'names' | 'hiding'>
  readonly catalog: Pick<CatalogPort, 'resolve'>
}

export interface TextWithTables {
  /** What DuckDB gets. */
  readonly text: string
  readonly tables: readonly Table[]
  readonly references: readonly NamedFiles[]
}

export async function withTables<T>(
  { sql, defaultCatalog, defaultSchema, principal }: QueryRequest, { planner, catalog }: TextPorts,
  use: (text: TextWithTables) => Promise<T>,
): Promise<T> {
  const names = await planner.names(sql)
  const references = names.flatMap(({ files }) => files ?? [])
  const plain = replaced(sql, references)
  const defaults = { catalog: defaultCatalog, schema: defaultSchema }
  const attempt = async (hidden?: 'files' | 'all'): Promise<T> => {
    const asking = { ...defaults, principal }
    const tables = await catalog.resolve(names, hidden === undefined ? asking : { ...asking, hidden })
    const hiding = tables.flatMap(({ name, columns, hidden = [] }) =>
      hidden.length === 0 ? [] : [{ name, columns: columns.map(({ name }) => ({ name })), hidden }])
    const added = hiding.length === 0 ? []
      : await planner.hiding({ sql: plain, tables: hiding, defaults })
    return use({ text: withAdded(plain, added), tables, references })
      .catch((error: unknown) => { throw asWritten(withoutAdded(error, added), plain, sql) })
  }
  if (!mentionsHidden(plain)) return attempt()
  return attempt('files').catch((error: unknown) => {
    if (isAboutHidden(error)) return attempt('all')
    throw error
  })
}

/** DuckDB names the column that it has not found, and others that are alike. */
function isAboutHidden(error: unknown): boolean {
  return error instanceof QueryError && error.code === 'BIND_ERROR'
    && HIDDEN_COLUMNS.some(name => error.message.toLowerCase().includes(name))
}
