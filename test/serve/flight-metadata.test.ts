/** Catalogs, tables, types and SqlInfo as a Flight SQL client sees them. */

import { type Schema, tableFromIPC } from 'apache-arrow'
import t from 'tap'
import type { Table } from '../../catalog/table.ts'
import type { CatalogLister } from '../../coordinator/serve/ports.ts'
import { like } from '../../coordinator/serve/flight-metadata.ts'
import { sqlInfos } from '../../coordinator/serve/sql-info.ts'
import { QueryError } from '../../proto/errors.ts'
import {
  CommandGetCatalogsSchema, CommandGetCrossReferenceSchema, CommandGetDbSchemasSchema, CommandGetPrimaryKeysSchema,
  CommandGetSqlInfoSchema, CommandGetTablesSchema, CommandGetTableTypesSchema, CommandGetXdbcTypeInfoSchema,
} from '../../proto/gen/flight_sql_pb.js'
import { FakeQueries } from './fake-queries.ts'
import { FlightClient, packed, rowsOf, startFlight } from './flight-client.ts'

const orders = {
  name: { catalog: 'lake', schema: 'main', table: 'orders' }, version: 'v1', format: 'parquet',
  columns: [{ name: 'id', type: 'BIGINT' }, { name: 'price', type: 'DECIMAL(18,2)' }], hiveKeys: [], readOptions: {},
  shapes: [], filename: null,
  files: [], rowCount: 0, sizeBytes: 0, skeletonPath: '', distinctCounts: [],
} satisfies Table

const broken = { catalog: 'lake', schema: 'main', table: 'o_broken' }
const catalog: CatalogLister = {
  list: () => new Map([
    ['lake', new Map([['main', ['orders', 'o_broken', 'customers']], ['raw', ['orders']]])],
    ['b', new Map([['main', ['x']]])],
  ]),
  tables: async () => [
    { state: 'loaded', name: orders.name, table: orders },
    { state: 'failed', name: broken, error: new QueryError('FILE_CORRUPT', 'broken') },
  ],
}

async function connect(t: Tap) {
  const queries = new FakeQueries(() => { throw new Error('no queries') })
  return new FlightClient(t, await startFlight(t, { queries, catalog }))
}

type Tap = Parameters<typeof startFlight>[0]

t.test('catalogs and schemas are listed, filtered by patterns', async t => {
  const client = await connect(t)
  const catalogs = rowsOf(await client.read(packed(CommandGetCatalogsSchema, {})))
  t.strictSame(catalogs, [{ catalog_name: 'b' }, { catalog_name: 'lake' }])
  const schemas = async (filter: object) => rowsOf(await client.read(packed(CommandGetDbSchemasSchema, filter)))
    .map(row => Object.values(row as object).join('.'))
  t.strictSame(await schemas({}), ['b.main', 'lake.main', 'lake.raw'])
  t.strictSame(await schemas({ catalog: 'lake', dbSchemaFilterPattern: 'r%' }), ['lake.raw'])
  t.strictSame(await schemas({ catalog: '' }), [])
})

t.test('tables are listed by name and type, with their schemas if asked', async t => {
  const client = await connect(t)
  const tables = async (filter: object) => rowsOf(await client.read(packed(CommandGetTablesSchema, filter)))
    .map(row => Object.values(row as object).join('.'))
  t.strictSame(await tables({}), [
    'b.main.x.TABLE', 'lake.main.customers.TABLE', 'lake.main.o_broken.TABLE', 'lake.main.orders.TABLE',
    'lake.raw.orders.TABLE',
  ])
  t.strictSame(await tables({ tableNameFilterPattern: 'o\\_%' }), ['lake.main.o_broken.TABLE'])
  t.strictSame(await tables({ tableTypes: ['VIEW'] }), [])
  t.equal((await tables({ tableTypes: ['VIEW', 'base table'], dbSchemaFilterPattern: 'raw' })).length, 1)
  const types = rowsOf(await client.read(packed(CommandGetTableTypesSchema, {})))
  t.strictSame(types, [{ table_type: 'LOCAL TEMPORARY' }, { table_type: 'TABLE' }, { table_type: 'VIEW' }])

  const filter = { catalog: 'lake', dbSchemaFilterPattern: 'main', tableNameFilterPattern: 'o%', includeSchema: true }
  const table = await client.read(packed(CommandGetTablesSchema, filter))
  const schemas = rowsOf(table).map(row => tableFromIPC((row as { table_schema: Uint8Array }).table_schema).schema)
  t.strictSame(schemas.map(schema => schema.fields.map(field => `${field.name} ${String(field.type)}`)), [
    [], ['id Int64', 'price Decimal[18e+2]'],
  ])
  const price = schemas[1]?.fields[1]
  const flight = [...price?.metadata ?? []].flatMap(([key, value]) =>
    key.startsWith('ARROW:FLIGHT:SQL:') ? [`${key.slice(17)}=${value}`] : [])
  t.strictSame(flight.sort(), [
    'CATALOG_NAME=lake', 'DB_SCHEMA_NAME=main', 'IS_AUTO_INCREMENT=0', 'IS_CASE_SENSITIVE=0', 'IS_READ_ONLY=1',
    'IS_SEARCHABLE=1', 'PRECISION=18', 'SCALE=2', 'SCHEMA_NAME=main', 'TABLE_NAME=orders', 'TYPE_NAME=DECIMAL',
  ])
})

t.test('patterns are those of LIKE', t => {
  const matches = (pattern: string, text: string) => like(pattern)(text)
  const pairs = [['a%', 'abc'], ['a_c', 'abc'], ['%', ''], ['a.c', 'a.c'], ['a\\%', 'a%']] as const
  t.strictSame(pairs.filter(([pattern, text]) => !matches(pattern, text)), [])
  const others = [['a.c', 'abc'], ['a', 'ab'], ['a\\%', 'ab'], ['A%', 'abc'], ['_', '']] as const
  t.strictSame(others.filter(([pattern, text]) => matches(pattern, text)), [])
  t.end()
})

t.test('the schemas are those of the standard', async t => {
  const client = await connect(t)
  const fields = async (command: Uint8Array) => text((await client.read(command)).schema)
  t.equal(await fields(packed(CommandGetTablesSchema, { includeSchema: true })),
    'catalog_name Utf8, db_schema_name Utf8, table_name Utf8!, table_type Utf8!, table_schema Binary!')
  t.equal(await fields(packed(CommandGetPrimaryKeysSchema, { table: 'x' })),
    'catalog_name Utf8, db_schema_name Utf8, table_name Utf8!, column_name Utf8!, key_sequence Int32!, key_name Utf8')
  t.equal(await fields(packed(CommandGetCrossReferenceSchema, { pkTable: 'x', fkTable: 'y' })),
    'pk_catalog_name Utf8, pk_db_schema_name Utf8, pk_table_name Utf8!, pk_column_name Utf8!, fk_catalog_name Utf8, '
    + 'fk_db_schema_name Utf8, fk_table_name Utf8!, fk_column_name Utf8!, key_sequence Int32!, fk_key_name Utf8, '
    + 'pk_key_name Utf8, update_rule Uint8!, delete_rule Uint8!')
  const types = await fields(packed(CommandGetXdbcTypeInfoSchema, {}))
  t.match(types, /^type_name Utf8!, data_type Int32!, column_size Int32, .*interval_precision Int32$/)
})

t.test('types are listed by code, and found by it', async t => {
  const client = await connect(t)
  const names = async (filter: { dataType?: number }) => {
    const rows = rowsOf(await client.read(packed(CommandGetXdbcTypeInfoSchema, filter)))
    return rows as { type_name: string; data_type: number }[]
  }
  const codes = (await names({})).map(({ data_type }) => data_type)
  t.strictSame(codes, [...codes].sort((a, b) => a - b))
  const timestamps = (await names({ dataType: 93 })).map(({ type_name }) => type_name)
  t.strictSame(timestamps, ['TIMESTAMP', 'TIMESTAMP WITH TIME ZONE'])
})

t.test('every code of SqlInfo has a value, in the member that drivers read', async t => {
  const client = await connect(t)
  const all = await client.read(packed(CommandGetSqlInfoSchema, {}))
  t.equal(all.numRows, sqlInfos('x').size)
  const some = await client.read(packed(CommandGetSqlInfoSchema, { info: [8, 0, 503, 9999, 508, 517] }))
  const names = some.getChild('info_name')?.toJSON()
  t.strictSame(names, [0, 8, 503, 508, 517])
  const values = some.getChild('value')
  t.equal(values?.get(0), 'Skein')
  t.equal(values?.get(1), 1)
  t.equal(values?.get(2), 1n)
  t.ok(values?.get(3).toJSON().includes('qualify'))
})

function text(schema: Schema): string {
  return schema.fields.map(({ name, type, nullable }) => `${name} ${String(type)}${nullable ? '' : '!'}`).join(', ')
}
