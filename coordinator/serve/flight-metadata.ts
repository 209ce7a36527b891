/**
 * The metadata commands of Flight SQL: catalogs, schemas, tables, types. What is listed is the cluster's, and what the
 * session sees beside it. Schemas are exactly those of the standard, nullability included, because drivers compare
 * them. Patterns use % and _ with \ as escape; a filter that is absent filters nothing, an empty catalog or schema
 * means "without one", which nothing is.
 */

import type { SmallColumn } from '../../proto/arrow-table.ts'
import type { CommandGetDbSchemas, CommandGetTables } from '../../proto/gen/flight_sql_pb.js'
import type { CatalogNames } from '../../catalog/catalog.ts'
import type { OwnColumn, OwnTable } from '../session/own-catalog.ts'

const TABLE_TYPE = 'TABLE'
/** What some clients call it. */
const BASE_TABLE = 'BASE TABLE'

export interface ListedTable {
  readonly catalog: string
  readonly schema: string
  readonly table: string
  readonly kind: string
  /** null: its files say it. */
  readonly columns: readonly OwnColumn[] | null
}

export interface Listed {
  /** Schemas by catalog. */
  readonly schemas: ReadonlyMap<string, ReadonlySet<string>>
  readonly tables: readonly ListedTable[]
}

/** The session's own catalogs, which are there for everybody: they are told once there is something in them. */
const sessionOwn: ReadonlySet<string> = new Set(['memory', 'temp'])

/** Of the cluster, and what the session sees beside it. */
export function listed(names: CatalogNames, own: readonly OwnTable[]): Listed {
  const schemas = new Map([...names].map(([catalog, inside]) => [catalog, new Set(inside.keys())]))
  const used = new Set(own.flatMap(({ catalog, table }) => table === null ? [] : [catalog]))
  for (const { catalog, schema } of own) {
    if (sessionOwn.has(catalog) && !used.has(catalog)) continue
    schemas.set(catalog, (schemas.get(catalog) ?? new Set()).add(schema))
  }
  const cluster = [...names].flatMap(([catalog, inside]) => [...inside].flatMap(([schema, tables]) =>
    tables.map(table => ({ catalog, schema, table, kind: TABLE_TYPE, columns: null }))))
  const others = own.flatMap(({ catalog, schema, table, kind, columns }) =>
    table === null || kind === null ? [] : [{ catalog, schema, table, kind, columns }])
  return { schemas, tables: [...cluster, ...others] }
}

export function catalogColumns({ schemas }: Listed): readonly SmallColumn[] {
  return [utf8('catalog_name', false, [...schemas.keys()].sort())]
}

export function schemaColumns({ schemas }: Listed, command: CommandGetDbSchemas): readonly SmallColumn[] {
  const matches = like(command.dbSchemaFilterPattern)
  const rows = [...schemas]
    .filter(([catalog]) => command.catalog === undefined || command.catalog === catalog)
    .flatMap(([catalog, inside]) => [...inside].filter(matches).map(schema => [catalog, schema] as const))
    .sort(byTexts)
  return [
    utf8('catalog_name', true, rows.map(([catalog]) => catalog)),
    utf8('db_schema_name', false, rows.map(([, schema]) => schema)),
  ]
}

/** Which of all tables are asked for, in the order of the answer. */
export function tablesAsked({ tables }: Listed, command: CommandGetTables): readonly ListedTable[] {
  const schemaMatches = like(command.dbSchemaFilterPattern)
  const tableMatches = like(command.tableNameFilterPattern)
  const kinds = new Set(command.tableTypes.map(type => type.toUpperCase()))
  const isAsked = ({ catalog, schema, table, kind }: ListedTable): boolean =>
    (command.catalog === undefined || command.catalog === catalog) && schemaMatches(schema) && tableMatches(table)
    && (kinds.size === 0 || kinds.has(kind) || (kind === TABLE_TYPE && kinds.has(BASE_TABLE)))
  return tables.filter(isAsked).sort((a, b) => byTexts([a.catalog, a.schema, a.table], [b.catalog, b.schema, b.table]))
}

/** `schemas`: the encapsulated Arrow schema of each, if they are asked for. */
export function tableColumns(
  tables: readonly ListedTable[], schemas: readonly Uint8Array[] | undefined,
): readonly SmallColumn[] {
  const columns = [
    utf8('catalog_name', true, tables.map(({ catalog }) => catalog)),
    utf8('db_schema_name', true, tables.map(({ schema }) => schema)),
    utf8('table_name', false, tables.map(({ table }) => table)),
    utf8('table_type', false, tables.map(({ kind }) => kind)),
  ]
  if (schemas === undefined) return columns
  return [...columns, { name: 'table_schema', kind: 'binary', nullable: false, values: schemas }]
}

export function tableTypeColumns(): readonly SmallColumn[] {
  return [utf8('table_type', false, ['LOCAL TEMPORARY', TABLE_TYPE, 'VIEW'])]
}

function utf8(name: string, nullable: boolean, values: readonly string[] = []): SmallColumn {
  return { name, kind: 'utf8', nullable, values }
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

export function byTexts(a: readonly string[], b: readonly string[]): number {
  for (const [i, text] of a.entries()) {
    const other = b[i] ?? ''
    if (text !== other) return text < other ? -1 : 1
  }
  return 0
}
