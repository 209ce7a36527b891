/** What a statement may not do, and what it may. */

import t from 'tap'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { QueryError } from '../../proto/errors.ts'
import { authorise } from '../../planner/authority.ts'
import type { PlannedQuery } from '../../planner/planned-query.ts'
import { planQuery } from '../../planner/plan-query.ts'
import { PlanningDatabase } from '../../planner/planning-database.ts'
import { makeTables, pruneNothing, requestOf } from './planner-tables.ts'

const { folder, tables, remove } = await makeTables({
  orders: `SELECT i AS id, i % 7 AS customer, (i * 1.5)::DECIMAL(9,2) AS price, 'o' || i AS name FROM range(50) t(i)`,
  secret: 'SELECT 42 AS answer',
})
const database = await PlanningDatabase.open(folder)
t.teardown(async () => {
  database.close()
  await remove()
})
/** The request holds the one table; `secret` is of another principal. */
const [orders, secret] = tables
if (orders === undefined || secret === undefined) throw new Error('two tables are made')
await writeFile(join(folder, 'exchange.csv'), 'a,b\n1,2\n')

const plan = (sql: string): Promise<PlannedQuery> => planQuery(database, requestOf(sql, [orders]), pruneNothing(tables))

async function outcome(sql: string): Promise<string> {
  try {
    return (await plan(sql)).sqlKind
  } catch (thrown) {
    return thrown instanceof QueryError ? thrown.code : String(thrown)
  }
}

const P = 'PERMISSION_DENIED'
const U = 'UNSUPPORTED_STATEMENT'
const refused: readonly (readonly [string, string])[] = [
  // files by name
  [`SELECT * FROM '/etc/passwd'`, P],
  ['SELECT * FROM "/etc/passwd"', P],
  [`FROM 's3://bucket/key.parquet'`, P],
  [`FROM 'https://example.com/x.csv'`, P],
  [`FROM '${orders.skeletonPath}'`, P],
  [`FROM '${folder}/*.parquet'`, P],
  [`FROM 'relative.parquet'`, P],
  [`SELECT (SELECT count(*) FROM '${secret.skeletonPath}')`, P],
  [`WITH x AS (FROM '/etc/hostname') FROM x`, P],
  // files by function
  [`FROM read_parquet('${orders.skeletonPath}')`, P],
  [`FROM parquet_scan('${secret.skeletonPath}')`, P],
  [`FROM read_csv('${folder}/exchange.csv')`, P],
  [`FROM "READ_CSV"('${folder}/exchange.csv')`, P],
  [`FROM system.main.read_text('/etc/passwd')`, P],
  [`FROM read_blob('/etc/passwd')`, P],
  [`FROM read_json('/etc/passwd')`, P],
  [`FROM read_ndjson_objects('/etc/passwd')`, P],
  [`FROM glob('/*')`, P],
  [`FROM parquet_metadata('${secret.skeletonPath}')`, P],
  [`FROM parquet_schema('${secret.skeletonPath}')`, P],
  [`FROM sniff_csv('${folder}/exchange.csv')`, P],
  [`SELECT 1 WHERE EXISTS (FROM read_text('/etc/passwd'))`, P],
  [`SELECT id FROM orders ORDER BY (SELECT max(size) FROM read_blob('/etc/*'))`, P],
  [`SELECT * FROM orders, LATERAL (FROM read_text('/etc/' || name))`, P],
  // text that becomes SQL
  [`FROM query('SELECT * FROM secret')`, P],
  [`FROM query_table('secret')`, P],
  [`FROM query_table(['orders', 'secret'])`, P],
  [`FROM json_execute_serialized_sql('{}')`, P],
  [`SELECT json_serialize_plan('FROM read_csv(''${folder}/exchange.csv'')')`, P],
  // the instance's own state
  ['FROM duckdb_settings()', P],
  ['FROM duckdb_views()', P],
  ['FROM duckdb_views', P],
  ['FROM information_schema.tables', P],
  ['FROM pg_catalog.pg_class', P],
  ['FROM sqlite_master', P],
  ['FROM duckdb_secrets()', P],
  ['FROM pragma_table_info(\'secret\')', P],
  ['FROM sql_auto_complete(\'SELECT * FROM sec\')', P],
  ['FROM arrow_scan(1::UBIGINT::POINTER, 1::POINTER, 1::POINTER)', P],
  [`SELECT getenv('HOME')`, P],
  [`SELECT current_setting('allowed_directories')`, P],
  [`SELECT current_setting('home_' || 'directory')`, P],
  [`SELECT write_log('x')`, P],
  ['SELECT __internal_decompress_string(1::UTINYINT)', P],
  // a table of another principal
  ['FROM secret', 'TABLE_NOT_FOUND'],
  ['FROM lake.main.secret', 'TABLE_NOT_FOUND'],
  ['SUMMARIZE secret', 'TABLE_NOT_FOUND'],
  ['DESCRIBE secret', 'TABLE_NOT_FOUND'],
  // statements that reach outside
  ['SET memory_limit = \'1TB\'', P],
  ['RESET memory_limit', P],
  ['SET VARIABLE x = 1', P],
  [`ATTACH '${folder}/x.duckdb'`, P],
  ['DETACH lake', P],
  ['INSTALL httpfs', P],
  ['LOAD httpfs', P],
  [`COPY orders TO '${folder}/out.csv'`, P],
  [`COPY (SELECT 1) TO '${folder}/out.csv'`, P],
  [`EXPORT DATABASE '${folder}/out'`, P],
  [`IMPORT DATABASE '${folder}/out'`, P],
  ['PRAGMA enable_profiling', P],
  ['PRAGMA database_list', P],
  ['USE temp', P],
  [`CALL pragma_version()`, P],
  ['CREATE SECRET s (TYPE s3)', P],
  ['DROP SECRET s', P],
  ['/* SELECT */ -- SELECT\n ; set threads = 4', P],
  // statements that write, or that are none of a query's business
  ['CREATE TABLE x (a INTEGER)', U],
  ['CREATE OR REPLACE VIEW orders AS SELECT 1', U],
  ['CREATE MACRO m() AS 1', U],
  ['INSERT INTO orders VALUES (1)', U],
  ['UPDATE orders SET id = 1', U],
  ['DELETE FROM orders', U],
  ['TRUNCATE orders', U],
  ['MERGE INTO orders USING orders AS o ON true WHEN MATCHED THEN DELETE', U],
  ['ALTER TABLE orders ADD COLUMN x INTEGER', U],
  ['DROP VIEW orders', U],
  ['PREPARE p AS SELECT 1', U],
  ['EXECUTE p', U],
  ['DEALLOCATE p', U],
  ['VACUUM', U],
  ['CHECKPOINT', U],
  ['BEGIN', U],
  ['COMMENT ON VIEW orders IS \'x\'', U],
  ['EXPLAIN SELECT 1', U],
  ['EXPLAIN ANALYZE SELECT 1', U],
  ['SELECT 1; SELECT 2', U],
  ['SELECT 1; DROP VIEW orders', U],
  ['SHOW TABLES', U],
  ['SHOW ALL TABLES', U],
  ['FROM (SHOW DATABASES)', U],
  ['PIVOT orders ON customer USING sum(price)', U],
  ['SELECT sum(id) EXPORT_STATE AS s FROM orders', U],
  // a plan that cannot be written down shows no scan
  ['SELECT * FROM secret, range(2) WITH ORDINALITY', 'TABLE_NOT_FOUND'],
  ['SELECT * FROM (WITH duckdb_views AS (SELECT 1) FROM duckdb_views), duckdb_views, range(2) WITH ORDINALITY', P],
  // no statement at all
  ['', 'SYNTAX_ERROR'],
  ['-- nothing', 'SYNTAX_ERROR'],
  ['SELEC 1', 'SYNTAX_ERROR'],
  ['SELECT 1 \0; DROP VIEW orders', 'SYNTAX_ERROR'],
  ['SELECT $1', 'INVALID_REQUEST'],
  ['SELECT nope FROM orders', 'BIND_ERROR'],
  ['SELECT nope(1)', 'BIND_ERROR'],
  ['FROM nowhere', 'TABLE_NOT_FOUND'],
  ['FROM nowhere.main.orders', 'TABLE_NOT_FOUND'],
]

t.test('every attempt to reach what a statement may not is refused with a typed error', async t => {
  // another principal's request leaves its view on the instance
  t.equal((await planQuery(database, requestOf('FROM secret', tables), pruneNothing(tables))).sqlKind, 'emitted')
  const actual: (readonly [string, string])[] = []
  for (const [sql] of refused) actual.push([sql, await outcome(sql)])
  t.strictSame(actual.filter(([, code], i) => code !== refused[i]?.[1]), [])
  t.ok(refused.length > 90)
})

t.test('the bound plan alone is refused too, whatever the syntax tree has let through', async t => {
  const session = await database.enter(requestOf('', [orders]))
  const bound = async (sql: string): Promise<string> => {
    const answer = JSON.parse(await session.boundPlan(sql)) as { readonly error: boolean; readonly plans?: unknown }
    if (answer.error) return 'does not bind'
    try {
      authorise(answer.plans, [orders])
      return 'allowed'
    } catch (thrown) {
      return thrown instanceof QueryError ? thrown.code : String(thrown)
    }
  }
  t.equal(await bound('SELECT id, sum(price) FROM orders GROUP BY id'), 'allowed')
  t.equal(await bound('FROM duckdb_views'), P)
  t.equal(await bound(`SELECT list_transform([1], lambda x: json_serialize_plan('SELECT ' || x))`), P)
  // where statements are bound no file is to be had at all, not even a skeleton
  for (const path of [orders.skeletonPath, secret.skeletonPath, '/etc/passwd']) {
    t.equal(await bound(`FROM '${path}'`), 'does not bind')
    t.equal(await bound(`FROM query('FROM ''${path}''')`), 'does not bind')
    t.equal(await bound(`FROM read_parquet('${path}')`), 'does not bind')
    t.equal(await bound(`FROM read_parquet(['${orders.skeletonPath}', '${path}'])`), 'does not bind')
    t.equal(await bound(`FROM read_text('${path}')`), 'does not bind')
    t.equal(await bound(`FROM read_csv('${path}')`), 'does not bind')
  }
})

t.test('the tables that stand for others when statements are bound are nobody\'s to read', async t => {
  await planQuery(database, requestOf('FROM secret', tables), pruneNothing(tables))
  const named = (path: string): string => `FROM "skein tables".main."${path}"`
  t.equal(await outcome(named(secret.skeletonPath)), P)
  t.equal(await outcome(`FROM query('${named(secret.skeletonPath)}')`), P)
  t.equal(await outcome('FROM "skein tables".main.orders'), 'TABLE_NOT_FOUND')
  t.equal(await outcome(`SHOW TABLES FROM "skein tables"`), U)
})

t.test('statements that only read are let through', async t => {
  const allowed: readonly (readonly [string, string])[] = [
    ['SELECT 1', 'emitted'],
    ['VALUES (1), (2)', 'emitted'],
    ['FROM orders', 'emitted'],
    ['TABLE lake.main.orders;', 'emitted'],
    ['WITH x AS (SELECT id FROM orders) SELECT * FROM x', 'emitted'],
    ['WITH orders AS (SELECT id FROM orders) SELECT * FROM orders', 'emitted'],
    ['WITH "a.csv" AS (SELECT 1 AS a) FROM "a.csv"', 'emitted'],
    ['SELECT * FROM range(3), generate_series(1, 2)', 'emitted'],
    ['(SELECT 1) UNION ALL (SELECT 2)', 'emitted'],
    [`SELECT current_setting('TimeZone')`, 'emitted'],
    [`SELECT name FROM orders WHERE name LIKE '/etc/passwd'`, 'emitted'],
    [`SELECT * FROM json_each('[1]')`, 'emitted'],
    ['SELECT * FROM range(3) WITH ORDINALITY', 'emitted'],
    ['WITH x AS (FROM main.orders) SELECT * FROM x, lake.orders, range(3) WITH ORDINALITY', 'emitted'],
    ['DESCRIBE orders', 'original'],
    ['DESCRIBE SELECT id FROM orders', 'original'],
    ['WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r WHERE a < 5) FROM r', 'original'],
    ['PIVOT orders ON customer IN (1, 2) USING sum(price)', 'emitted'],
    ['SELECT current_query()', 'original'],
  ]
  const actual: (readonly [string, string])[] = []
  for (const [sql] of allowed) actual.push([sql, await outcome(sql)])
  t.strictSame(actual, allowed)
})

t.test('an error names its place in the text and keeps the message of DuckDB', async t => {
  const failure = (sql: string): Promise<QueryError> =>
    plan(sql).then(() => { throw new Error('it ran') }, (thrown: QueryError) => thrown)
  const syntax = await failure('SELECT\n  FROM WHERE')
  t.equal(syntax.position, 14)
  t.match(syntax.message, /^Parser Error: .*\n\nLINE 2: /)
  const column = await failure(`SELECT 'ä', nope FROM orders`)
  t.equal(column.position, 12)
  t.match(column.message, /^Binder Error: Referenced column "nope"/)
  const table = await failure('SELECT * FROM nowhere')
  t.equal(table.position, 14)
  t.notMatch(table.message, 'secret')
  t.equal((await failure(`SELECT 'ä' FROM '/etc/passwd'`)).position, 16)
  const far = await failure(`SELECT ${'id + '.repeat(100)}nope FROM orders`)
  t.equal(far.position, 7 + 500)
})
