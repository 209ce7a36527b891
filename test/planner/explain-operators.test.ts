/** The fragments of a few questions as EXPLAIN shows them: operators by the names of columns, and why rows move. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { matchGolden } from '../golden.ts'
import { DEFAULTS, FORCED, Planning, writeTables } from './planning.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-operators-'))
t.teardown(() => rm(folder, { recursive: true }))
await writeTables(folder, {
  sales: `SELECT i AS id, i % 500 AS customer, i % 97 / 3 AS amount, DATE '2026-01-01' + (i % 90)::INTEGER AS sold
    FROM range(30000) t(i)`,
  people: `SELECT i AS id, 'name ' || i AS name, i % 7 AS region FROM range(20000) t(i)`,
}, 3)
const planning = await Planning.open(folder, ['sales', 'people'])
t.teardown(() => planning.close())

const statements = [
  `SELECT customer, sum(amount * 2) AS total FROM sales WHERE sold >= DATE '2026-02-01' GROUP BY customer
    ORDER BY total DESC LIMIT 5`,
  `SELECT name, count(*) FROM sales JOIN people ON customer = people.id WHERE region = 3 GROUP BY name`,
  `WITH big AS MATERIALIZED (SELECT customer, max(amount) AS m FROM sales GROUP BY customer)
    SELECT a.customer FROM big a JOIN big b ON a.m = b.m`,
  `SELECT customer, row_number() OVER (PARTITION BY customer ORDER BY sold) FROM sales`,
  `SELECT median(amount) FROM sales`,
  `SELECT customer FROM sales EXCEPT SELECT id FROM people`,
  `SELECT DISTINCT amount FROM sales`,
  `SELECT id FROM sales s WHERE amount > (SELECT avg(amount) FROM sales WHERE customer = s.customer)`,
  `SELECT random() FROM sales`,
  `SELECT * FROM sales LIMIT 3`,
  `SELECT id FROM sales WHERE amount > 3 ORDER BY sold DESC, customer % 7 NULLS FIRST`,
]

t.test('operators and reasons', async t => {
  const texts: string[] = []
  for (const sql of statements) {
    for (const thresholds of [DEFAULTS, FORCED]) {
      const { fragments } = await planning.plan(sql, thresholds, true)
      texts.push(`-- ${thresholds === FORCED ? 'forced: ' : ''}${sql}`)
      for (const { id, output, explained } of fragments) {
        const keys = explained?.keys.join(', ')
        texts.push(`${id}: ${output.kind}${keys ? ` (${keys})` : ''}: ${explained?.why}`)
        texts.push(...(explained?.operators ?? []).map(({ depth, text }) => `  ${'  '.repeat(depth)}${text}`))
      }
      texts.push('')
    }
  }
  matchGolden(t, 'test/planner/golden/explain-operators.plan', texts.join('\n'))
})

t.test('a plan that is not to be explained carries nothing of it', async t => {
  const { fragments } = await planning.plan('SELECT count(*) FROM sales', FORCED)
  t.ok(fragments.every(({ explained }) => explained === undefined))
})
