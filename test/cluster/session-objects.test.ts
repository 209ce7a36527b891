/**
 * What a session makes of its own: temporary objects and tables in memory, joined with the cluster's; transactions;
 * lists of what is there. They are seen by no other session, end with theirs, and are never silently empty.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { all, code, rows, sessionsOf, type Ask } from './asking.ts'
import { Skein } from './skein.ts'
import { Operator, until } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-objects-'))
await writeFaultTables(folder)
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config: faultConfig(folder) })
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

const session = sessionsOf(skein)
const once: Ask = sql => skein.query(sql)

t.test('a change gives rows of types that travel as text', async t => {
  const own = session()
  await all(t, own, [`CREATE TEMP TABLE kinds (id INTEGER, k ENUM('a', 'b'), u UNION(n INTEGER, t VARCHAR))`])
  t.strictSame(rows(await own(`INSERT INTO kinds VALUES (1, 'a', 7), (2, 'b', 'x') RETURNING *`)),
    [['1', 'a', '7'], ['2', 'b', 'x']])
  const updated = await own(`UPDATE kinds SET id = id + 1 WHERE k = 'b' RETURNING k AS "of, b", id, [k] AS ks; -- ;`)
  t.strictSame(rows(updated), [['b', '3', 'b']])
  const cast = await own('DELETE FROM kinds RETURNING lower(k), [k]')
  t.equal(cast.kind === 'error' ? cast.code : cast.kind, 'UNSUPPORTED_STATEMENT')
  t.strictSame(rows(await own('SELECT count(*) FROM kinds')), [['2']], 'which has deleted nothing')
})

t.test('temporary tables, views and macros are joined with the tables of the cluster', async t => {
  const own = session()
  await all(t, own, [
    'CREATE TEMP TABLE few AS SELECT * FROM rows WHERE id < 10', 'CREATE TEMP VIEW many AS SELECT * FROM rows',
    'CREATE TEMP MACRO plus(a, b) AS a + b', 'CREATE TEMP MACRO top(n) AS TABLE SELECT id FROM few ORDER BY id LIMIT n',
  ])
  t.strictSame(rows(await own('SELECT count(*), plus(count(*), 1) FROM few JOIN rows USING (id)')), [['10', '11']])
  const same = 'SELECT (SELECT count(*) FROM many) = (SELECT count(*) FROM shop.main.rows)'
  t.strictSame(rows(await own(same)), [['true']])
  t.strictSame(rows(await own('SELECT sum(id) FROM top(3)')), [['3']])
  const distributed = await own('SELECT count(*) FROM rows')
  t.not(distributed.kind === 'rows' ? distributed.wholeReason : '', 'objects of the session')
  t.equal(code(await session()('FROM few')), 'TABLE_NOT_FOUND')
  t.equal(code(await once('FROM few')), 'TABLE_NOT_FOUND')
  t.strictSame(rows(await once('CREATE TEMP TABLE a AS SELECT 1 AS x; SELECT x FROM a')), [['1']])
})

t.test('a variable is the session\'s, of any type, and made of tables if it likes', async t => {
  const own = session()
  t.strictSame(rows(await own("SELECT getvariable('x') IS NULL")), [['true']])
  await all(t, own, [
    'SET VARIABLE x = (SELECT max(id) FROM small)', 'SET VARIABLE "a list" = [1, 2, NULL]',
    "SET VARIABLE y = getvariable('x') + 1", "SET VARIABLE day TO DATE '2020-02-29'",
  ])
  const sql = "SELECT getvariable('X'), getvariable('a list'), getvariable('y'), typeof(getvariable('day'))"
  t.match(await own(sql), { answer: { rows: [['299', ['1', '2', null], '300', 'DATE']] } })
  t.strictSame(rows(await own("SELECT count(*) FROM small WHERE id < getvariable('y') - 100")), [['200']])
  t.strictSame(rows(await own("SELECT count(*) FROM rows WHERE grp = getvariable('a list')[1]")), [['1200']])
  await own('RESET VARIABLE x')
  t.strictSame(rows(await own("SELECT getvariable('x') IS NULL, getvariable('y')")), [['true', '300']])
  t.strictSame(rows(await session()("SELECT getvariable('y') IS NULL")), [['true']])
  t.strictSame(rows(await once("SET VARIABLE z = 1; SELECT getvariable('z') + 1")), [['2']])
  t.match(await own('SET VARIABLE x = (SELECT nope FROM small)'), { kind: 'error', code: 'BIND_ERROR' })
  t.match(await own('SET VARIABLE x = (SELECT id FROM small)'), { kind: 'error', code: 'EXECUTION_ERROR' })
})

t.test('EXPLAIN over what a session has made is DuckDB\'s, runs nothing and shows no path', async t => {
  const own = session()
  await all(t, own, ['CREATE TEMP TABLE few AS SELECT range AS id FROM range(10)'])
  const text = async (sql: string): Promise<string> => {
    const outcome = await own(sql)
    if (outcome.kind === 'error') throw new Error(outcome.message)
    t.strictSame(outcome.answer.columns.map(({ name, type }) => `${name} ${type}`), [
      'explain_key VARCHAR', 'explain_value VARCHAR',
    ])
    return outcome.answer.rows.map(row => String(row[1])).join('\n')
  }
  for (const sql of ['EXPLAIN SELECT count(*) FROM few JOIN rows USING (id) WHERE grp > 3',
    'EXPLAIN (FORMAT json) SELECT * FROM few JOIN small USING (id)', 'EXPLAIN (FORMAT mermaid) FROM few, small']) {
    const shown = await text(sql)
    t.match(shown, /READ_PARQUET/, sql)
    t.notMatch(shown, /\.parquet|\/(executor|data|cache|rows|small)/, sql)
  }
  t.match(await text('EXPLAIN INSERT INTO few VALUES (11)'), /INSERT/)
  t.match(await text('EXPLAIN DROP TABLE few'), /DROP/)
  t.strictSame(rows(await own('SELECT count(*) FROM few')), [['10']])
  t.match(await own('EXPLAIN SELECT nope FROM few'), { kind: 'error', code: 'BIND_ERROR', position: 15 })
  t.match(await own('EXPLAIN ANALYZE FROM few'), { kind: 'error', code: 'PERMISSION_DENIED' })
})

t.test('rows are inserted, updated, merged and deleted, each statement once', async t => {
  const own = session()
  t.strictSame(rows(await own('CREATE TABLE memory.m AS SELECT id, k FROM small')), [['300']])
  t.strictSame(rows(await own("INSERT INTO memory.m VALUES (-1, 1), (-2, 2)")), [['2']])
  t.strictSame(rows(await own('UPDATE memory.m SET k = 0 WHERE id < 0')), [['2']])
  t.strictSame(rows(await own('MERGE INTO memory.m USING small s ON m.id = s.id WHEN MATCHED THEN DELETE')), [['300']])
  t.strictSame(rows(await own('DELETE FROM memory.m WHERE id = -2 RETURNING id, k')), [['-2', '0']])
  t.strictSame(rows(await own('FROM memory.m')), [['-1', '0']])
  await all(t, own, ['USE memory', 'ALTER TABLE m ADD COLUMN x INTEGER DEFAULT 7', 'CREATE SEQUENCE s'])
  t.strictSame(rows(await own("SELECT x, nextval('s'), nextval('s') FROM m")), [['7', '1', '2']])
  await all(t, own, ['DROP TABLE m', 'USE shop'])
  t.equal(code(await own('FROM memory.m')), 'TABLE_NOT_FOUND')
})

t.test('what is in a catalog of the cluster cannot be changed', async t => {
  const own = session()
  const changes = [
    'CREATE TABLE x AS SELECT 1', 'CREATE VIEW shop.main.v AS SELECT 1', 'CREATE SCHEMA shop.s', 'DROP TABLE rows',
    'INSERT INTO rows SELECT * FROM rows', 'UPDATE shop.main.rows SET id = 1', 'DELETE FROM main.rows',
    'TRUNCATE rows', 'MERGE INTO small USING rows r ON r.id = small.id WHEN MATCHED THEN DELETE',
    'ALTER TABLE rows ADD COLUMN x INTEGER', 'CREATE MACRO m(a) AS a',
  ]
  for (const sql of changes) t.match(await own(sql), { code: 'PERMISSION_DENIED', message: /read-only/ }, sql)
})

t.test('a transaction is done as a whole, or undone', async t => {
  const own = session()
  await all(t, own, ['CREATE TABLE memory.m (a INTEGER PRIMARY KEY)', 'BEGIN', 'INSERT INTO memory.m VALUES (1)'])
  t.strictSame(rows(await own('SELECT count(*), (SELECT count(*) FROM small) FROM memory.m')), [['1', '300']])
  await all(t, own, ['ROLLBACK', 'BEGIN', 'INSERT INTO memory.m SELECT id FROM small', 'COMMIT'])
  t.strictSame(rows(await own('SELECT count(*) FROM memory.m')), [['300']])
  await all(t, own, ['BEGIN'])
  t.equal(code(await own('INSERT INTO memory.m VALUES (-1), (1)')), 'EXECUTION_ERROR')
  t.equal(code(await own('SELECT count(*) FROM memory.m')), 'TRANSACTION_ERROR', 'it has failed')
  await all(t, own, ['ROLLBACK'])
  t.strictSame(rows(await own('SELECT count(*) FROM memory.m')), [['300']])
  t.match(await own("INSERT INTO memory.m VALUES (-1); INSERT INTO memory.m VALUES (-1)"), {
    code: 'EXECUTION_ERROR', message: /^statement 2 of 2: /,
  })
  t.strictSame(rows(await own('SELECT count(*) FROM memory.m')), [['301']], 'the first one stays')
})

t.test('lists show the catalogs of the cluster and what is the session\'s, and no path', async t => {
  const own = session()
  t.strictSame(rows(await once('SHOW TABLES')), [['rows'], ['small']])
  t.strictSame(rows(await once('SHOW DATABASES')), [['memory'], ['shop'], ['skein']])
  await all(t, own, ['CREATE TEMP TABLE t AS SELECT id FROM rows', 'CREATE TEMP VIEW v AS SELECT * FROM t'])
  t.strictSame(rows(await own('SHOW TABLES')), [['rows'], ['small'], ['t'], ['v']])
  const listed = await own(`SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'main' AND table_catalog <> 'skein' ORDER BY 1`)
  t.strictSame(rows(listed), [['rows'], ['small'], ['t'], ['v']])
  t.strictSame(rows(await own("SELECT data_type FROM duckdb_columns() WHERE table_name IN ('small', 't') ORDER BY 1")),
    [['BIGINT'], ['BIGINT'], ['BIGINT']])
  t.strictSame(rows(await own("PRAGMA table_info('small')")), [
    ['0', 'id', 'BIGINT', 'false', 'null', 'false'], ['1', 'k', 'BIGINT', 'false', 'null', 'false'],
  ])
  for (const sql of ['FROM duckdb_tables()', 'FROM duckdb_views()', 'FROM duckdb_databases()', 'SHOW ALL TABLES']) {
    t.notMatch(JSON.stringify(rows(await own(sql))), /parquet/, sql)
  }
  t.strictSame(rows(await own('SELECT count(*) > 10 FROM v')), [['true']], 'the tables are there again')
})

t.test('a session\'s own instance reaches no further than its tables', async t => {
  const own = session()
  const file = join(folder, 'small', '0.parquet')
  await all(t, own, ['CREATE TEMP TABLE t AS SELECT 1 AS a'])
  const attempts = [
    `CREATE TEMP TABLE x AS FROM '${file}'`, `CREATE TEMP TABLE x AS FROM "${file}"`,
    `CREATE TEMP VIEW x AS FROM read_parquet('${file}')`, `INSERT INTO t FROM read_csv('${file}')`,
    `CREATE TEMP TABLE x AS FROM read_text('${file.slice(0, 5)}' || '${file.slice(5)}')`,
    `CREATE TEMP MACRO m(f) AS TABLE FROM read_blob(f)`, `CREATE TEMP MACRO m(f) AS TABLE FROM query_table(f)`,
    `CREATE TEMP TABLE x AS FROM query('FROM ' || chr(39) || '${folder}')`, `CREATE TEMP TABLE x AS FROM glob('*')`,
    `CREATE TEMP TABLE x AS FROM E'${[...file].map(c => `\\x${c.charCodeAt(0).toString(16)}`).join('')}'`,
    `CREATE TEMP TABLE x AS FROM '${file.slice(0, 5)}'\n'${file.slice(5)}'`,
    `CREATE TEMP TABLE x AS FROM 'file://${file}'`, "CREATE TEMP TABLE x AS FROM '/etc/hosts'",
    'CREATE TEMP TABLE x AS FROM duckdb_settings()', "CREATE TEMP TABLE x AS SELECT current_setting('temp_directory')",
    'CREATE TEMP TABLE x AS FROM duckdb_secrets()', 'CREATE TEMP VIEW x AS SELECT * FROM pragma_database_size()',
    "CREATE TEMP TABLE x AS SELECT getenv('HOME')", `COPY t TO '${join(folder, 'out')}'`, "ATTACH ':memory:' AS x",
    "SET memory_limit = '1GB'", 'LOAD json', 'CREATE SECRET s (TYPE s3)', 'CHECKPOINT', 'DETACH shop',
    'CREATE TABLE system.main.x AS SELECT 1', "CREATE TEMP TABLE x AS SELECT json_serialize_plan('SELECT 1')",
    `EXPLAIN ANALYZE CREATE TEMP TABLE x AS FROM '${file}'`, `SELECT * FROM t, '${file}'`,
    'CREATE TEMP TABLE x AS FROM sniff_csv($$/etc/hosts$$)',
  ]
  for (const sql of attempts) {
    const outcome = await own(sql)
    t.match(code(outcome), /PERMISSION_DENIED|UNSUPPORTED_STATEMENT|BIND_ERROR|TABLE_NOT_FOUND/, sql)
    t.notMatch(JSON.stringify(rows(outcome)), /PAR1|root:/, 'nothing of a file is told')
  }
  t.strictSame(rows(await own('FROM t')), [['1']], 'and the session goes on')
})

t.test('a cancelled statement leaves nothing, and its session goes on', async t => {
  const own = session()
  await all(t, own, ['CREATE TABLE memory.m (a HUGEINT)'])
  const leave = new AbortController()
  const endless = 'INSERT INTO memory.m SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b'
  const asked = skein.query(endless, { fields: { session_id: own.id }, signal: leave.signal }).catch(() => 'gone')
  await until('it runs', 10_000, async () => (await operator.query('INSERT INTO memory.m'))?.state === 'running')
  leave.abort()
  t.equal(await asked, 'gone')
  t.strictSame(rows(await own('SELECT count(*) FROM memory.m')), [['0']])
})

t.test('objects are lost with their executor, and the session is told so once', async t => {
  const own = session()
  await all(t, own, ['CREATE TEMP TABLE kept AS SELECT 1 AS a', 'BEGIN', 'INSERT INTO kept VALUES (2)'])
  const before = await operator.executors()
  const holds = (pid: number): void => { process.kill(pid, 'SIGKILL') }
  for (const { pid } of before) holds(pid)
  await until('two new executors', 30_000, async () => {
    const now = await operator.executors()
    return now.filter(({ pid, state }) => state === 'active' && !before.some(one => one.pid === pid)).length === 2
  })
  t.match(await own('FROM kept'), { code: 'SESSION_LOST', message: /was lost with all that this session has made/ })
  t.equal(code(await own('SELECT * FROM kept')), 'TABLE_NOT_FOUND')
  t.equal(code(await own('COMMIT')), 'TRANSACTION_ERROR', 'the transaction is gone too')
  await all(t, own, ['CREATE TEMP TABLE kept AS SELECT 3 AS a'])
  t.strictSame(rows(await own('FROM kept')), [['3']])
})
