/**
 * The metadata commands of Flight SQL: catalogs, schemas, tables, types, keys. Schemas are exactly those of the
 * standard, nullability included, because drivers compare them. Patterns use % and _ with \ as escape; a filter that is
 * absent filters nothing, an empty catalog or schema means "without one", which nothing is.
 */

import type { SmallColumn } from '../../proto/arrow-table.ts'
import type { CommandGetDbSchemas, CommandGetTables } from '../../proto/gen/flight_sql_pb.js'
import type { CatalogNames } from '../../catalog/catalog.ts'
import type { TableName } from '../../catalog/table.ts'

/** The only kind of table there is; what some clients call a base table. */
const TABLE_TYPE = 'TABLE'
const tableTypeNames = new Set([TABLE_TYPE, 'BASE TABLE'])

export function catalogColumns(names: CatalogNames): readonly SmallColumn[] {
  return [utf8('catalog_name', false, [...names.keys()].sort())]
}

export function schemaColumns(names: CatalogNames, command: CommandGetDbSchemas): readonly SmallColumn[] {
  const matches = like(command.dbSchemaFilterPattern)
  const rows = [...names]
    .filter(([catalog]) => command.catalog === undefined || command.catalog === catalog)
    .flatMap(([catalog, schemas]) => [...schemas.keys()].filter(matches).map(schema => [catalog, schema] as const))
    .sort(byTexts)
  return [
    utf8('catalog_name', true, rows.map(([catalog]) => catalog)),
    utf8('db_schema_name', false, rows.map(([, schema]) => schema)),
  ]
}

/** Which of all tables are asked for, in the order of the answer. */
export function tablesAsked(names: CatalogNames, command: CommandGetTables): readonly TableName[] {
  const schemaMatches = like(command.dbSchemaFilterPattern)
  const tableMatches = like(command.tableNameFilterPattern)
  const { tableTypes } = command
  if (tableTypes.length > 0 && !tableTypes.some(type => tableTypeNames.has(type.toUpperCase()))) return []
  return [...names].flatMap(([catalog, schemas]) => [...schemas].flatMap(([schema, tables]) => {
    const asked = (command.catalog === undefined || command.catalog === catalog) && schemaMatches(schema)
    return asked ? tables.filter(tableMatches).map(table => ({ catalog, schema, table })) : []
  })).sort((a, b) => byTexts([a.catalog, a.schema, a.table], [b.catalog, b.schema, b.table]))
}

/** `schemas`: the encapsulated Arrow schema of each, if they are asked for. */
export function tableColumns(
  tables: readonly TableName[], schemas: readonly Uint8Array[] | undefined,
): readonly SmallColumn[] {
  const columns = [
    utf8('catalog_name', true, tables.map(({ catalog }) => catalog)),
    utf8('db_schema_name', true, tables.map(({ schema }) => schema)),
    utf8('table_name', false, tables.map(({ table }) => table)),
    utf8('table_type', false, tables.map(() => TABLE_TYPE)),
  ]
  if (schemas === undefined) return columns
  return [...columns, { name: 'table_schema', kind: 'binary', nullable: false, values: schemas }]
}

export function tableTypeColumns(): readonly SmallColumn[] {
  return [utf8('table_type', false, [TABLE_TYPE])]
}

/** There are no keys: of what kind, makes no difference. */
export function primaryKeyColumns(): readonly SmallColumn[] {
  return [
    utf8('catalog_name', true), utf8('db_schema_name', true), utf8('table_name', false), utf8('column_name', false),
    int32('key_sequence', false), utf8('key_name', true),
  ]
}

export function foreignKeyColumns(): readonly SmallColumn[] {
  const side = (prefix: string) => [
    utf8(`${prefix}_catalog_name`, true), utf8(`${prefix}_db_schema_name`, true), utf8(`${prefix}_table_name`, false),
    utf8(`${prefix}_column_name`, false),
  ]
  return [
    ...side('pk'), ...side('fk'), int32('key_sequence', false), utf8('fk_key_name', true), utf8('pk_key_name', true),
    { name: 'update_rule', kind: 'uint8', nullable: false, values: [] },
    { name: 'delete_rule', kind: 'uint8', nullable: false, values: [] },
  ]
}

function utf8(name: string, nullable: boolean, values: readonly string[] = []): SmallColumn {
  return { name, kind: 'utf8', nullable, values }
}

function int32(name: string, nullable: boolean): SmallColumn {
  return { name, kind: 'int32', nullable, values: [] }
}

/** SQL's LIKE. */
export function like(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined) return () => true
  const source = pattern.replace(/\\(.)|%|_|[.*+?^${}()|[\]\\/]/gs, (found, escaped: string | undefined) => {
    if (found === '%') return '.*'
    if (found === '_') return '.'
    return (escaped ?? found).replace(/[^\w\s]/g, '\\$&')
  })
  const expression = new RegExp(`^${source}$`, 's')
  return text => expression.test(text)
}

function byTexts(a: readonly string[], b: readonly string[]): number {
  for (const [i, text] of a.entries()) {
    const other = b[i] ?? ''
    if (text !== other) return text < other ? -1 : 1
  }
  return 0
}
