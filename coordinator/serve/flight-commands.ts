/**
 * The metadata commands of Flight SQL, from the packed command to its table. GetFlightInfo wants the schema alone,
 * DoGet the rows; a ticket for metadata is the command itself.
 */

import {
  arrowSchemaMessage, tableSchemaMessage, type EnumForm, type ResultColumn, type TableField,
} from '../../proto/arrow-schema.ts'
import { encapsulate } from '../../proto/arrow-stream.ts'
import { smallSchemaMessage, type SmallColumn } from '../../proto/arrow-table.ts'
import { QueryError, unreachable } from '../../proto/errors.ts'
import {
  CommandGetCatalogsSchema, CommandGetCrossReferenceSchema, CommandGetDbSchemasSchema, CommandGetExportedKeysSchema,
  CommandGetImportedKeysSchema, CommandGetPrimaryKeysSchema, CommandGetSqlInfoSchema, CommandGetTablesSchema,
  CommandGetTableTypesSchema, CommandGetXdbcTypeInfoSchema, type CommandGetTables,
} from '../../proto/gen/flight_sql_pb.js'
import { packedName, unpack } from '../../proto/flight-any.ts'
import { foreignKeyColumns, primaryKeyColumns } from './flight-keys.ts'
import {
  catalogColumns, listed, schemaColumns, tableColumns, tablesAsked, tableTypeColumns, type Listed, type ListedTable,
} from './flight-metadata.ts'
import type { OwnCatalog } from '../session/own-catalog.ts'
import type { Session } from '../session/session.ts'
import type { CatalogLister } from './ports.ts'
import { sqlInfoColumns } from './sql-info.ts'
import { xdbcTypeColumns } from './xdbc-types.ts'

export interface MetadataOptions {
  readonly catalog: CatalogLister
  /** What sessions see beside it. */
  readonly own: Pick<OwnCatalog, 'tables' | 'keys'>
  /** Of Skein. */
  readonly version: string
}

const metadataSchemas = [
  CommandGetCatalogsSchema, CommandGetCrossReferenceSchema, CommandGetDbSchemasSchema, CommandGetExportedKeysSchema,
  CommandGetImportedKeysSchema, CommandGetPrimaryKeysSchema, CommandGetSqlInfoSchema, CommandGetTablesSchema,
  CommandGetTableTypesSchema, CommandGetXdbcTypeInfoSchema,
]

/** The table of a packed metadata command. Throws UNSUPPORTED_STATEMENT for any other. */
export async function metadataColumns(
  packed: Uint8Array, session: Session, { catalog, own, version }: MetadataOptions,
): Promise<readonly SmallColumn[]> {
  const command = unpack(packed, metadataSchemas)
  if (command === undefined) throw new QueryError('UNSUPPORTED_STATEMENT', `${packedName(packed)} is not supported`)
  const everything = async () => listed(catalog.list(), await own.tables(session))
  switch (command.$typeName) {
    case 'arrow.flight.protocol.sql.CommandGetCatalogs': return catalogColumns(await everything())
    case 'arrow.flight.protocol.sql.CommandGetDbSchemas': return schemaColumns(await everything(), command)
    case 'arrow.flight.protocol.sql.CommandGetTables':
      return listTables(catalog, await everything(), command)
    case 'arrow.flight.protocol.sql.CommandGetTableTypes': return tableTypeColumns()
    case 'arrow.flight.protocol.sql.CommandGetPrimaryKeys': return primaryKeyColumns(await own.keys(session), command)
    case 'arrow.flight.protocol.sql.CommandGetExportedKeys':
    case 'arrow.flight.protocol.sql.CommandGetImportedKeys':
    case 'arrow.flight.protocol.sql.CommandGetCrossReference':
      return foreignKeyColumns(await own.keys(session), command)
    case 'arrow.flight.protocol.sql.CommandGetSqlInfo': return sqlInfoColumns(version, command.info)
    case 'arrow.flight.protocol.sql.CommandGetXdbcTypeInfo': return xdbcTypeColumns(command.dataType)
    default: return unreachable(command)
  }
}

/** Lists nothing, and so costs nothing. */
const empty: Pick<MetadataOptions, 'catalog' | 'own'> = {
  catalog: { list: () => new Map(), tables: async () => [] },
  own: { tables: async () => [], keys: async () => [] },
}

/** The schema of its table, as a message. */
export async function metadataSchema(packed: Uint8Array, session: Session, version: string): Promise<Uint8Array> {
  return smallSchemaMessage(await metadataColumns(packed, session, { ...empty, version }))
}

/** Files are looked at only for schemas; a table whose files cannot be read has one without columns. */
async function listTables(
  catalog: CatalogLister, all: Listed, command: CommandGetTables,
): Promise<readonly SmallColumn[]> {
  const asked = tablesAsked(all, command)
  if (!command.includeSchema) return tableColumns(asked, undefined)
  const isCluster = asked.some(({ columns }) => columns === null)
  const loaded = new Map((isCluster ? await catalog.tables() : []).map(table => [keyOf(table.name), table]))
  const schemas = asked.map(one => {
    const found = loaded.get(keyOf(one))
    const columns: readonly TableField[] = one.columns?.map(column => ({ ...column, remarks: column.comment }))
      ?? (found?.state === 'loaded' ? found.table.columns : [])
        .map(column => ({ ...column, nullable: true, remarks: null }))
    const readOnly = one.columns === null || one.kind === 'VIEW'
    return encapsulatedMessage(tableSchemaMessage(columns, { ...one, readOnly }, 'text'))
  })
  return tableColumns(asked, schemas)
}

function keyOf({ catalog, schema, table }: Pick<ListedTable, 'catalog' | 'schema' | 'table'>): string {
  return JSON.stringify([catalog, schema, table])
}

/** As every schema outside a stream is sent: with the prefix that a stream has. */
export function encapsulatedSchema(columns: readonly ResultColumn[], enums: EnumForm = 'text'): Uint8Array {
  return encapsulatedMessage(arrowSchemaMessage(columns, enums))
}

export function encapsulatedMessage(dataHeader: Uint8Array): Uint8Array {
  return encapsulate({ dataHeader, dataBody: new Uint8Array(0) })[0]
}
