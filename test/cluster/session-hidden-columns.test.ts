/**
 * filename and file_row_number, which no `*` means, together with what a session has made: plain DuckDB is asked the
 * same, with its reader in the place of each table.
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

const root = mkdtempSync(join(tmpdir(), 'skein-own-hidden-'))
const data = join(root, 'data')
mkdirSync(join(data, 'orders'), { recursive: true })
mkdirSync(join(data, 'more'))
const writer = await DuckDBInstance.create(':memory:')
const connection = await writer.connect()
for (const [i, folder] of ['orders', 'orders', 'more'].entries()) {
  await connection.run(`COPY (SELECT i::INTEGER AS id, i % 7 AS grp, 'w' || i AS word
    FROM range(${i * 500}, ${i * 500 + 500}) t(i)) TO '${join(data, folder, `part-${i}.parquet`)}'`)
}
connection.closeSync()
writer.closeSync()
const oracle = await Oracle.open(data, [], 'lake')
const of = (table: string): unknown =>
  ({ type: 'bucket_tables', bucket: 'files', file_format: 'parquet', tables: { [table]: `${table}/*.parquet` } })
const skein = await Skein.start({
  folder: join(root, 'own'), executors: 2,
  config: {
    buckets: { files: { provider: 'local', path: data } }, catalogs: { lake: of('orders'), other: of('more') },
    default_catalog: 'lake', node: { memory: '2GB', spill: '1GB' },
  },
})
t.teardown(async () => {
  oracle.close()
  await skein.stop()
  rmSync(root, { recursive: true })
})
const session = sessionsOf(skein)

/** `@orders`: the table, for DuckDB its reader. What changes something gives no rows that are compared. */
const statements = [
  'CREATE TEMP TABLE few AS SELECT id, 10 * id AS tens FROM @orders WHERE id % 100 = 7',
  'SELECT id, file_row_number FROM few JOIN @orders USING (id)',
  'SELECT *, parse_filename(filename) AS f FROM few JOIN @orders o USING (id)',
  'FROM few, @orders o WHERE file_row_number = tens AND filename LIKE \'%-1.parquet\'',
  'SELECT o, few, file_row_number FROM few JOIN @orders o USING (id)',
  'SELECT *, o.file_row_number FROM few NATURAL JOIN @orders o',
  'SELECT * FROM few NATURAL LEFT JOIN @orders o WHERE file_row_number > 300',
  `SELECT * FROM few JOIN (FROM @orders o PIVOT (max(file_row_number) FOR grp IN (0, 1) GROUP BY id)) p USING (id)`,
  'SELECT max(COLUMNS(\'i\')), min(file_row_number) FROM few JOIN @orders o USING (id)',
  'CREATE TEMP VIEW all_of AS SELECT * FROM @orders o',
  'CREATE TEMP VIEW placed AS SELECT *, parse_filename(filename) AS f, file_row_number AS n FROM @orders o',
  'SELECT * FROM placed WHERE n = 3',
  'SELECT a.*, n FROM all_of a JOIN placed p ON a.id = p.id WHERE n < 2',
  'SELECT v.*, file_row_number FROM all_of v JOIN @orders o USING (id) WHERE file_row_number = 1',
  'SELECT * FROM all_of WHERE id = 4',
  'CREATE TEMP MACRO rows_at(place) AS TABLE SELECT id FROM @orders o WHERE file_row_number = place',
  'SELECT * FROM rows_at(4)',
  'CREATE TEMP MACRO place_of(i) AS (SELECT file_row_number FROM @orders o WHERE id = i)',
  'SELECT place_of(501), place_of(id) + 1 AS next FROM few',
  `CREATE TEMP TABLE names AS SELECT id, parse_filename(filename) AS filename FROM @orders o WHERE id % 250 = 1`,
  'SELECT names.filename, o.file_row_number FROM names NATURAL JOIN @orders o',
  'SELECT filename, count(*) FROM names GROUP BY ALL',
  'INSERT INTO few SELECT file_row_number, id FROM @orders o WHERE id IN (17, 717)',
  'INSERT INTO few BY NAME FROM @orders o SELECT file_row_number AS id WHERE id = 818',
  'UPDATE few SET tens = file_row_number FROM @orders o WHERE few.id = o.id AND o.id > 500',
  'DELETE FROM few WHERE id IN (SELECT file_row_number FROM @orders o WHERE o.id = 17)',
  `MERGE INTO few USING (SELECT id, file_row_number AS n FROM @orders o WHERE grp = 3) s ON few.id = s.id
    WHEN MATCHED THEN UPDATE SET tens = n`,
  'FROM few',
  'SET VARIABLE last = (SELECT max(file_row_number) FROM @orders o)',
  `SELECT getvariable('last')`,
  'WITH few AS (SELECT *, file_row_number FROM @orders o WHERE id < 2) FROM few, names n',
  'SELECT names.filename, o.file_row_number FROM @orders o NATURAL JOIN names',
]

t.test('they are read beside objects of the session, and kept in these', async t => {
  const own = session()
  for (const sql of statements) {
    const outcome = await own(sql.replaceAll('@', ''))
    const ofFiles = sql.replaceAll('@orders', `read_parquet('${data}/orders/*.parquet')`)
    const isQuery = /^(SELECT|FROM|WITH)/.test(sql)
    const expected = isQuery ? await oracle.run(ofFiles) : await oracle.change(ofFiles)
    const wrong = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}`
      : expected === undefined ? undefined : difference(expected, outcome.answer, false)
    t.equal(wrong, undefined, sql)
  }
})

t.test('what they belong to is told apart, whatever it is called', async t => {
  const own = session()
  t.equal(code(await own('CREATE TEMP TABLE orders AS SELECT 1 AS id')), 'rows')
  t.match(await own('SELECT file_row_number FROM orders'), { code: 'BIND_ERROR', position: 7 })
  t.strictSame(rows(await own('SELECT file_row_number FROM lake.orders, orders o WHERE lake.orders.id = 9 + o.id')),
    [['10']])
  t.strictSame(rows(await own('SELECT file_row_number FROM other.main.more, orders WHERE more.id = 1003')), [['3']])
  t.strictSame(rows(await own(`SELECT count(*) FROM other.more m, orders
    WHERE filename = 's3://files/more/part-2.parquet'`)), [['500']])
  const wrong = await own('SELECT *, file_row_number,\n  nope FROM other.more, orders')
  t.match(wrong, { code: 'BIND_ERROR', position: 29, message: /"nope" not found/ })
  t.match(await own('SELECT file_row_number FROM nowhere, orders'), { code: 'TABLE_NOT_FOUND' })
  t.strictSame(rows(await own('EXPLAIN SELECT file_row_number FROM other.more, orders')) instanceof Array, true)
  t.strictSame(rows(await own('SELECT table_name FROM information_schema.tables WHERE table_name LIKE \'% %\'')), [])
})

t.test('in a transaction, and with parameters', async t => {
  const own = session()
  t.equal(code(await own('BEGIN')), 'rows')
  t.equal(code(await own('CREATE TABLE memory.main.places AS SELECT file_row_number AS p FROM orders')), 'rows')
  const late = await own('SELECT file_row_number FROM other.main.more, memory.main.places')
  t.match(late, { code: 'TRANSACTION_ERROR', message: /catalog/ })
  t.strictSame(rows(await own('SELECT count(*), max(file_row_number) FROM memory.main.places, orders WHERE id = p')),
    [['1000', '499']])
  t.equal(code(await own('COMMIT')), 'rows')
  const prepared = 'SELECT p, file_row_number FROM memory.main.places, orders WHERE id = $1 AND p = $2'
  t.equal(code(await own(`PREPARE q AS ${prepared}`)), 'rows')
  t.strictSame(rows(await own('EXECUTE q(503, 1)')), [['1', '3'], ['1', '3']])
})
