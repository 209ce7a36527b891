/** `@lakehouse-rs/flight-sql-client`: a library of Rust in Node, which prepares every statement. */

import { createFlightSqlClient } from '@lakehouse-rs/flight-sql-client'
import { tableFromIPC } from 'apache-arrow'
import t from 'tap'
import { given, behaviours, rowsOf } from './behaviours.ts'

const { host, port, user, password } = given
const connect = (more: object = { username: user, password }) =>
  createFlightSqlClient({ host, port, tls: false, headers: [], ...more })
const client = await connect()

await t.test('what every client meets', t => behaviours(t, {
  open: async () => {
    const own = await connect()
    return { ask: async sql => tableFromIPC(await own.query(sql)), close: () => Promise.resolve() }
  },
  // it tells at which step it failed, and not why
  says: () => /^(failed to prepare statement|do_get_request)$/,
}))

await t.test('nobody, and a token that is none, are refused', async t => {
  await t.rejects((await connect({})).query('SELECT 1'), { message: 'failed to prepare statement' })
  await t.rejects((await connect({ token: 'a guess' })).query('SELECT 1'), { message: 'failed to prepare statement' })
})

await t.test('a header of the caller logs in, too', async t => {
  const value = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const own = await connect({ headers: [{ key: 'authorization', value }] })
  t.strictSame(rowsOf(tableFromIPC(await own.query('SELECT 1 AS a'))), [{ a: 1 }])
})

await t.test('catalogs, schemas by a pattern, tables by patterns and types, with their columns', async t => {
  t.strictSame(rowsOf(tableFromIPC(await client.getCatalogs())),
    ['csvs', 'jsons', 'lake', 'skein', 'work'].map(name => ({ catalog_name: name })))
  t.strictSame(rowsOf(tableFromIPC(await client.getDbSchemas({ catalog: 'lake', dbSchemaFilterPattern: 'ma%' }))),
    [{ catalog_name: 'lake', db_schema_name: 'main' }])
  const filter = { catalog: 'lake', tableNameFilterPattern: 's%', tableTypes: ['TABLE'] }
  const names = rowsOf(tableFromIPC(await client.getTables({ ...filter, includeSchema: true })))
  t.strictSame(names.map(row => (row as { table_name: string }).table_name), ['sales', 'single', 'solid'])
  t.strictSame(rowsOf(tableFromIPC(await client.getTables({ ...filter, tableTypes: ['VIEW'] }))), [])
})

await t.test('parameters, which it cannot bind, are refused', async t => {
  await t.rejects(client.query('SELECT ?::INTEGER AS a'), { message: 'do_get_request' })
})
