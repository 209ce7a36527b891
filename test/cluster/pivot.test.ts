/**
 * PIVOT without a list of values: DuckDB makes two statements of it, so what it answers is taken from a table that it
 * makes of it.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DuckDBInstance } from '../duckdb.ts'
import { difference } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { code, rows, sessionsOf } from './asking.ts'
import { Skein } from './skein.ts'

const root = mkdtempSync(join(tmpdir(), 'skein-pivot-'))
const data = join(root, 'data')
mkdirSync(join(data, 'visits'), { recursive: true })
const writer = await DuckDBInstance.create(':memory:')
const connection = await writer.connect()
for (const i of [0, 1, 2]) {
  await connection.run(`COPY (SELECT i::INTEGER AS id, i % 12 AS hour,
    CASE WHEN i % 7 > 0 THEN 'it''s ' || i % 3 END AS kind,
    i % 2 = 0 AS paid, DATE '2024-01-30' + (i % 4)::INTEGER AS day, (i / 8)::DECIMAL(8, 2) AS price
    FROM range(${i * 100}, ${i * 100 + 100}) t(i)) TO '${join(data, 'visits', `${i}.parquet`)}'`)
}
connection.closeSync()
writer.closeSync()
const oracle = await Oracle.open(
  data, [{ catalog: 'lake', name: 'visits', glob: 'visits/*.parquet', reader: 'read_parquet' }], 'lake')
const skein = await Skein.start({
  folder: join(root, 'own'), executors: 2,
  config: {
    buckets: { files: { provider: 'local', path: data } },
    catalogs: {
      lake: { type: 'bucket_tables', bucket: 'files', file_format: 'parquet', tables: { visits: 'visits/*.parquet' } },
    },
    default_catalog: 'lake', node: { memory: '2GB', spill: '1GB' },
  },
  environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
})
t.teardown(async () => {
  oracle.close()
  await skein.stop()
  rmSync(root, { recursive: true })
})

const statements = [
  'PIVOT visits ON hour USING count(*) GROUP BY paid',
  'PIVOT visits ON kind USING sum(price) GROUP BY hour ORDER BY hour',
  'PIVOT visits ON kind, paid USING sum(id) AS ids, count(*) AS n GROUP BY day',
  'PIVOT visits ON day', 'PIVOT_WIDER visits ON year(day), day USING max(price) GROUP BY paid',
  `PIVOT visits ON kind IN ('it''s 1'), paid USING count(*) GROUP BY day`,
  `PIVOT (SELECT kind || '?' AS k, paid FROM visits WHERE id < 50) ON k USING count(*)`,
  'SELECT sum("1") AS one, max("11") FROM (PIVOT visits ON hour USING count(*) GROUP BY kind) WHERE kind IS NOT NULL',
  `WITH v AS (SELECT * FROM visits WHERE hour < 3), p AS (PIVOT v ON hour USING count(*) GROUP BY paid)
    SELECT p.*, (SELECT count(*) FROM v) AS n FROM p`,
  'WITH v AS (SELECT hour, paid FROM visits) PIVOT v ON paid USING count(*)',
  `FROM (PIVOT visits ON paid USING count(*) GROUP BY hour) JOIN (PIVOT visits ON kind USING count(*) GROUP BY hour)
    USING (hour)`,
  `PIVOT visits ON CASE WHEN paid THEN 'yes' ELSE 'no' END USING min(day) GROUP BY kind`,
  'SELECT * FROM (WITH v AS (FROM visits WHERE id < 40) PIVOT v ON kind USING count(*) GROUP BY paid)',
  `WITH v AS (FROM visits WHERE id < 40) SELECT p.* FROM (WITH w AS (SELECT kind, hour FROM visits WHERE hour < 5)
    SELECT * FROM (PIVOT w ON kind USING count(*) GROUP BY hour)) AS p JOIN v USING (hour)`,
  // columns without a value
  'PIVOT (FROM visits WHERE id < 0) ON kind USING sum(price) GROUP BY day',
  'PIVOT (SELECT hour, paid, NULL::DATE AS d FROM visits) ON d',
  'PIVOT (SELECT *, NULL::VARCHAR AS n FROM visits) ON n, paid USING count(*), sum(id) AS s GROUP BY hour',
  `SELECT * FROM (PIVOT (SELECT *, NULL::VARCHAR AS n FROM visits) ON n USING count(*) GROUP BY hour)
    JOIN (PIVOT visits ON kind USING count(*) GROUP BY hour) USING (hour)`,
]

t.test('its values are asked for, and are those that DuckDB finds', async t => {
  for (const sql of statements) {
    const outcome = await skein.query(sql)
    await oracle.change(`CREATE OR REPLACE TEMP TABLE made AS ${sql}`)
    const wrong = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}`
      : difference(await oracle.run('FROM made'), outcome.answer, / ORDER BY /.test(sql))
    t.equal(wrong, undefined, sql)
  }
})

/** DuckDB asks for the values with the inner tables first, which cannot read the outer ones then. */
t.test('it reads tables of every WITH around it', async t => {
  const outcome = await skein.query(`WITH v AS (FROM visits WHERE id < 60) SELECT * FROM (
    WITH w AS (SELECT paid, hour FROM v WHERE hour < 3) PIVOT w ON paid USING count(*)) ORDER BY hour`)
  t.strictSame(rows(outcome), [['0', '0', '5'], ['1', '5', '0'], ['2', '0', '5']])
})

t.test('it has its place in a text, beside objects of a session, and by columns of files', async t => {
  const own = sessionsOf(skein)()
  t.equal(code(await own(`CREATE TEMP TABLE few AS SELECT id, 'k' || id % 2 AS k FROM visits WHERE id < 5`)), 'rows')
  t.strictSame(rows(await own('SELECT 1; PIVOT (SELECT k FROM few) ON k USING count(*);')), [['3', '2']])
  t.equal(code(await own('PREPARE p AS PIVOT (SELECT paid FROM visits) ON paid USING count(*)')), 'rows')
  t.strictSame(rows(await own('EXECUTE p')), [['150', '150']])
  t.match(await own('PIVOT (SELECT parse_filename(filename) AS f FROM visits) ON f USING count(*)'), {
    answer: { columns: ['0', '1', '2'].map(i => ({ name: `${i}.parquet` })), rows: [['100', '100', '100']] },
  })
  const placed = 'PIVOT visits ON parse_filename(filename) USING max(file_row_number) GROUP BY paid ORDER BY paid'
  t.match(await own(placed), {
    answer: { columns: [{ name: 'paid' }, { name: '0.parquet' }, {}, {}], rows: [['false', '99', '99', '99'], {}] },
  })
  const limited = await skein.query('PIVOT visits ON paid USING count(*) GROUP BY hour', { fields: { limit: 3 } })
  t.equal(rows(limited) instanceof Array && (rows(limited) as unknown[]).length, 3)
})

t.test('what is wrong with it is said at its place', async t => {
  t.match(await skein.query('PIVOT visits ON nope USING count(*)'), { code: 'BIND_ERROR', position: 16 })
  t.match(await skein.query('PIVOT visits ON paid USING sum(nope)'), { code: 'BIND_ERROR', position: 31 })
  t.match(await skein.query('PIVOT nowhere ON paid USING count(*)'), { code: 'TABLE_NOT_FOUND', position: 6 })
  const outside = await skein.query(`PIVOT (FROM read_csv('/etc/passwd')) ON column0 USING count(*)`)
  t.match(outside, { code: 'PERMISSION_DENIED' })
  t.match(await skein.query('EXPLAIN PIVOT visits ON paid USING sum(nope)'), { code: 'BIND_ERROR', position: 39 })
  const refused = 'CREATE TEMP VIEW v AS PIVOT visits ON paid USING count(*)'
  t.match(await skein.query(refused), { code: 'SYNTAX_ERROR', message: /cannot be used in views/ })
  const none = await skein.query('PIVOT (SELECT hour FROM visits WHERE id < 0) ON hour USING count(*)')
  t.match(none, { code: 'BIND_ERROR', message: 'PIVOT on a column that has no values, and no other column is left' })
})

t.test('it stands in other statements as queries do', async t => {
  const own = sessionsOf(skein)()
  const pivot = 'PIVOT visits ON paid USING count(*) GROUP BY hour'
  const made = 'WITH v AS (FROM visits) PIVOT v ON paid USING count(*) GROUP BY hour'
  t.equal(code(await own(`CREATE TEMP TABLE made AS ${made}`)), 'rows')
  t.equal(code(await own(`INSERT INTO made ${pivot}`)), 'rows')
  t.strictSame(rows(await own('SELECT count(*), sum("true") FROM made')), [['24', '300']])
  t.match(rows(await own(`DESCRIBE ${pivot}`)), [['hour', 'BIGINT'], ['false', 'BIGINT'], ['true', 'BIGINT']])
  t.match(rows(await own(`SUMMARIZE ${pivot}`)), [['hour'], ['false'], ['true']])
  t.match(String(rows(await own(`EXPLAIN ${pivot}`))), /Aggregate by hour: count_star\(\) filter paid/)
  t.match(String(rows(await own(`EXPLAIN ANALYZE ${pivot}`))), /12 rows/)
  t.match(String(rows(await own('EXPLAIN PIVOT made ON hour USING sum("true")'))), /SEQ_SCAN.*"temp"\.main\.made/s)
})
