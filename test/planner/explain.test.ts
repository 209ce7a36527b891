/** How plans are shown to a reviewer, for one statement of each operator and kind of expression. */

import t from 'tap'
import { explainPlan } from '../../planner/explain.ts'
import { matchGolden } from '../golden.ts'
import { RoundTrip } from './round-trip.ts'

const statements = [
  `SELECT id, k + 1 AS x, (m * 2)::VARCHAR FROM t WHERE k > 3 AND s LIKE 's%'
    AND dt BETWEEN DATE '2024-01-01' AND DATE '2024-03-01'`,
  `SELECT count(*) FROM t`,
  `SELECT g, sum(m), string_agg(DISTINCT s, ',' ORDER BY s DESC), count(k) FILTER (b), grouping(g)
    FROM t GROUP BY ROLLUP (g)`,
  `SELECT t.id, u.v FROM t LEFT JOIN u ON t.k = u.k AND t.s IS NOT DISTINCT FROM u.s
    ORDER BY t.id DESC NULLS LAST, u.v`,
  `SELECT t.id FROM t JOIN u ON t.k < u.k OR t.s = u.s`,
  `SELECT id, k NOT IN (SELECT k FROM u) FROM t WHERE EXISTS (FROM one WHERE one.k = t.k)`,
  `SELECT id, (SELECT max(v) FROM u WHERE u.k < t.k) FROM t`,
  `SELECT t.sym, q.price FROM trades t ASOF LEFT JOIN quotes q ON t.sym = q.sym AND t."at" >= q."at"`,
  `SELECT id, lag(k, 2, 0) OVER (PARTITION BY g ORDER BY id), sum(d) OVER (ORDER BY d
    RANGE BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM t`,
  `WITH x AS MATERIALIZED (SELECT k FROM u) SELECT DISTINCT ON (a.k) a.k, b.k FROM x a, x b
    ORDER BY a.k, b.k LIMIT 5 OFFSET 2`,
  `SELECT k FROM t EXCEPT ALL (SELECT k FROM u UNION SELECT 5)`,
  `SELECT id, unnest(l), list_transform(l, (x, i) -> x + i + id) FROM nested LIMIT 20%`,
  `SELECT CASE WHEN k IN (1, 2) THEN 'x' WHEN b THEN s ELSE coalesce(s, 'none') END, TRY_CAST(s AS INTEGER), NOT b,
    s IS NULL FROM t`,
  `SELECT * FROM (VALUES (1, 'a'), (NULL, 'b')) v(x, y), range(3)`,
]

t.test('plans in text', async t => {
  const roundTrip = await RoundTrip.open()
  t.teardown(() => roundTrip.close())
  const names = {
    table: (table: number) => roundTrip.tableName(table),
    column: (table: number, column: number) => roundTrip.columnName(table, column),
  }
  const texts: string[] = []
  for (const sql of statements) texts.push(`-- ${sql}\n${explainPlan(await roundTrip.plan(sql), names)}`)
  matchGolden(t, 'test/planner/golden/explain.plan', texts.join('\n'))
})
