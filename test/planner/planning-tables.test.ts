/** Which tables a statement sees: those of its request in their versions, whatever was planned before. */

import t from 'tap'
import type { PlannedQuery, PlannerTable, PlanRequest } from '../../planner/planned-query.ts'
import { planQuery } from '../../planner/plan-query.ts'
import { PlanningDatabase } from '../../planner/planning-database.ts'
import { makeTables, pruneNothing, requestOf } from './planner-tables.ts'

const { folder, tables, remove } = await makeTables({
  first: 'SELECT 1 AS a', second: `SELECT 'x' AS b`, big: 'SELECT i AS a FROM range(20000) t(i)',
})
const database = await PlanningDatabase.open(folder)
t.teardown(async () => {
  database.close()
  await remove()
})
const [first, second, big] = tables
if (first === undefined || second === undefined || big === undefined) throw new Error('three tables are made')

function plan(sql: string, own: readonly PlannerTable[], changes: Partial<PlanRequest> = {}): Promise<PlannedQuery> {
  return planQuery(database, requestOf(sql, own, changes), pruneNothing(own))
}

const named = (table: PlannerTable, catalog: string, schema: string, name: string): PlannerTable =>
  ({ ...table, name: { catalog, schema, table: name } })

t.test('a new version of a table is seen', async t => {
  t.strictSame((await plan('FROM first', [first])).columns, [{ name: 'a', type: 'INTEGER' }])
  const changed = { ...first, version: 'v2', skeletonPath: second.skeletonPath, columns: second.columns }
  t.strictSame((await plan('FROM first', [changed])).columns, [{ name: 'b', type: 'VARCHAR' }])
  t.strictSame((await plan('FROM first', [first])).columns, [{ name: 'a', type: 'INTEGER' }])
})

t.test('a name means the table of the request, not one of an earlier request', async t => {
  await plan('SELECT * FROM lake.main.first, lake.main.second', [first, second])
  await t.rejects(plan('FROM second', [first]), { code: 'TABLE_NOT_FOUND' })
  // catalog `a`, schema `b` of an earlier request, and schema `a`, table `b` of this one
  await plan('FROM a.main.b', [named(second, 'a', 'main', 'b')])
  t.strictSame((await plan('FROM a.b', [named(first, 'lake', 'a', 'b')])).columns, [{ name: 'a', type: 'INTEGER' }])
})

t.test('a message suggests no table of another request', async t => {
  await plan('FROM second', [second])
  const message = await plan('FROM secnd', [first]).then(() => '', (error: Error) => error.message)
  t.match(message, /^Catalog Error: Table with name secnd does not exist/)
  t.notMatch(message, 'second')
})

t.test('names are compared without case, may hold anything, and may be those of DuckDB', async t => {
  const odd = named(first, 'My "lake"', 'Sch.ema', `it's; DROP`)
  t.equal((await plan(`FROM "my ""LAKE"""."sch.EMA"."IT'S; drop"`, [odd])).sqlKind, 'emitted')
  const memory = named(first, 'memory', 'main', 't')
  t.equal((await plan('FROM memory.main.t', [memory], { defaultCatalog: 'memory' })).sqlKind, 'emitted')
  await t.rejects(plan('FROM t', [named(first, 'system', 'main', 't')]), { code: 'INVALID_CONFIG' })
})

t.test('the tables read are those of the plan, not those of the text', async t => {
  const own = [first, second, big]
  t.strictSame((await plan('WITH second AS (FROM first) FROM second', own)).tablesRead, [0])
  t.strictSame((await plan('SELECT 1', own)).tablesRead, [])
  t.strictSame((await plan('SELECT (SELECT max(b) FROM second), a FROM big', own)).tablesRead, [1, 2])
  t.strictSame((await plan('DESCRIBE second', own)).tablesRead, [0, 1, 2])
})

t.test('a small query is one fragment, for a reason', async t => {
  const thresholds = { wholeBytes: 1e9, broadcastRows: 1000, replicateRows: 1000, sortRows: 1000 }
  const small = await plan('SELECT sum(a) FROM big', [big], { thresholds })
  t.equal(small.fragments.length, 1)
  t.match(small.wholeReason, /^small: /)
  t.match((await plan('SELECT sum(a) FROM first', [first], { thresholds })).wholeReason, /first has 1 rows/)
  t.equal((await plan('SELECT sum(a) FROM big', [big])).wholeReason, null)
})

t.test('settings of the session are in the plan, and only those that a session may have', async t => {
  const at = `SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00'::TIMESTAMP`
  const inZone = async (zone: string): Promise<string | undefined> =>
    (await plan(at, [], { settings: { TimeZone: zone } })).fragments[0]?.sql
  t.not(await inZone('Asia/Tokyo'), await inZone('UTC'))
  await t.rejects(plan('SELECT 1', [], { settings: { memory_limit: '1TB' } }), { code: 'PERMISSION_DENIED' })
  const again = await plan(at, [], { settings: {} })
  t.equal(again.fragments.length, 1)
})

t.test('what is volatile is known', async t => {
  const own = [big]
  const volatile = [
    'now()', 'current_date', 'current_timestamp', 'random()', 'uuid()', 'age(DATE \'2024-01-01\')', 'localtime',
  ]
  for (const call of volatile) t.ok((await plan(`SELECT ${call} FROM big`, own)).volatile, call)
  t.ok((await plan('FROM big USING SAMPLE 10', own)).volatile)
  const steady = ['a', 'error(\'x\')', 'age(DATE \'2024-01-02\', DATE \'2024-01-01\')', 'TIMESTAMP \'2024-01-01\'']
  for (const call of steady) t.notOk((await plan(`SELECT ${call} FROM big`, own)).volatile, call)
})
