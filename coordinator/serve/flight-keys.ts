/**
 * Primary and foreign keys of what the session sees beside the cluster's tables, which have none. DuckDB checks them
 * and knows no other rule than to refuse what would break one.
 */

import type { SmallColumn } from '../../proto/arrow-table.ts'
import { unreachable } from '../../proto/errors.ts'
import type {
  CommandGetCrossReference, CommandGetExportedKeys, CommandGetImportedKeys, CommandGetPrimaryKeys,
} from '../../proto/gen/flight_sql_pb.js'
import type { OwnKey } from '../session/own-catalog.ts'
import { byTexts } from './flight-metadata.ts'

/** JDBC's importedKeyNoAction. */
const NO_ACTION = 3

interface Place {
  readonly catalog?: string | undefined
  readonly schema?: string | undefined
  readonly table: string
}

export function primaryKeyColumns(
  keys: readonly OwnKey[], { catalog, dbSchema, table }: Omit<CommandGetPrimaryKeys, '$typeName'>,
): readonly SmallColumn[] {
  const rows = keys.filter(key => key.refers === null && isAt(key, { catalog, schema: dbSchema, table }))
    .flatMap(key => key.columns.map((column, i) => ({ ...key, column, sequence: i + 1 })))
  return [
    utf8('catalog_name', true, rows.map(row => row.catalog)), utf8('db_schema_name', true, rows.map(row => row.schema)),
    utf8('table_name', false, rows.map(row => row.table)), utf8('column_name', false, rows.map(row => row.column)),
    int32('key_sequence', rows.map(row => row.sequence)), utf8('key_name', true, rows.map(row => row.name)),
  ]
}

/** exported: what refers to the table. imported: what the table refers to. cross: what of one table the other does. */
export function foreignKeyColumns(
  keys: readonly OwnKey[], command: CommandGetExportedKeys | CommandGetImportedKeys | CommandGetCrossReference,
): readonly SmallColumn[] {
  const wanted = filterOf(command)
  const rows = keys.flatMap(key => {
    const { refers } = key
    if (refers === null || !wanted(key, { ...key, table: refers.table })) return []
    const primary = keys.find(other => other.refers === null && isAt(other, { ...key, table: refers.table }))
    return key.columns.map((column, i) => ({
      ...key, column, refers, refersColumn: refers.columns[i] ?? '', sequence: i + 1, primary: primary?.name ?? null,
    }))
  }).sort((a, b) => byTexts([a.catalog, a.schema, a.refers.table, a.table, a.name],
    [b.catalog, b.schema, b.refers.table, b.table, b.name]))
  return [
    utf8('pk_catalog_name', true, rows.map(row => row.catalog)),
    utf8('pk_db_schema_name', true, rows.map(row => row.schema)),
    utf8('pk_table_name', false, rows.map(row => row.refers.table)),
    utf8('pk_column_name', false, rows.map(row => row.refersColumn)),
    utf8('fk_catalog_name', true, rows.map(row => row.catalog)),
    utf8('fk_db_schema_name', true, rows.map(row => row.schema)),
    utf8('fk_table_name', false, rows.map(row => row.table)),
    utf8('fk_column_name', false, rows.map(row => row.column)),
    int32('key_sequence', rows.map(row => row.sequence)), utf8('fk_key_name', true, rows.map(row => row.name)),
    utf8('pk_key_name', true, rows.map(row => row.primary)),
    { name: 'update_rule', kind: 'uint8', nullable: false, values: rows.map(() => NO_ACTION) },
    { name: 'delete_rule', kind: 'uint8', nullable: false, values: rows.map(() => NO_ACTION) },
  ]
}

function filterOf(
  command: CommandGetExportedKeys | CommandGetImportedKeys | CommandGetCrossReference,
): (foreign: Place, primary: Place) => boolean {
  switch (command.$typeName) {
    case 'arrow.flight.protocol.sql.CommandGetExportedKeys':
      return (_, primary) => isAt(primary, { ...command, schema: command.dbSchema })
    case 'arrow.flight.protocol.sql.CommandGetImportedKeys':
      return foreign => isAt(foreign, { ...command, schema: command.dbSchema })
    case 'arrow.flight.protocol.sql.CommandGetCrossReference': {
      const { pkCatalog, pkDbSchema, pkTable, fkCatalog, fkDbSchema, fkTable } = command
      return (foreign, primary) => isAt(primary, { catalog: pkCatalog, schema: pkDbSchema, table: pkTable })
        && isAt(foreign, { catalog: fkCatalog, schema: fkDbSchema, table: fkTable })
    }
    default: return unreachable(command)
  }
}

function isAt(one: Place, { catalog, schema, table }: Place): boolean {
  return one.table === table && (catalog === undefined || one.catalog === catalog)
    && (schema === undefined || one.schema === schema)
}

function utf8(name: string, nullable: boolean, values: readonly (string | null)[]): SmallColumn {
  return { name, kind: 'utf8', nullable, values }
}

function int32(name: string, values: readonly number[]): SmallColumn {
  return { name, kind: 'int32', nullable: false, values }
}
