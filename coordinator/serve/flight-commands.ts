/**
 * The metadata commands of Flight SQL, from the packed command to its table. GetFlightInfo wants the schema alone,
 * DoGet the rows; a ticket for metadata is the command itself.
 */

import type { TableName } from '../../catalog/table.ts'
import { arrowSchemaMessage, type EnumForm, type ResultColumn } from '../../proto/arrow-schema.ts'
import { encapsulate } from '../../proto/arrow-stream.ts'
import type { SmallColumn } from '../../proto/arrow-table.ts'
import { QueryError, unreachable } from '../../proto/errors.ts'
import {
  CommandGetCatalogsSchema, CommandGetCrossReferenceSchema, CommandGetDbSchemasSchema, CommandGetExportedKeysSchema,
  CommandGetImportedKeysSchema, CommandGetPrimaryKeysSchema, CommandGetSqlInfoSchema, CommandGetTablesSchema,
  CommandGetTableTypesSchema, CommandGetXdbcTypeInfoSchema, type CommandGetTables,
} from '../../proto/gen/flight_sql_pb.js'
import { packedName, unpack } from './flight-any.ts'
import {
  catalogColumns, foreignKeyColumns, primaryKeyColumns, schemaColumns, tableColumns, tablesAsked, tableTypeColumns,
} from './flight-metadata.ts'
import type { CatalogLister } from './ports.ts'
import { sqlInfoColumns } from './sql-info.ts'
import { xdbcTypeColumns } from './xdbc-types.ts'

export interface MetadataOptions {
  readonly catalog: CatalogLister
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
  packed: Uint8Array, { catalog, version }: MetadataOptions,
): Promise<readonly SmallColumn[]> {
  const command = unpack(packed, metadataSchemas)
  if (command === undefined) throw new QueryError('UNSUPPORTED_STATEMENT', `${packedName(packed)} is not supported`)
  switch (command.$typeName) {
    case 'arrow.flight.protocol.sql.CommandGetCatalogs': return catalogColumns(catalog.list())
    case 'arrow.flight.protocol.sql.CommandGetDbSchemas': return schemaColumns(catalog.list(), command)
    case 'arrow.flight.protocol.sql.CommandGetTables': return listTables(catalog, command)
    case 'arrow.flight.protocol.sql.CommandGetTableTypes': return tableTypeColumns()
    case 'arrow.flight.protocol.sql.CommandGetPrimaryKeys': return primaryKeyColumns()
    case 'arrow.flight.protocol.sql.CommandGetExportedKeys':
    case 'arrow.flight.protocol.sql.CommandGetImportedKeys':
    case 'arrow.flight.protocol.sql.CommandGetCrossReference': return foreignKeyColumns()
    case 'arrow.flight.protocol.sql.CommandGetSqlInfo': return sqlInfoColumns(version, command.info)
    case 'arrow.flight.protocol.sql.CommandGetXdbcTypeInfo': return xdbcTypeColumns(command.dataType)
    default: return unreachable(command)
  }
}

/** Files are looked at only for schemas; a table whose files cannot be read has one without columns. */
async function listTables(catalog: CatalogLister, command: CommandGetTables): Promise<readonly SmallColumn[]> {
  const asked = tablesAsked(catalog.list(), command)
  if (!command.includeSchema) return tableColumns(asked, undefined)
  const loaded = new Map((await catalog.tables()).map(table => [keyOf(table.name), table]))
  const schemas = asked.map(name => {
    const found = loaded.get(keyOf(name))
    return encapsulatedSchema(found?.state === 'loaded' ? found.table.columns : [])
  })
  return tableColumns(asked, schemas)
}

function keyOf({ catalog, schema, table }: TableName): string {
  return JSON.stringify([catalog, schema, table])
}

/** As every schema outside a stream is sent: with the prefix that a stream has. */
export function encapsulatedSchema(columns: readonly ResultColumn[], enums: EnumForm = 'text'): Uint8Array {
  return encapsulatedMessage(arrowSchemaMessage(columns, enums))
}

export function encapsulatedMessage(dataHeader: Uint8Array): Uint8Array {
  return encapsulate({ dataHeader, dataBody: new Uint8Array(0) })[0]
}
