/**
 * What a task may leave out of the relations that all tasks read: joins of all kinds over keys with NULLs, in which
 * every task is given nothing but the keys that its own splits have, and the answers of one DuckDB.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { difference } from './compare.ts'
import { InProcessCluster } from './in-process-cluster.ts'
import { DEFAULTS, Planning, writeTables } from './planning.ts'
import { tables } from './tables.ts'

const THRESHOLDS = { ...DEFAULTS, replicateRows: 0 }
/** As many as executors: each task has one. */
const FILES = 3
const folder = await mkdtemp(join(tmpdir(), 'skein-restrict-'))
t.teardown(() => rm(folder, { recursive: true }))
await writeTables(folder, tables, FILES)
const planning = await Planning.open(folder, Object.keys(tables))
t.teardown(() => planning.close())
const cluster = await InProcessCluster.open(FILES, planning.clusterTables, join(folder, 'exchange'))
t.teardown(() => cluster.close())

/** Relations with a column k that is one of a table's, or nearly. */
const sides: Readonly<Record<string, string>> = {
  'a table': 'u',
  'a filter': '(SELECT k, v FROM u WHERE v % 20 = 0)',
  'an expression': '(SELECT k + 1 AS k, v FROM u)',
  'groups': '(SELECT k, sum(v)::BIGINT AS v FROM u GROUP BY k)',
  'groups of sets': '(SELECT k, sum(v)::BIGINT AS v FROM u GROUP BY ROLLUP (k))',
  'different rows': '(SELECT DISTINCT k, v FROM u)',
  'one row a key': '(SELECT DISTINCT ON (v % 3) k, v FROM u ORDER BY v % 3, v)',
  'the first rows': '(SELECT k, v FROM u ORDER BY v LIMIT 7)',
  'a window': '(SELECT k, row_number() OVER (ORDER BY v) AS v FROM u)',
  'an inner join': '(SELECT u.k, u.v FROM u JOIN solid ON u.k = solid.k)',
  'the kept side of an outer join': '(SELECT u.k, u.v FROM u LEFT JOIN solid ON u.v = solid.k)',
  'the other side of an outer join': '(SELECT solid.k, u.v FROM u LEFT JOIN solid ON u.k = solid.k)',
  'both kept': '(SELECT u.k, u.v FROM u FULL JOIN solid ON u.k = solid.k)',
  'all of two': '(SELECT k, v FROM u UNION ALL SELECT k, g FROM solid)',
  'what has no partner': '(SELECT k, v FROM u WHERE NOT EXISTS (SELECT 1 FROM solid WHERE solid.k = u.k))',
}

const joins: Readonly<Record<string, (side: string) => string>> = {
  'inner': side => `SELECT t.id, r.v FROM t JOIN ${side} r ON t.k = r.k`,
  'left': side => `SELECT t.id, r.v FROM t LEFT JOIN ${side} r ON t.k = r.k`,
  'right': side => `SELECT t.id, r.v FROM t RIGHT JOIN ${side} r ON t.k = r.k`,
  'full': side => `SELECT t.id, r.v FROM t FULL JOIN ${side} r ON t.k = r.k`,
  'semi': side => `SELECT t.id FROM t WHERE EXISTS (SELECT 1 FROM ${side} r WHERE r.k = t.k)`,
  'anti': side => `SELECT t.id FROM t WHERE NOT EXISTS (SELECT 1 FROM ${side} r WHERE r.k = t.k)`,
  'semi of the other': side => `SELECT r.v FROM ${side} r WHERE EXISTS (SELECT 1 FROM t WHERE r.k = t.k)`,
  'anti of the other': side => `SELECT r.v FROM ${side} r WHERE NOT EXISTS (SELECT 1 FROM t WHERE r.k = t.k)`,
  'in': side => `SELECT t.id FROM t WHERE t.k IN (SELECT k FROM ${side} r)`,
  'not in': side => `SELECT t.id FROM t WHERE t.k NOT IN (SELECT k FROM ${side} r)`,
  'not in without null': side => `SELECT t.id FROM t WHERE t.k NOT IN (SELECT k FROM ${side} r WHERE k IS NOT NULL)`,
  'a mark': side => `SELECT t.id, t.k IN (SELECT k FROM ${side} r) AS found FROM t`,
  'null-safe': side => `SELECT t.id, r.v FROM t JOIN ${side} r ON t.k IS NOT DISTINCT FROM r.k`,
  'two keys': side => `SELECT t.id, r.v FROM t JOIN ${side} r ON t.k = r.k AND t.g = r.v % 4`,
  'another comparison': side => `SELECT t.id, r.v FROM t JOIN ${side} r ON t.k = r.k AND t.id < r.v`,
  'a value of a row': side => `SELECT t.id, (SELECT max(v) FROM ${side} r WHERE r.k = t.k) AS most FROM t`,
  'a count': side => `SELECT t.id, (SELECT count(*) FROM ${side} r WHERE r.k = t.k) AS most FROM t`,
  'the same twice': side => `WITH r AS MATERIALIZED (SELECT k, v FROM ${side})
    SELECT t.id, a.v, b.v FROM t JOIN r a ON t.k = a.k JOIN r b ON t.id = b.v`,
  'the nearest': side => `SELECT t.id, r.v FROM t ASOF JOIN ${side} r ON t.k = r.k AND t.id >= r.v`,
}

let restricted = 0

for (const [kind, statement] of Object.entries(joins)) {
  t.test(kind, async t => {
    for (const [what, side] of Object.entries(sides)) {
      const sql = statement(side)
      const expected = await planning.oracle(sql)
      const { fragments } = await planning.plan(sql, THRESHOLDS)
      restricted += fragments.filter(({ restrictions }) => restrictions.length > 0).length
      const differs = difference(expected, await cluster.run(fragments), false)
      t.equal(differs, null, `${what}: ${differs}`)
    }
  })
}

t.test('most of these joins let something be left out', async t => {
  t.ok(restricted > 80, `${restricted} fragments`)
})

/** What is left out, by whose key, as EXPLAIN says it. */
async function left(sql: string): Promise<string[]> {
  const { fragments } = await planning.plan(sql, THRESHOLDS, true)
  return fragments.flatMap(({ explained }) => explained?.operators ?? [])
    .flatMap(({ text }) => /, (\w+ within its [\w.]+)/.exec(text)?.[1] ?? [])
}

t.test('EXPLAIN says which key bounds what', async t => {
  t.strictSame(await left('SELECT t.id, u.v FROM t JOIN u ON t.k = u.k'), ['k within its t.k'])
  t.strictSame(await left('SELECT t.id, u.v FROM t FULL JOIN u ON t.k = u.k'), [])
  t.strictSame(await left('SELECT t.id FROM t WHERE k NOT IN (SELECT k FROM u)'), [])
  t.strictSame(await left('SELECT t.id, u.v FROM t JOIN u ON t.g = u.k'), [], 'of other types')
  t.strictSame(await left('SELECT t.id, u.v FROM t JOIN u ON t.s = u.s'), [], 'no integers')
})

t.test('a side that lies in order of the key is repeated, where it would be written for all', async t => {
  const sql = 'SELECT t.id, u.v FROM t JOIN u ON t.k = u.k'
  const asThoughMany = { times: 100_000 }
  const written = await planning.explained(sql, DEFAULTS, asThoughMany)
  const repeated = await planning.explained(sql, DEFAULTS, { ...asThoughMany, isOrdered: true })
  t.match(written, /splits, (broadcast|hash)/)
  t.notMatch(repeated, /splits, (broadcast|hash)/)
  t.match(repeated, /^0: splits, result(.|\n)*Scan u/)
})
