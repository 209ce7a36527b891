/**
 * A LIMIT without an order above joins and UNION ALL: of the table whose rows decide what comes out a task reads the
 * beginning, and goes on only while rows are lacking; the other sides are read whole, or rows would be wrong.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Caches } from '../../bench/remote/caches.ts'
import { DuckDBInstance } from '../duckdb.ts'
import { bucketConfig, serveFolder } from '../s3/folder.ts'
import { Oracle } from '../sql/oracle.ts'
import { Skein } from './skein.ts'

const root = mkdtempSync(join(tmpdir(), 'skein-limit-joins-'))
const data = join(root, 'data')
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
/** Files of `rows` rows each, made of the row's number `i`. */
async function write(table: string, files: number, rows: number, columns: string): Promise<void> {
  mkdirSync(join(data, table), { recursive: true })
  for (let file = 0; file < files; file++) {
    await connection.run(`COPY (SELECT ${columns} FROM range(${file * rows}, ${(file + 1) * rows}) t(i))
      TO '${join(data, table, `${file}.parquet`)}' (FORMAT parquet, ROW_GROUP_SIZE 30720)`)
  }
}
const FILES = 4
const ROWS = FILES * 300_000
/** Too much to be read in one step: hashes do not pack. A third of \`k\` is NULL. */
await write('large', FILES, ROWS / FILES,
  'i AS id, CASE WHEN i % 3 > 0 THEN i % 1000 END AS k, hash(i) AS h, hash(-i) AS g')
/** Its last file has the keys of the first rows of \`large\`, a key twice, and a NULL. */
await write('small', 4, 100, 'CASE WHEN i < 399 THEN (i + 105) % 500 END AS k, i AS v')
/** Hashes of the last rows of `large`, in its last file of the first ones, and of both ends in turns. */
await write('middle', 4, 5_000, `i AS v, hash(${ROWS - 1} - i) AS late, hash(19999 - i) AS early,
  hash(CASE WHEN i % 2 = 0 THEN i ELSE ${ROWS} - i END) AS ends`)
connection.closeSync()
instance.closeSync()
/** Of `large` one hash is less, two are more. */
const WHOLE_BYTES = ROWS * 10
const names = ['large', 'small', 'middle']
const server = await serveFolder(t, data)
const skein = await Skein.start({
  folder: join(root, 'own'), executors: 2, environment: { SKEIN_WHOLE_BYTES: String(WHOLE_BYTES) },
  config: {
    buckets: { lake: bucketConfig(server) },
    catalogs: {
      lake: {
        type: 'bucket_tables', bucket: 'lake', file_format: 'parquet',
        tables: Object.fromEntries(names.map(name => [name, `${name}/*.parquet`])),
      },
    },
    default_catalog: 'lake',
  },
})
const caches = new Caches(skein)
const oracle = await Oracle.open(data, names.map(name =>
  ({ catalog: 'lake', name, glob: `${name}/*.parquet`, reader: 'read_parquet' })), 'lake')
t.teardown(async () => {
  oracle.close()
  caches.close()
  await skein.stop()
  rmSync(root, { recursive: true })
})

const TABLE_BYTES = ROWS * 2 * 8
/** Of each of two executors one task reads 4 MiB, what is left of the last row groups, and the other sides. */
const FIRST_STEPS_BYTES = 2 * 5.25 * 1024 * 1024

async function rowsOf(sql: string): Promise<readonly (readonly unknown[])[]> {
  const outcome = await skein.query(sql)
  if (outcome.kind === 'error') throw new Error(`${outcome.message}: ${sql}`)
  return outcome.answer.rows
}

/** Reads so much of the tables; its rows are so many of those that plain DuckDB gives without the limit. */
async function bytesOf(t: Test, sql: string, { limit = 10, offset = 0 } = {}): Promise<number> {
  const outcome = await skein.query(`${sql} LIMIT ${limit} OFFSET ${offset}`)
  if (outcome.kind === 'error') throw new Error(`${outcome.message}: ${sql}`)
  const { columns, rows } = outcome.answer
  const [[all = null] = []] = (await oracle.run(`SELECT count(*) FROM (${sql} LIMIT ${limit + offset})`)).rows
  t.equal(rows.length, Math.max(0, Number(all) - offset), sql)
  const literal = (cell: unknown, i: number): string =>
    `CAST(${cell === null ? 'NULL' : `'${String(cell)}'`} AS ${columns[i]?.type ?? ''})`
  if (rows.length > 0) {
    const firsts = rows.map(([cell]) => literal(cell, 0)).join(', ')
    const names = columns.map((_, i) => `c${i}`).join(', ')
    const all = `SELECT * FROM (${sql}) AS q(${names}) WHERE c0 IN (${firsts}) OR c0 IS NULL`
    const values = rows.map(row => `(${row.map(literal).join(', ')})`).join(', ')
    const others = await oracle.run(`(FROM (VALUES ${values})) EXCEPT ALL (${all})`)
    t.strictSame(others.rows, [], 'all of them are rows of it')
  }
  return Number(outcome.stats['bytes_fetched']) + Number(outcome.stats['bytes_cached'])
}

const few = async (t: Test, sql: string, most = FIRST_STEPS_BYTES): Promise<void> => {
  await caches.evict() // what is cached is read at once
  const bytes = await bytesOf(t, sql)
  t.ok(bytes <= most, `${bytes} bytes of ${TABLE_BYTES}: ${sql}`)
}
const most = async (t: Test, sql: string, limit = 10): Promise<void> => {
  const bytes = await bytesOf(t, sql, { limit })
  t.ok(bytes > 0.9 * TABLE_BYTES, `${bytes} bytes of ${TABLE_BYTES}: ${sql}`)
}

t.test('of the side whose rows decide it reads the beginning', async t => {
  await few(t, 'SELECT l.*, s.v FROM large l JOIN small s USING (k)')
  await few(t, 'SELECT l.*, s.v FROM large l LEFT JOIN small s USING (k)')
  await few(t, 'SELECT l.*, s.v FROM small s RIGHT JOIN large l USING (k)')
  await few(t, 'SELECT l.*, s.v FROM large l JOIN small s ON l.id < s.v')
  await few(t, 'SELECT l.*, s.v FROM large l, small s WHERE s.v < 3')
  await few(t, 'SELECT l.* FROM large l WHERE EXISTS (FROM small s WHERE s.k = l.k)')
  await few(t, 'SELECT l.*, l.k IN (SELECT k FROM small) AS is_known FROM large l')
  await few(t, 'SELECT l.*, s.v, m.v AS w FROM large l JOIN small s USING (k) LEFT JOIN middle m ON m.late = l.h')
})

t.test('the other side is read whole', async t => {
  await few(t, 'SELECT l.* FROM large l WHERE NOT EXISTS (FROM middle m WHERE m.early = l.h)')
  await few(t, 'SELECT l.*, m.v FROM large l LEFT JOIN middle m ON m.early = l.h')
  await few(t, 'SELECT l.* FROM large l WHERE k NOT IN (SELECT k FROM small WHERE k IS NOT NULL)')
  await most(t, 'SELECT l.* FROM large l WHERE k NOT IN (SELECT k FROM small)')
})

t.test('also what other stages made of it', async t => {
  await few(t, `SELECT l.*, n FROM large l
    JOIN (SELECT v % 1000 AS k, count(*) AS n FROM middle GROUP BY ALL) USING (k)`)
  await few(t, `SELECT l.* FROM large l
    WHERE NOT EXISTS (FROM (SELECT DISTINCT early FROM middle) m WHERE m.early = l.h)`)
})

t.test('the same in one task that runs all of it', async t => {
  const [, text] = (await rowsOf('EXPLAIN SELECT h, v FROM large JOIN small s ON s.k = h % 500 LIMIT 10')).flat()
  t.match(String(text), /^Whole on one executor: small.* in 2 steps at most\n/s)
  await few(t, 'SELECT h, v FROM large JOIN small s ON s.k = h % 500', FIRST_STEPS_BYTES / 2)
  await few(t, `SELECT h, n FROM large
    JOIN (SELECT v % 1000 AS m, count(*) AS n FROM middle GROUP BY ALL) ON m = h % 3000`, FIRST_STEPS_BYTES / 2)
  await few(t, 'SELECT h FROM large WHERE NOT EXISTS (FROM middle m WHERE m.early = h)', FIRST_STEPS_BYTES / 2)
  await few(t, 'SELECT h FROM large WHERE h % 9 = 1 UNION ALL SELECT v::UBIGINT FROM small', FIRST_STEPS_BYTES / 2)
})

t.test('of UNION ALL the beginnings of all parts', async t => {
  await few(t, 'SELECT id, h FROM large WHERE h % 9 = 1 UNION ALL SELECT -id, g FROM large WHERE g % 9 = 1')
  await few(t, `SELECT id, g, h FROM large WHERE h % 9 = 1
    UNION ALL SELECT s.v, l.g, l.h FROM large l JOIN small s USING (k)`)
})

t.test('it reads on while rows are lacking', async t => {
  await most(t, 'SELECT l.*, m.v FROM large l JOIN middle m ON m.late = l.h AND m.v < 20', 21) // there is one less
  await most(t, 'SELECT l.* FROM large l JOIN middle m ON m.late = l.h AND m.v = 0')
  await most(t, 'SELECT l.* FROM large l JOIN small s ON s.k = l.h % 1000 AND s.v > 1000')
  const sql = 'SELECT l.*, m.v FROM large l JOIN middle m ON m.ends = l.h AND m.v < 100'
  for (const [limit, offset] of [[0, 0], [40, 10], [60, 20], [200, 0], [200, 99], [10, 200]] as const) {
    await bytesOf(t, sql, { limit, offset })
  }
})

t.test('of what looks at rows together all', async t => {
  await bytesOf(t, 'SELECT DISTINCT k FROM large WHERE k % 7 = 1', { limit: 1000 })
  await bytesOf(t, 'SELECT s.v, l.id FROM large l FULL JOIN small s ON s.k = l.k AND l.id < 0')
})

t.test('of tables that stand twice, and of subqueries', async t => {
  await bytesOf(t, 'SELECT a.id, b.g FROM large a JOIN large b USING (id) WHERE a.h % 1000 = 1 AND b.h % 10 = 1')
  await bytesOf(t, `WITH x AS MATERIALIZED (FROM large WHERE h % 1000 < 20)
    SELECT a.id, b.g FROM x a JOIN x b ON a.h = b.h AND a.id > ${ROWS / 2}`)
  await bytesOf(t, 'SELECT l.id, l.h FROM large l WHERE l.k > (SELECT avg(v) FROM small)')
  await bytesOf(t, 'SELECT l.id, (SELECT max(v) FROM small s WHERE s.k < l.k) AS n FROM large l WHERE h % 10 = 3')
  await bytesOf(t, 'SELECT l.id, x FROM large l, LATERAL (SELECT v + l.id AS x FROM small s WHERE s.k = l.k)')
  await bytesOf(t, 'SELECT l.id, u FROM large l JOIN small s USING (k), LATERAL unnest([l.h, l.g]) t(u) WHERE s.v > 9')
})

t.test('beside a LIMIT or a sample it reads all, for they may differ the next time', async t => {
  for (const side of ['(FROM small WHERE k < 3 LIMIT 1)', '(FROM middle LIMIT 1)']) {
    const key = side.includes('small') ? 'x.k = l.h % 500' : 'x.v = l.h % 20000'
    const rows = await rowsOf(`SELECT l.id, x.v FROM large l JOIN ${side} x ON ${key} LIMIT 30`)
    t.equal(rows.length, 30)
    t.equal(new Set(rows.map(row => row[1])).size, 1)
  }
  const volatile = await rowsOf('SELECT l.id FROM large l JOIN small s USING (k) WHERE random() < 0.01 LIMIT 40')
  t.equal(volatile.length, 40)
})
