/**
 * Statements over tables that are divided by the values of a column: which of them need no exchange for rows that are
 * equal in it, and the answers of one DuckDB. A task is given any values of the column, and of what it joins nothing
 * but the keys that those bound.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { difference } from './compare.ts'
import { InProcessCluster } from './in-process-cluster.ts'
import { DEFAULTS, FORCED, Planning, writeTables } from './planning.ts'
import { tables } from './tables.ts'

const THRESHOLDS = { ...DEFAULTS, replicateRows: 0 }
const FILES = 3
const folder = await mkdtemp(join(tmpdir(), 'skein-divided-'))
t.teardown(() => rm(folder, { recursive: true }))
await writeTables(folder, tables, FILES)
const planning = await Planning.open(folder, Object.keys(tables), ['k'])
t.teardown(() => planning.close())
const cluster = await InProcessCluster.open(FILES, planning.clusterTables, join(folder, 'exchange'))
t.teardown(() => cluster.close())

/** Of these every task makes a part of the result, NULLs and all. */
const alone: readonly string[] = [
  'SELECT k, count(*), sum(v), list(v ORDER BY v), median(v) FROM u GROUP BY k',
  'SELECT k, h, count(DISTINCT s) FROM u GROUP BY k, h',
  'SELECT DISTINCT k, h FROM u',
  'SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY v) FROM u',
  'SELECT k, v, sum(v) OVER (PARTITION BY h, k ORDER BY v) FROM u',
  'SELECT k, n FROM (SELECT k, count(*) AS n FROM u GROUP BY k) WHERE n > 3',
  'SELECT t.id, r.n FROM t JOIN (SELECT k, count(*) AS n FROM u GROUP BY k) r ON t.k = r.k',
  'SELECT t.k, count(*), max(u.v) FROM t JOIN u ON t.k = u.k GROUP BY t.k',
  'SELECT u.k, count(*), max(t.id) FROM t JOIN u ON t.k = u.k GROUP BY u.k',
  'SELECT t.id FROM t WHERE d > (SELECT avg(v) FROM u WHERE u.k = t.k)',
  'SELECT t.id, (SELECT sum(v) FROM u WHERE u.k = t.k) FROM t',
  'SELECT t.id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k AND u.v > t.id)',
  'SELECT t.id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k AND u.v > t.id)',
  `SELECT t.id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k AND u.v > t.id)
     AND NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k AND u.h = t.id)`,
  `SELECT t.k, count(*) FROM t WHERE d > (SELECT min(v) FROM u WHERE u.k = t.k
     AND v > (SELECT avg(g) FROM solid WHERE solid.k = u.k)) GROUP BY t.k`,
]

/** Here rows have to move, or one task has them all. */
const moving: readonly string[] = [
  'SELECT h, count(DISTINCT v) FROM u GROUP BY h',
  'SELECT k + 1, list(v ORDER BY v) FROM u GROUP BY k + 1',
  'SELECT k, count(*) FROM (SELECT k FROM t UNION ALL SELECT k FROM u) GROUP BY k',
  'SELECT k, count(*) FROM u GROUP BY ROLLUP (k)',
  'SELECT t.k, u.k, t.id, u.v FROM t FULL JOIN u ON t.k = u.k AND t.id = u.v',
  'SELECT u.k, count(*) FROM t LEFT JOIN u ON t.g = u.k GROUP BY u.k',
  'SELECT t.id, (SELECT sum(v) FROM u WHERE u.h = t.g) FROM t',
  'SELECT k, row_number() OVER (ORDER BY v, k, h) FROM u',
]

/** Groups that stay beside groups that move: some of these tasks read no splits of the table. */
const mixed: readonly string[] = [
  'SELECT k, count(*) FROM t GROUP BY k UNION ALL SELECT h, count(DISTINCT v) FROM u GROUP BY h',
  `SELECT a.k, a.n, b.n FROM (SELECT k, count(*) AS n FROM t GROUP BY k) a
     FULL JOIN (SELECT k, count(*) AS n FROM u GROUP BY k) b ON a.k = b.k`,
  'WITH r AS MATERIALIZED (SELECT k, sum(v) AS v FROM u GROUP BY k) SELECT a.k, b.v FROM r a JOIN r b ON a.v = b.v',
  'SELECT k FROM t INTERSECT SELECT k FROM u',
  'SELECT DISTINCT ON (k) k, v FROM u ORDER BY k, v',
]

async function answers(sql: string): Promise<{ readonly stages: number; readonly differs: string | null }> {
  const expected = await planning.oracle(sql)
  const { fragments } = await planning.plan(sql, THRESHOLDS)
  return { stages: fragments.length, differs: difference(expected, await cluster.run(fragments), false) }
}

t.test('rows that are equal in the column stay, and so does what hangs on them', async t => {
  for (const sql of alone) {
    const { stages, differs } = await answers(sql)
    t.equal(differs, null, sql)
    t.equal(stages, 1, sql)
  }
})

t.test('others move', async t => {
  for (const sql of moving) {
    const { stages, differs } = await answers(sql)
    t.equal(differs, null, sql)
    t.ok(stages > 1, sql)
  }
})

t.test('and both in one statement', async t => {
  for (const sql of mixed) t.equal((await answers(sql)).differs, null, sql)
})

t.test('a correlated subquery whose keys have to move shares them by an exchange', async t => {
  const asThoughMany = { times: 100_000 }
  const plan = await planning.explained(
    'SELECT a.id, (SELECT max(b.d) FROM t b WHERE b.id = a.k AND b.d < a.d) FROM t a', DEFAULTS, asThoughMany)
  t.notMatch(plan, /Delim/)
  t.match(plan, /Fragment/)
})

t.test('EXPLAIN says what the splits of a table are divided by', async t => {
  const { fragments } = await planning.plan('SELECT k, median(v) FROM u GROUP BY k', THRESHOLDS, true)
  const texts = fragments.flatMap(({ explained }) => explained?.operators ?? []).map(({ text }) => text)
  t.strictSame(texts.filter(text => text.startsWith('Scan')), ['Scan u: k, v, divided by k'])
})

t.test('nothing stays where all joins are to be shuffled', async t => {
  const { fragments } = await planning.plan('SELECT k, median(v) FROM u GROUP BY k', FORCED)
  t.equal(fragments.length, 2)
  t.notOk(fragments.some(({ scans }) => scans.some(({ dividedBy }) => dividedBy !== undefined)))
})
