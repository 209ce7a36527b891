/**
 * The npm clients of Flight SQL against a cluster with users and without TLS, each by its own API.
 *
 * usage: flight_npm.mjs FOLDER HOST PORT USER PASSWORD     FOLDER: where the clients are installed
 * Prints one line `ok ...` for each behaviour; ends with status 1 if one of them is not as it should be.
 */

import { strict as assert } from 'node:assert'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [folder, host, portText, username, password] = process.argv.slice(2)
const port = Number(portText)
const load = createRequire(join(folder, 'package.json'))
const rowsOf = table => table.toArray().map(row => Object.fromEntries(Object.entries(row.toJSON())))
const LARGE = 'SELECT i::INTEGER AS i, repeat(\'x\', 40) AS text FROM range(200000) AS r(i)'
let failures = 0

async function check(what, behaviour) {
  try {
    await behaviour()
    process.stdout.write(`ok ${what}\n`)
  } catch (error) {
    failures++
    process.stdout.write(`not ok ${what}\n${error?.stack ?? error}\n`)
  }
}

async function pure(name) {
  const { FlightSQLClient } = load(name)
  const open = more => new FlightSQLClient({ host, port, plaintext: true, username, password, ...more })
  const client = open()
  const isGizmo = name.startsWith('@gizmodata')
  await check(`${name}: a statement gives its rows and names`, async () => {
    assert.deepEqual(rowsOf(await client.execute('SELECT 42 AS answer, \'a\' AS text')), [{ answer: 42, text: 'a' }])
  })
  await check(`${name}: every row of a large result comes`, async () => {
    const table = await client.execute(LARGE)
    assert.equal(table.numRows, 200_000)
    assert.equal(table.get(199_999).i, 199_999)
  })
  await check(`${name}: no row leaves the columns`, async () => {
    const table = await client.execute('SELECT 1 AS a WHERE false')
    assert.deepEqual([table.numRows, table.schema.fields.map(field => field.name)], [0, ['a']])
  })
  await check(`${name}: NULL, dates and lists`, async () => {
    const [row] = (await client.execute('SELECT NULL::INTEGER AS n, [1, 2] AS l, true AS b')).toArray()
    assert.deepEqual([row.n, [...row.l], row.b], [null, [1, 2], true])
  })
  await check(`${name}: an error of DuckDB comes with its text`, async () => {
    await assert.rejects(client.execute('SELECT nothing'), /Binder Error/)
  })
  await check(`${name}: a change runs once`, async () => {
    await client.execute('CREATE TEMP TABLE t AS SELECT 1 AS a')
    await client.execute('INSERT INTO t VALUES (2)')
    assert.equal((await client.execute('SELECT count(*)::INTEGER AS n FROM t')).get(0).n, 2)
  })
  await check(`${name}: bare text where a command belongs, as this client sends it, is refused as such`, async () => {
    await assert.rejects(client.getQuerySchema('SELECT 1 AS a'), /is not supported|not a Flight SQL command/)
  })
  if (isGizmo) {
    await check(`${name}: catalogs, schemas, tables and table types`, async () => {
      assert.ok((await client.getCatalogs()).includes('shop'))
      assert.ok((await client.getSchemas('shop')).some(({ schema }) => schema === 'main'))
      assert.ok((await client.getTables('shop')).some(({ tableName }) => tableName === 'small'))
      assert.ok((await client.getTableTypes()).includes('TABLE'))
    })
    await check(`${name}: what the server is`, async () => {
      assert.match(JSON.stringify([...await client.getSqlInfo([0])]), /"Skein"/)
    })
  }
  await check(`${name}: a wrong password is refused`, async () => {
    const stranger = open({ password: 'a guess, no more' })
    await assert.rejects(stranger.execute('SELECT 1'))
    await Promise.resolve(stranger.close?.()).catch(() => undefined)
  })
  await client.close?.()
}

async function lancedb() {
  const name = '@lancedb/arrow-flight-sql-client'
  const { Client } = load(name)
  const connect = (word = password) =>
    Client.connect({ host: `${host}:${port}`, username, password: word, insecure: true })
  const client = await connect()
  const objects = async sql => (await client.query(sql)).collectToObjects()
  await check(`${name}: a statement gives its rows and names`, async () => {
    assert.deepEqual((await objects('SELECT 42 AS answer, \'a\' AS text')).map(row => ({ ...row })),
      [{ answer: 42, text: 'a' }])
  })
  await check(`${name}: every row of a large result comes`, async () => {
    assert.equal((await objects(LARGE)).length, 200_000)
  })
  await check(`${name}: no row is no error`, async () => {
    assert.equal((await objects('SELECT 1 AS a WHERE false')).length, 0)
  })
  await check(`${name}: an error of DuckDB comes with its text`, async () => {
    await assert.rejects(objects('SELECT nothing'), /Binder Error/)
  })
  await check(`${name}: a change runs once`, async () => {
    await objects('CREATE TEMP TABLE t AS SELECT 1 AS a')
    await objects('INSERT INTO t VALUES (2)')
    assert.equal((await objects('SELECT count(*)::INTEGER AS n FROM t'))[0].n, 2)
  })
  await check(`${name}: a wrong password is refused`, async () => {
    await assert.rejects(connect('a guess, no more'))
  })
}

async function lakehouse() {
  const name = '@lakehouse-rs/flight-sql-client'
  const { createFlightSqlClient } = load(name)
  const { tableFromIPC } = load('apache-arrow')
  // what is wrong with a password makes its own library panic, and its promise wait for ever: it is not tried
  const client = await createFlightSqlClient({ host, port, username, password, tls: false, headers: [] })
  const ask = async sql => tableFromIPC(await client.query(sql))
  await check(`${name}: a statement gives its rows and names`, async () => {
    assert.deepEqual(rowsOf(await ask('SELECT 42 AS answer, \'a\' AS text')), [{ answer: 42, text: 'a' }])
  })
  await check(`${name}: every row of a large result comes, in messages that it takes`, async () => {
    assert.equal((await ask(LARGE)).numRows, 200_000)
  })
  await check(`${name}: an error comes, whose text this client keeps to itself`, async () => {
    await assert.rejects(client.query('SELECT nothing'), /failed to prepare statement/)
  })
  await check(`${name}: a change runs once`, async () => {
    await client.query('CREATE TEMP TABLE t AS SELECT 1 AS a')
    await client.query('INSERT INTO t VALUES (2)')
    assert.equal((await ask('SELECT count(*)::INTEGER AS n FROM t')).get(0).n, 2)
  })
  await check(`${name}: catalogs, schemas and tables`, async () => {
    assert.ok(rowsOf(tableFromIPC(await client.getCatalogs())).some(row => row.catalog_name === 'shop'))
    assert.ok(rowsOf(tableFromIPC(await client.getDbSchemas({ catalog: 'shop' })))
      .some(row => row.db_schema_name === 'main'))
    assert.ok(rowsOf(tableFromIPC(await client.getTables({ catalog: 'shop', includeSchema: true })))
      .some(row => row.table_name === 'small'))
  })
}

for (const run of [
  () => pure('@gizmodata/gizmosql-client'), () => pure('@firetiger-oss/flight-sql-client'), lancedb, lakehouse,
]) await check('a client as a whole', run)
// some of them keep connections open
process.stdout.write('', () => process.exit(failures === 0 ? 0 : 1))
