/**
 * A catalog that is a DuckDB file: what is changed there is kept, whoever dies; sessions take turns, transactions and
 * loaded rows are real, tables of the cluster are joined, and who may write is said in the configuration.
 */

import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import t from 'tap'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import {
  CommandGetCatalogsSchema, CommandGetCrossReferenceSchema, CommandGetDbSchemasSchema, CommandGetExportedKeysSchema,
  CommandGetImportedKeysSchema, CommandGetPrimaryKeysSchema, CommandGetTablesSchema, CommandStatementUpdateSchema,
} from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed, rowsOf } from '../serve/flight-client.ts'
import { all, code, rows, sessionsOf, type Ask } from './asking.ts'
import { Skein } from './skein.ts'
import { Operator, until } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-database-'))
await writeFaultTables(folder)
const desk = join(folder, 'desk')
await mkdir(desk)
await symlink(join(folder, 'elsewhere.duckdb'), join(desk, 'link.duckdb'))
const base = faultConfig(folder) as { readonly buckets: object; readonly catalogs: object }
const config = {
  ...base, default_catalog: 'shop',
  buckets: { ...base.buckets, desk: { provider: 'local', path: desk } },
  catalogs: {
    ...base.catalogs,
    work: { type: 'duckdb', bucket: 'desk', path: 'work.duckdb' },
    kept: { type: 'duckdb', bucket: 'desk', path: 'kept.duckdb', writers: ['ann', 'etl-*'] },
    link: { type: 'duckdb', bucket: 'desk', path: 'link.duckdb' },
  },
}
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config })
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

const session = sessionsOf(skein)
const once: Ask = sql => skein.query(sql)

t.test('tables are made, changed and joined, in any session', async t => {
  await all(t, once, [
    'CREATE TABLE work.main.t (a INTEGER PRIMARY KEY, b VARCHAR)', "INSERT INTO work.t VALUES (1, 'x'), (2, 'y')",
    'CREATE SCHEMA work.s', 'CREATE TABLE work.s.big AS SELECT id, k FROM shop.main.small',
  ])
  t.strictSame(rows(await once('SELECT count(*), max(b) FROM work.t JOIN small ON small.id = t.a')), [['2', 'y']])
  t.strictSame(rows(await once("UPDATE work.t SET b = 'z' WHERE a = 2")), [['1']])
  t.strictSame(rows(await once('MERGE INTO work.t USING work.s.big g ON g.id = t.a AND t.a = 1 '
    + 'WHEN MATCHED THEN DELETE')), [['1']])
  t.strictSame(rows(await once('FROM work.main.t')), [['2', 'z']])
  const named = await skein.query('FROM t', { fields: { catalog: 'work', schema: 'main' } })
  t.strictSame(rows(named), [['2', 'z']], 'the catalog of one request')
  const own = session()
  await all(t, own, ['USE work', 'CREATE VIEW v AS SELECT a FROM t', 'CREATE TEMP TABLE mine AS FROM v', 'USE work.s'])
  t.strictSame(rows(await own('SELECT count(*) FROM big, main.v, mine')), [['300']])
  t.strictSame(rows(await own("SELECT table_name FROM duckdb_tables() WHERE database_name = 'work' ORDER BY 1")),
    [['big'], ['t']])
  t.notMatch(JSON.stringify(rows(await own('FROM duckdb_databases()'))), /desk/, 'no path is told')
  t.equal(code(await own('USE work.nowhere; SELECT 1 FROM t')), 'BIND_ERROR')
  t.strictSame(code(await session()('FROM mine')), 'TABLE_NOT_FOUND')
  t.match(await once('FROM work.nothing'), { code: 'TABLE_NOT_FOUND' })
  const path = /\.duckdb|\.parquet|skein-database-/
  for (const sql of [
    'EXPLAIN SELECT b FROM work.t JOIN small ON small.id = t.a', 'EXPLAIN (FORMAT json) FROM work.s.big',
  ]) {
    const shown = await once(sql)
    t.equal(code(shown), 'rows', sql)
    t.notMatch(JSON.stringify(shown), path, sql)
  }
  // the file is attached for a reader: what a change would do is not told, and nothing is done
  const change = await once("EXPLAIN INSERT INTO work.t VALUES (9, 'q')")
  t.match(change, { kind: 'error', message: /read-only/ })
  t.notMatch(JSON.stringify(change), path)
  t.strictSame(rows(await once('SELECT count(*) FROM work.t WHERE a = 9')), [['0']])
})

t.test('Flight SQL lists it, its keys, and what the session has made', async t => {
  await all(t, session(), [
    'USE work', 'CREATE TABLE parent (id INTEGER PRIMARY KEY, price DECIMAL(10,2) NOT NULL)',
    'CREATE TABLE child (a INTEGER, b INTEGER, id INTEGER REFERENCES parent(id), PRIMARY KEY(a, b))',
    "COMMENT ON COLUMN parent.price IS 'in euro'",
  ])
  const flight = new FlightClient(t, Number(new URL(skein.doors.flight ?? '').port))
  await flight.handshake()
  const list = async (command: Uint8Array) =>
    rowsOf(await flight.read(command)).map(row => Object.values(row as object).map(String).join(' '))
  const tables = (filter: object) => list(packed(CommandGetTablesSchema, filter))
  t.strictSame(await tables({ catalog: 'work', dbSchemaFilterPattern: 'main', tableNameFilterPattern: '%e%' }), [
    'work main parent TABLE'])
  t.ok((await tables({})).includes('shop main small TABLE'))
  t.notOk((await list(packed(CommandGetCatalogsSchema, {}))).includes('temp'), 'nothing is in it')
  const change = (sql: string) => flight.put(packed(CommandStatementUpdateSchema, { query: sql }), [])
  await change('CREATE TEMP TABLE mine AS SELECT 1 AS a')
  await change('CREATE VIEW memory.main.seen AS SELECT 1 AS a')
  t.strictSame(await tables({ tableTypes: ['VIEW', 'LOCAL TEMPORARY'], tableNameFilterPattern: '%n%' }), [
    'memory main seen VIEW', 'temp main mine LOCAL TEMPORARY'])
  t.ok((await list(packed(CommandGetDbSchemasSchema, { catalog: 'work' }))).includes('work main'))
  await change('BEGIN')
  await change('INSERT INTO mine VALUES (2)')
  t.strictSame(await tables({ catalog: 'temp' }), ['temp main mine LOCAL TEMPORARY'], 'inside a transaction too')
  await change('ROLLBACK')
  const [row] = rowsOf(await flight.read(packed(CommandGetTablesSchema, {
    catalog: 'work', tableNameFilterPattern: 'parent', includeSchema: true,
  })))
  const [, price] = tableFromIPC((row as { table_schema: Uint8Array }).table_schema).schema.fields
  t.match(price, { name: 'price', nullable: false })
  t.equal(price?.metadata.get('ARROW:FLIGHT:SQL:REMARKS'), 'in euro')
  t.equal(price?.metadata.get('ARROW:FLIGHT:SQL:IS_READ_ONLY'), '0')
  t.strictSame(await list(packed(CommandGetPrimaryKeysSchema, { catalog: 'work', table: 'child' })), [
    'work main child a 1 child_a_b_pkey', 'work main child b 2 child_a_b_pkey'])
  const foreign = 'work main parent id work main child id 1 child_id_id_fkey parent_id_pkey 3 3'
  t.strictSame(await list(packed(CommandGetExportedKeysSchema, { table: 'parent' })), [foreign])
  t.strictSame(await list(packed(CommandGetImportedKeysSchema, { table: 'child' })), [foreign])
  t.strictSame(await list(packed(CommandGetCrossReferenceSchema, { pkTable: 'child', fkTable: 'parent' })), [])
})

t.test('a transaction is done as a whole, or undone, and others wait for it', async t => {
  await all(t, once, ['CREATE TABLE work.n (a INTEGER)'])
  const own = session()
  await all(t, own, ['BEGIN', 'INSERT INTO work.n VALUES (1)', 'INSERT INTO work.n SELECT id FROM small LIMIT 2'])
  t.strictSame(rows(await own('SELECT count(*) FROM work.n')), [['3']])
  const other = once('INSERT INTO work.n SELECT 10 + count(*) FROM work.n')
  await all(t, own, ['ROLLBACK'])
  t.strictSame(rows(await other), [['1']])
  t.strictSame(rows(await once('FROM work.n')), [['10']])
  await all(t, own, ['BEGIN', 'INSERT INTO work.n VALUES (11)', 'COMMIT'])
  t.strictSame(rows(await once('SELECT sum(a) FROM work.n')), [['21']])
})

t.test('sessions that write at the same time take turns; none is lost', async t => {
  await all(t, once, ['CREATE TABLE work.c (a INTEGER)', 'INSERT INTO work.c VALUES (0)'])
  const asks = Array.from({ length: 4 }, () => session())
  for (const ask of asks) await all(t, ask, ['CREATE TEMP TABLE own AS SELECT 1 AS one']) // on both executors
  const turns = [...asks, ...asks, ...asks].map(ask => ask('UPDATE work.c SET a = a + (SELECT one FROM own)'))
  for (const outcome of await Promise.all(turns)) t.strictSame(rows(outcome), [['1']])
  t.strictSame(rows(await once('FROM work.c')), [['12']])
})

t.test('who may write is said', async t => {
  const [ann, etl, bob] = [session('ann'), session('etl-7'), session('bob')]
  await all(t, ann, ['CREATE TABLE kept.t AS SELECT 1 AS a'])
  await all(t, etl, ['INSERT INTO kept.t VALUES (2)'])
  for (const sql of ['INSERT INTO kept.t VALUES (3)', 'DROP TABLE kept.t', 'CREATE TABLE kept.u (a INTEGER)']) {
    t.match(await bob(sql), { code: 'PERMISSION_DENIED', message: /user bob may not change catalog kept/ }, sql)
  }
  t.strictSame(rows(await bob('SELECT sum(a) FROM kept.t')), [['3']], 'who may not write reads')
  await all(t, bob, ['BEGIN', 'FROM kept.t', 'COMMIT'])
  t.match(await once('CREATE TABLE link.t (a INTEGER)'), {
    code: 'PERMISSION_DENIED', message: /catalog link: is no file inside its bucket/,
  })
  t.notOk((await readdir(folder)).includes('elsewhere.duckdb'), 'a link leads nowhere')
})

t.test('what was committed outlives its executors, and what was not leaves nothing', async t => {
  await all(t, once, ['CREATE TABLE work.d (a INTEGER)'])
  const own = session()
  await all(t, own, ['INSERT INTO work.d VALUES (1)', 'BEGIN', 'INSERT INTO work.d VALUES (2)'])
  const before = await operator.executors()
  for (const { pid } of before) process.kill(pid, 'SIGKILL')
  await until('two new executors', 30_000, async () => {
    const now = await operator.executors()
    return now.filter(({ pid, state }) => state === 'active' && !before.some(one => one.pid === pid)).length === 2
  })
  t.strictSame(rows(await once('FROM work.d')), [['1']])
  t.match(await own('INSERT INTO work.d VALUES (3)'), { code: 'SESSION_LOST' })
  t.strictSame(rows(await own('INSERT INTO work.d VALUES (4)')), [['1']], 'and then it goes on')
  t.strictSame(rows(await once('SELECT sum(a) FROM work.d')), [['5']])
})
