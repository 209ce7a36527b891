/**
 * A text and the tables that it names, as the planner takes them: with names in the place of files, and with columns
 * that are hidden (filename, file_row_number) for a text that names them. Files have those as DuckDB's readers do. For
 * a table of a catalog they come last: only where a text means nothing without them, so a name that it gives itself, or
 * that another table has, is never taken for one. What is told of an error is told of the text as it was written.
 */

import type { Table, TableColumn } from '../catalog/table.ts'
import { replaced } from '../planner/file-references.ts'
import { isAboutHidden, mentionsHidden, type HidingTable } from '../planner/hidden-columns.ts'
import { edited, nameUnedited, ofUnedited } from '../planner/text-edits.ts'
import type { CatalogPort, PlannerPort } from './query-ports.ts'
import type { QueryRequest } from './running-query.ts'
import { asWritten, namesAsWritten } from './text-as-written.ts'

export interface TextPorts {
  readonly planner: Pick<PlannerPort, 'names' | 'hiding'>
  readonly catalog: Pick<CatalogPort, 'resolve'>
}

export interface TextWithTables {
  /** What DuckDB gets. */
  readonly text: string
  readonly tables: readonly Table[]
  /** Columns as the text that was written names them. */
  readonly named: (columns: readonly TableColumn[]) => readonly TableColumn[]
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
    const edits = tables.some(hidesColumns)
      ? await planner.hiding({ sql: plain, tables: tables.map(hidingTable), defaults }) : []
    const named = (columns: readonly TableColumn[]): readonly TableColumn[] => {
      const unedited = edits.length === 0 ? columns
        : columns.map(({ name, type }) => ({ name: nameUnedited(name, edits, plain), type }))
      return namesAsWritten(unedited, references, sql)
    }
    return use({ text: edited(plain, edits), tables, named })
      .catch((error: unknown) => { throw asWritten(ofUnedited(error, edits), plain, sql) })
  }
  if (!mentionsHidden(plain)) return attempt()
  return attempt('files').catch((error: unknown) => {
    if (isAboutHidden(error)) return attempt('all')
    throw error
  })
}

export function hidesColumns({ hidden = [] }: Table): boolean {
  return hidden.length > 0
}

export function hidingTable({ name, columns, hidden = [] }: Table): HidingTable {
  return { name, columns: columns.map(({ name }) => ({ name })), hidden }
}
