/** The cluster's tables as a session's instance gets them, and the refusal of a change of one. */

import type { FileKey } from '../../cache/key.ts'
import type { Table } from '../../catalog/table.ts'
import { QueryError } from '../../proto/errors.ts'
import type { QueryRequest } from '../running-query.ts'
import { carriedFiles, namedScan } from '../task-definition.ts'
import { targetOf } from './mentions.ts'

/** A change of a cluster's table does not even bind; it is told why. */
export function readOnly(sql: string, tables: readonly Table[], { defaultCatalog, defaultSchema }: NameDefaultsOf) {
  const target = targetOf(sql)
  const table = tables.find(({ name }) => target !== null && isNamed(target, name, defaultCatalog, defaultSchema))
  if (table === undefined) return undefined
  return new QueryError('PERMISSION_DENIED', `catalog ${table.name.catalog} is read-only; tables of your own go to `
    + 'memory or temp')
}

type NameDefaultsOf = Pick<QueryRequest, 'defaultCatalog' | 'defaultSchema'>

function isNamed(path: readonly string[], name: Table['name'], catalog: string, schema: string): boolean {
  const own = [name.catalog, name.schema, name.table]
  const full = path.length === 3 ? [path] : path.length === 1 ? [[catalog, schema, ...path]]
    : [[catalog, ...path], [path[0] ?? '', name.schema, path[1] ?? '']]
  return full.some(parts => keyOf(parts) === keyOf(own))
}

export function pathOf({ name: { catalog, schema, table } }: Table): readonly string[] {
  return [catalog, schema, table]
}

export function keyOf(path: readonly string[]): string {
  return path.join('\n').toLowerCase()
}

/** For lists: what it is called and of which types. */
export function withoutFiles(table: Table): Table {
  return { ...table, files: [] }
}

/** A table with what a statement reads of it. */
export interface TableRead {
  readonly table: Table
  /** Positions. */
  readonly columns: readonly number[]
}

/** `names`: as its files have them; null: it may be any. */
export function tableRead(table: Table | undefined, names: readonly string[] | null): TableRead[] {
  if (table === undefined) return []
  const read = names === null ? null : new Set(names.map(name => name.toLowerCase()))
  const isRead = (name: string): boolean => read === null || read.has(name.toLowerCase())
  return [{ table, columns: table.columns.flatMap(({ name }, i) => isRead(name) ? [i] : []) }]
}

/** As a run is told of them. */
export function runTables(read: readonly TableRead[]) {
  return {
    tables: read.flatMap(({ table, columns }) => namedScan(table, columns)),
    carried: carriedFiles(filesOf(read.map(({ table }) => table))),
  }
}

export function filesOf(tables: readonly Table[]): readonly FileKey[] {
  return tables.flatMap(({ files }) => files.map(({ file }) => file))
}
