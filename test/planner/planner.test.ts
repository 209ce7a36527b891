/** The planner's process: what goes wrong in one planning fails that statement alone, and nothing is left behind. */

import t from 'tap'
import { delay, systemClock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import type { PlannedQuery } from '../../planner/planned-query.ts'
import { Planner, type PlannerOptions } from '../../planner/planner.ts'
import { makeTables, pruneNothing, requestOf } from './planner-tables.ts'

const { folder, tables, remove } = await makeTables({
  orders: `SELECT i AS id, i % 7 AS customer, (i * 1.5)::DECIMAL(9,2) AS price FROM range(50) t(i)`,
})
t.teardown(remove)

/** Folded while it is planned: past an interrupt, and outside of DuckDB's memory limit. */
const ENDLESS = `SELECT length(repeat('x', 1000000000) || repeat('y', 1000000000))`

function start(options: Partial<PlannerOptions> = {}): Planner {
  return new Planner({ skeletonDirectory: folder, clock: systemClock, ...options })
}

function plan(planner: Planner, sql: string): Promise<PlannedQuery> {
  return planner.plan(requestOf(sql, tables), pruneNothing(tables))
}

async function failure(outcome: Promise<unknown>): Promise<QueryError> {
  const thrown: unknown = await outcome.then(() => undefined, reason => reason)
  if (thrown instanceof QueryError) return thrown
  throw new Error('no QueryError', { cause: thrown })
}

t.test('names, plans and errors come back from the process', async t => {
  const planner = start()
  t.teardown(() => planner.close())
  const names = await planner.names('WITH x AS (FROM a.b.c) SELECT * FROM x, d JOIN e.f ON true WHERE EXISTS (FROM d)')
  const texts = names.map(({ catalog, schema, table }) => [catalog, schema, table].filter(part => part !== null).join('.'))
  t.strictSame(texts.sort(), ['a.b.c', 'd', 'e.f', 'x'])
  const planned = await plan(planner, 'SELECT customer, sum(price) AS total FROM orders GROUP BY customer')
  t.strictSame(planned.columns, [{ name: 'customer', type: 'BIGINT' }, { name: 'total', type: 'DECIMAL(38,2)' }])
  t.strictSame(planned.tablesRead, [0])
  const syntax = await failure(planner.names('SELEC 1'))
  t.strictSame([syntax.code, syntax.position], ['SYNTAX_ERROR', 0])
  t.equal((await failure(plan(planner, 'FROM nowhere'))).code, 'TABLE_NOT_FOUND')
  const noPrune = planner.plan(requestOf('FROM orders', tables), async () => { throw new QueryError('UNAVAILABLE', 'no index') })
  t.equal((await failure(noPrune)).message, 'no index')
})

t.test('a planning past its deadline fails, and what runs beside it does not notice', async t => {
  const planner = start({ deadlineMs: 700, memoryLimitBytes: 8e9, planCache: null })
  t.teardown(() => planner.close())
  await plan(planner, 'SELECT 1')
  const before = planner.processId
  const endless = failure(plan(planner, ENDLESS))
  const others = Promise.all(Array.from({ length: 40 }, (_, i) => plan(planner, `SELECT ${i} FROM orders`)))
  const error = await endless
  t.strictSame([error.code, error.message], ['PLANNING_LIMIT', 'planning took more than 700 ms'])
  t.equal((await others).length, 40)
  t.not(planner.processId, before)
})

t.test('a planning that takes too much memory fails alone, though others run beside it', async t => {
  const planner = start({ memoryLimitBytes: 400 * 1024 * 1024, planCache: null })
  t.teardown(() => planner.close())
  await plan(planner, 'SELECT 1')
  const outcomes = await Promise.allSettled([
    plan(planner, 'SELECT 1 FROM orders'), failure(plan(planner, ENDLESS)), plan(planner, 'SELECT 2 FROM orders'),
    plan(planner, 'SELECT 3 FROM orders'),
  ])
  t.strictSame(outcomes.map(outcome => outcome.status), ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled'])
  const error = outcomes[1].status === 'fulfilled' ? outcomes[1].value : undefined
  t.match(error, { code: 'PLANNING_LIMIT', message: /^planning took more than 400 MB/ })
})

t.test('a process that dies is replaced, and what it was asked is asked again', async t => {
  const planner = start({ planCache: null })
  t.teardown(() => planner.close())
  await plan(planner, 'SELECT 1')
  const asked = Promise.all(Array.from({ length: 10 }, (_, i) => plan(planner, `SELECT ${i} FROM orders`)))
  process.kill(planner.processId ?? 0, 'SIGKILL')
  const outcomes = await asked.then(planned => planned.length, (error: QueryError) => error.code)
  t.equal(outcomes, 10)
})

t.test('a planner that is closed leaves no process and answers at once', async t => {
  const planner = start()
  await plan(planner, 'SELECT 1')
  const { processId } = planner
  const waiting = failure(plan(planner, ENDLESS))
  planner.close()
  t.equal((await waiting).code, 'UNAVAILABLE')
  t.equal((await failure(plan(planner, 'SELECT 2'))).code, 'UNAVAILABLE')
  for (let i = 0; i < 100 && isAlive(processId ?? 0); i++) await delay(systemClock, 20)
  t.notOk(isAlive(processId ?? 0))
})

t.test('plans are kept by all they depend on, and not if the clock is in them', async t => {
  const planner = start()
  t.teardown(() => planner.close())
  let asked = 0
  const counted = async (sql: string, changes = {}): Promise<PlannedQuery> => planner.plan(requestOf(sql, tables, changes), scans => {
    asked++
    return pruneNothing(tables)(scans)
  })
  const first = await counted('SELECT id FROM orders')
  t.equal(await counted('SELECT id FROM orders'), first)
  t.equal(asked, 1)
  await counted('SELECT id FROM orders', { settings: { TimeZone: 'Europe/Berlin' } })
  t.equal(asked, 2)
  await counted('SELECT id FROM orders', { tables: tables.map(table => ({ ...table, version: 'v2' })) })
  t.equal(asked, 3)
  t.ok((await counted('SELECT id, now() FROM orders')).volatile)
  await counted('SELECT id, now() FROM orders')
  t.equal(asked, 5)
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
