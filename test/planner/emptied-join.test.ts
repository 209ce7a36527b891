/** Which statements have a join that DuckDB may take for empty, and that such a one has the right rows all the same. */

import t from 'tap'
import { hasJoinThatStatisticsMayEmpty } from '../../planner/emptied-join.ts'
import { planQuery } from '../../planner/plan-query.ts'
import { PlanningDatabase } from '../../planner/planning-database.ts'
import { makeTables, pruneNothing, requestOf } from './planner-tables.ts'

const { folder, tables, remove } = await makeTables({
  a: 'SELECT 5 AS x, 1 AS k FROM range(10)', b: 'SELECT 1 AS y, 1 AS k, i AS z FROM range(10) t(i)',
})
const database = await PlanningDatabase.open(folder)
t.teardown(async () => {
  database.close()
  await remove()
})

t.test('joins by order are told from those by equality, wherever they stand', async t => {
  const session = await database.enter(requestOf('', tables))
  const has = async (sql: string): Promise<boolean> =>
    hasJoinThatStatisticsMayEmpty((JSON.parse(await session.boundPlan(sql)) as { plans: unknown }).plans)
  t.equal(await has('FROM a ANTI JOIN b ON a.x > b.y'), true)
  t.equal(await has('FROM a ANTI JOIN b ON a.x > b.y AND a.x >= b.z'), true)
  t.equal(await has('SELECT (SELECT count(*) FROM a ANTI JOIN b ON a.x > b.y)'), true)
  t.equal(await has('WITH c AS (SELECT a.k FROM a ANTI JOIN b ON a.x > b.y) FROM c, c AS d'), true)
  t.equal(await has('FROM a ANTI JOIN b USING (k)'), false)
  t.equal(await has('FROM a ANTI JOIN b ON a.x > b.y AND a.k = b.k'), false)
  t.equal(await has(`SELECT 'anti join' FROM a JOIN b ON a.x > b.y WHERE false`), false)
})

t.test('only what it may have emptied runs as its own text', async t => {
  const kind = async (sql: string): Promise<string> =>
    (await planQuery(database, requestOf(sql, tables), pruneNothing(tables))).sqlKind
  t.equal(await kind('SELECT x FROM a ANTI JOIN (SELECT * FROM b WHERE z % 10 = 11) b ON a.x > b.y'), 'original')
  t.equal(await kind('SELECT x FROM a ANTI JOIN b USING (k) WHERE false'), 'emitted')
  t.equal(await kind(`SELECT 'anti join' FROM a WHERE false`), 'emitted')
})
