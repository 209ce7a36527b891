/** Where each rule puts its exchanges, as golden plans: one statement a case. Every task reads `solid` and `one`. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { matchGolden } from '../golden.ts'
import { DEFAULTS, Planning, writeTables } from './planning.ts'
import { tables } from './tables.ts'

/** t and u are split, solid and one are not; every join that can is by hash. */
const THRESHOLDS = { wholeBytes: 0, broadcastRows: 0, replicateRows: 10, sortRows: 0 }

const cases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  aggregate: {
    'every call is made of parts': `SELECT g, count(*), sum(k), avg(k), min(s), arg_max(s, id) FROM t GROUP BY g`,
    'sum is made once for sum and avg': `SELECT sum(k), avg(k), count(k) FROM t`,
    'no parts: the rows move': `SELECT g, median(k), count(*) FROM t GROUP BY g`,
    'no parts, no groups': `SELECT list(k ORDER BY id) FROM t`,
    'a FILTER is applied in the parts': `SELECT count(*) FILTER (WHERE k > 1) FROM t`,
    'distinct arguments are groups of the parts': `SELECT count(DISTINCT k), sum(id) FROM t`,
    'grouping sets': `SELECT g, k, count(*) FROM t GROUP BY ROLLUP (g, k)`,
    'first does not hear tasks without rows': `SELECT first(k) FROM t WHERE g = 1`,
    'groups are together already': `SELECT k, count(*) FROM (SELECT DISTINCT k, g FROM t JOIN u USING (k)) GROUP BY k`,
  },
  join: {
    'both sides by hash': `SELECT t.id, u.v FROM t JOIN u USING (k)`,
    'the compared types, not the columns, are hashed': `SELECT t.id, u.v FROM t JOIN u ON t.g = u.k`,
    'a copied side stays': `SELECT t.id, one.name FROM t LEFT JOIN one USING (k)`,
    'a copied side that would come out of every task': `SELECT t.id, one.name FROM t RIGHT JOIN one USING (k)`,
    'no equality': `SELECT t.id, u.v FROM t JOIN u ON t.k < u.k`,
    'NOT IN sees all of the right side': `SELECT id FROM t WHERE k NOT IN (SELECT k FROM u)`,
    'ASOF never copies the left side': `SELECT * FROM one ASOF JOIN u ON one.k >= u.k`,
    'a correlated subquery': `SELECT id, (SELECT max(v) FROM u WHERE u.k = t.k AND u.v > t.id) FROM t`,
    'cross product': `SELECT count(*) FROM t, u WHERE t.id + u.v > 5`,
  },
  'filters by keys': {
    'either side of INNER': `SELECT t.id, u.v FROM t JOIN u USING (k)`,
    'the right side of LEFT': `SELECT t.id, u.v FROM t LEFT JOIN u USING (k)`,
    'the left side of RIGHT': `SELECT t.id, u.v FROM t RIGHT JOIN u USING (k)`,
    'no side of FULL': `SELECT t.id, u.v FROM t FULL JOIN u USING (k)`,
    'the right side of ANTI': `SELECT id FROM t ANTI JOIN u USING (k)`,
    'the right side of SEMI': `SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k IS NOT DISTINCT FROM t.k)`,
    'no side of MARK': `SELECT id, k IN (SELECT k FROM u WHERE u.h = t.g) FROM t`,
  },
  sort: {
    'ranges of what is read twice for its keys':
      `SELECT id, s FROM t WHERE k > 1 ORDER BY g DESC NULLS FIRST, lower(s)`,
    'what is dear to make twice is kept': `SELECT t.id, u.v FROM t JOIN u USING (k) ORDER BY v, id`,
    'a limit counts the rows of ranges': `SELECT id FROM t ORDER BY s OFFSET 5`,
    'few rows have a heap': `SELECT id FROM t ORDER BY s LIMIT 5`,
    'a limit in percent needs all rows': `SELECT id FROM t ORDER BY s LIMIT 50%`,
    'chance is asked once': `SELECT id FROM t ORDER BY random()`,
    'a row above the order that is volatile': `SELECT id, random() FROM t ORDER BY s`,
    'the order of a part is not that of the result': `SELECT sum(id) FROM (SELECT id FROM t ORDER BY s LIMIT 50%)`,
    'every task has all rows': `SELECT * FROM one ORDER BY name`,
    'below an order of all, another':
      `SELECT s, count(*) FROM (SELECT s FROM t ORDER BY k OFFSET 1) GROUP BY s ORDER BY s`,
  },
  'other operators': {
    'window by shared columns':
      `SELECT id, row_number() OVER (PARTITION BY k, g ORDER BY id), sum(id) OVER (PARTITION BY k) FROM t`,
    'window of all rows': `SELECT id, rank() OVER (ORDER BY k) FROM t`,
    'distinct': `SELECT DISTINCT k, s FROM t`,
    'distinct on': `SELECT DISTINCT ON (k) k, id FROM t ORDER BY k, id`,
    'union all of parts and of one task': `SELECT k FROM t UNION ALL SELECT k FROM one`,
    'intersect': `SELECT k FROM t INTERSECT SELECT k FROM u`,
    'top n': `SELECT id FROM t ORDER BY k, id LIMIT 3 OFFSET 2`,
    'limit in percent': `SELECT id FROM t LIMIT 20%`,
    'a shared CTE is kept where it is':
      `WITH x AS MATERIALIZED (SELECT k, id FROM t) SELECT * FROM x JOIN x y ON x.id = y.k`,
    'volatile functions run once': `SELECT r FROM (SELECT random() AS r, k FROM one) JOIN t USING (k)`,
    'what depends on order is made once': `SELECT id FROM t JOIN (SELECT k FROM one LIMIT 2) USING (k)`,
  },
}

const folder = await mkdtemp(join(tmpdir(), 'skein-rules-'))
t.teardown(() => rm(folder, { recursive: true }))
await writeTables(folder, tables, 1)
const planning = await Planning.open(folder, Object.keys(tables))
t.teardown(() => planning.close())

for (const [rule, statements] of Object.entries(cases)) {
  t.test(`exchanges around ${rule}`, async t => {
    const texts: string[] = []
    const filterByKeys = rule === 'filters by keys' ? 'always' : 'never'
    for (const [title, sql] of Object.entries(statements)) {
      texts.push(`-- ${title}\n-- ${sql}\n${await planning.explained(sql, { ...THRESHOLDS, filterByKeys })}`)
    }
    matchGolden(t, `test/planner/golden/cut-${rule.replaceAll(' ', '-')}.plan`, texts.join('\n'))
  })
}

/** By cost, and too many rows on both sides for a copy without a LIMIT: u has 20 million, t 60 million. */
const underLimits: Readonly<Record<string, string>> = {
  'without a limit both sides by hash': `SELECT t.id, u.v FROM t JOIN u USING (k)`,
  'the other side is read from its beginning': `SELECT t.id, u.v FROM t JOIN u USING (k) LIMIT 10 OFFSET 3`,
  'whatever stands between':
    `SELECT x + 1 FROM (SELECT t.id + u.v AS x FROM t LEFT JOIN u USING (k)) WHERE x > 5 LIMIT 10`,
  'of UNION ALL every part': `SELECT id FROM t UNION ALL SELECT id FROM t ANTI JOIN u USING (k) LIMIT 10`,
  'a limit of much of it': `SELECT t.id, u.v FROM t JOIN u USING (k) LIMIT 50000000`,
  'every row of both sides comes out': `SELECT t.id, u.v FROM t FULL JOIN u USING (k) LIMIT 10`,
  'groups need all rows': `SELECT t.id, count(*) FROM t JOIN u USING (k) GROUP BY t.id LIMIT 10`,
  'also the larger side': `SELECT t.id, u.v FROM u LEFT JOIN t USING (k) LIMIT 10`,
  'sides of the same size': `SELECT a.id, b.id FROM t a JOIN t b USING (k) LIMIT 10`,
}

t.test('exchanges around joins under a LIMIT', async t => {
  const texts: string[] = []
  for (const [title, sql] of Object.entries(underLimits)) {
    texts.push(`-- ${title}\n-- ${sql}\n${await planning.explained(sql, DEFAULTS, { times: 1_000_000 })}`)
  }
  matchGolden(t, 'test/planner/golden/cut-joins-under-limits.plan', texts.join('\n'))
})
