/** A setting of the session means the same in the plan, in the fragments, and in one plain DuckDB. */

import t from 'tap'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planQuery } from '../../planner/plan-query.ts'
import { fragmentSettings } from '../../planner/session-settings.ts'
import { difference } from './compare.ts'
import { answer, InProcessCluster, type Answer } from './in-process-cluster.ts'
import { FORCED, Planning, writeTables } from './planning.ts'
import { pruneNothing, requestOf } from './planner-tables.ts'
import { tables } from './tables.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-settings-'))
await writeTables(folder, tables, 3)
const planning = await Planning.open(folder, Object.keys(tables))
const cluster = await InProcessCluster.open(3, planning.clusterTables, join(folder, 'exchange'))
t.teardown(async () => {
  planning.close()
  await cluster.close()
  await rm(folder, { recursive: true })
})

const statements = [
  'SELECT k, avg(id), avg(m), avg(d), sum(id) / count(*), id // 4 FROM t GROUP BY k, id // 4',
  'SELECT id / 7, m / 3, d / 2, 7 / 2, id::HUGEINT / 4 FROM t',
  'SELECT avg(k), avg(DISTINCT k), avg(id) FILTER (k > 1) FROM t',
  'SELECT id, k, s FROM t ORDER BY k, s, id',
  'SELECT id, k, s FROM t ORDER BY k DESC, s ASC, id LIMIT 20',
  'SELECT k, list(s ORDER BY s, id), string_agg(s, \',\' ORDER BY g, id), first(s ORDER BY s, id) FROM t GROUP BY k',
  'SELECT id, row_number() OVER (PARTITION BY g ORDER BY k, id), lag(s) OVER (ORDER BY s, id) FROM t',
  'SELECT id, list_sort(l), list_reverse_sort(l), array_sort(words) FROM nested',
  'SELECT DISTINCT ON (g) g, s, id FROM t ORDER BY g, s, id',
  'SELECT max(s), min(s), count(DISTINCT s), arg_min(id, (s, id)) FROM t',
  `SELECT s, count(*) FROM (SELECT CASE WHEN id % 2 = 0 THEN upper(s) ELSE s END AS s FROM t) GROUP BY s`,
  `SELECT count(*) FROM t JOIN (SELECT upper(s) AS s FROM u) u ON t.s = u.s`,
  `SELECT id FROM t WHERE upper(s) = 's1' OR s IN ('S2', 's3') OR s LIKE 'S4'`,
  `SELECT s FROM t INTERSECT SELECT upper(s) FROM u`,
  `SELECT id, ts::TIMESTAMPTZ, date_trunc('day', ts::TIMESTAMPTZ), hour(ts::TIMESTAMPTZ), ts::TIMESTAMPTZ::VARCHAR
    FROM t`,
  `SELECT tz::DATE AS d, count(*), min(tz), max(tz)::VARCHAR FROM types GROUP BY d`,
  `SELECT id FROM types WHERE tz > '2024-03-31 01:00:00' AND tz < TIMESTAMP '2024-03-31 03:30:00'`,
  `SELECT tz + INTERVAL 1 DAY, tz - INTERVAL 2 MONTH, strftime(tz, '%Y-%m-%d %H'),
    age(tz, TIMESTAMPTZ '2024-01-01') FROM types`,
  `SELECT a.id, b.id FROM types a JOIN types b ON a.tz::TIMESTAMP = b.ts
    OR date_trunc('hour', a.tz) = date_trunc('hour', b.tz)`,
  'SELECT id, d / 0, d % 0, 1 / (k - k), ln(d - d) FROM t WHERE d > 0',
  'SELECT id, sqrt(d), ln(d), pow(d, 0.5), 0::DOUBLE / 0 FROM t',
  'SELECT g, sum(d) / 0, avg(d) / count(s), max(d / 0) FROM t GROUP BY g',
  'SELECT one.k, (SELECT v FROM u WHERE u.k = one.k) IS NULL OR TRUE FROM one',
  `SELECT current_setting('TimeZone'), current_schema(), id FROM solid, (SELECT 1 AS id)`,
]

/** One setting each, and some together. */
const sessions: readonly Readonly<Record<string, string>>[] = [
  { TimeZone: 'Asia/Kolkata' }, { TimeZone: 'America/New_York' }, { integer_division: 'true' },
  { default_null_order: 'nulls_first' }, { default_null_order: 'nulls_first_on_asc_last_on_desc' },
  { default_order: 'DESC' }, { default_collation: 'NOCASE' }, { ieee_floating_point_ops: 'false' },
  { scalar_subquery_error_on_multiple_rows: 'false' }, { order_by_non_integer_literal: 'true' },
  { integer_division: 'true', default_order: 'DESC', default_null_order: 'nulls_first', TimeZone: 'Europe/Berlin' },
]

for (const session of sessions) {
  const settings = { TimeZone: 'UTC', ...session }
  t.test(JSON.stringify(session), async t => {
    const wrong: string[] = []
    let failing = 0
    for (const sql of statements) {
      const expected = await attempt(planning.oracleWith(settings, connection => answer(connection, sql)))
      const planned = planQuery(planning.database, requestOf(sql, planning.tables, { settings, thresholds: FORCED }),
        pruneNothing(planning.tables))
      const original = (): Promise<Answer> => planning.oracleWith(settings, connection => answer(connection, sql))
      const actual = await attempt(planned.then(({ fragments, sqlKind }) =>
        sqlKind === 'original' ? original() : cluster.run(fragments, fragmentSettings(settings))))
      if (typeof expected === 'string') failing++
      const fault = compare(expected, actual, /ORDER BY [^)]*$/.test(sql))
      if (fault !== null) wrong.push(`${sql}: ${fault}`)
    }
    t.strictSame(wrong, [])
    t.ok(failing <= 4, `${failing} fail in plain DuckDB too`)
  })
}

type Outcome = Answer | string

function attempt(work: Promise<Answer>): Promise<Outcome> {
  return work.catch((thrown: unknown) => String(thrown).split('\n')[0] ?? '')
}

function compare(expected: Outcome, actual: Outcome, inOrder: boolean): string | null {
  if (typeof expected !== 'string' && typeof actual !== 'string') return difference(expected, actual, inOrder)
  return typeof expected === typeof actual ? null
    : `${typeof expected === 'string' ? expected : 'rows'} / ${typeof actual === 'string' ? actual : 'rows'}`
}
