/** A statement for a session's instance that means columns which no `*` means. */

import { meanings } from '../../catalog/meanings.ts'
import type { Table } from '../../catalog/table.ts'
import { isAboutHidden, mentionsHidden } from '../../planner/hidden-columns.ts'
import { edited, type Edit } from '../../planner/text-edits.ts'
import type { QueryError } from '../../proto/errors.ts'
import { quoteName } from '../../proto/sql-text.ts'
import type { HidingPort } from '../query-ports.ts'
import type { QueryRequest } from '../running-query.ts'
import { hidesColumns, hidingTable } from '../tables-of-text.ts'
import { chainsIn } from './mentions.ts'
import { tableApart, type NamedTables } from './named-tables.ts'
import { keyOf, pathOf } from './own-tables.ts'

/** What is bound. */
export interface OwnText {
  readonly sql: string
  /** The same with its parameters; empty if it has none. */
  readonly parameterized: string
  readonly tables: readonly Table[]
  /** Of the text as it was written. */
  readonly edits: readonly Edit[]
}

export interface HiddenIn {
  readonly request: QueryRequest
  /** Names of what the session has made, in lower case. */
  readonly objects: ReadonlySet<string>
  readonly named: NamedTables
  readonly planner: HidingPort
  /** It may make views or macros. */
  readonly keeps: boolean
  /** Of a query over what the session has made. */
  readonly columnsOf: (sql: string) => Promise<readonly string[]>
}

/** After `error`, which said that it does not bind; null: not for the want of such a column. */
export async function withHidden(
  { sql, parameterized, tables: plain }: OwnText, error: QueryError,
  { request, objects, named, planner, keeps, columnsOf }: HiddenIn,
): Promise<OwnText | null> {
  if (!isAboutHidden(error) || !mentionsHidden(sql)) return null
  const tables = await named.withHidden(request)
  const { defaultCatalog: catalog, defaultSchema: schema } = request
  const defaults = { catalog, schema }
  const keys = new Set(tables.map(table => keyOf(pathOf(table))))
  const own: { path: readonly string[]; columns: readonly string[] }[] = []
  for (const path of chainsIn(sql)) {
    const isOfCluster = path.length > 1
      && meanings(path, defaults).some(({ catalog, schema, table }) => keys.has(keyOf([catalog, schema, table])))
    if (isOfCluster || !objects.has(path.at(-1)?.toLowerCase() ?? '')) continue
    const columns = await columnsOf(`SELECT * FROM ${path.map(quoteName).join('.')}`).catch(() => null)
    if (columns !== null) own.push({ path, columns })
  }
  const editsOf = (text: string): Promise<readonly Edit[]> => planner.hiding({
    sql: text, tables: tables.map(hidingTable), defaults, apart: { own },
  })
  const [edits, ofParameterized] = await Promise.all([editsOf(sql), parameterized === '' ? [] : editsOf(parameterized)])
  if (edits.length === 0) return null
  const apart = tables.filter(hidesColumns)
  if (keeps) named.keepApart(apart)
  return {
    sql: edited(sql, edits), parameterized: edited(parameterized, ofParameterized), edits,
    tables: [...plain, ...apart.map(tableApart)],
  }
}
