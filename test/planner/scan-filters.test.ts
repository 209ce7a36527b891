/** Which filters leave out files: those of a scan, and those that DuckDB leaves right above it. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { explainExpression } from '../../planner/explain-expression.ts'
import { scanFilters } from '../../planner/scan-filters.ts'
import type { Plan, Scan } from '../../planner/plan.ts'
import { FORCED, Planning, writeTables } from './planning.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-filters-'))
t.teardown(() => rm(folder, { recursive: true }))
await writeTables(folder, { sales: `SELECT i AS id, i % 500 AS customer, 'x' || i AS note FROM range(30000) t(i)` }, 3)
const planning = await Planning.open(folder, ['sales'])
t.teardown(() => planning.close())

async function filtersOf(sql: string): Promise<string> {
  const { fragments } = await planning.plan(sql, FORCED)
  const name = (index: number): string => planning.tables[0]?.columns[index]?.name ?? '?'
  return (fragments[0]?.scans[0]?.filters ?? []).map(filter => explainExpression(filter, name)).join(' AND ')
}

t.test('lists, alternatives and comparisons of one table', async t => {
  t.equal(await filtersOf('SELECT note FROM sales WHERE id IN (5, 7, 9) AND customer > 3'),
    'customer > 3 AND id IN (5, 7, 9)')
  t.match(await filtersOf(`SELECT note FROM sales WHERE id = 5 OR customer = 7`), /id = 5 OR customer = 7/)
  t.equal(await filtersOf('SELECT customer, count(*) AS n FROM sales GROUP BY customer HAVING count(*) > 5'), '')
})

t.test('a scan that is read in two places keeps the rows of both', async t => {
  const scan: Scan = { kind: 'Scan', table: 0, columns: [0], filters: [], rows: 1 }
  const type = { kind: 'scalar', name: 'BOOLEAN' }
  const predicate = { kind: 'Constant', value: { kind: 'boolean', value: false }, type }
  const filter = { kind: 'Filter', input: scan, predicates: [predicate], output: null, rows: 1 } as Plan
  t.equal(scanFilters(filter).get(scan)?.length, 1)
  const both: Plan = { kind: 'CrossProduct', left: filter, right: scan, rows: 1 }
  t.strictSame(scanFilters(both).get(scan), [])
})
