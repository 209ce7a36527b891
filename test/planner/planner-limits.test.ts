/** What goes wrong in one planning fails that statement alone. */

import t from 'tap'
import { systemClock } from '../../proto/clock.ts'
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

t.test('a planning past its deadline fails, and what runs beside it does not notice', async t => {
  const planner = start({ deadlineMs: 2000, memoryLimitBytes: 8e9, planCache: null })
  t.teardown(() => planner.close())
  await plan(planner, 'SELECT 1')
  const before = planner.processId
  const endless = failure(plan(planner, ENDLESS))
  const others = Promise.all(Array.from({ length: 40 }, (_, i) => plan(planner, `SELECT ${i} FROM orders`)))
  const error = await endless
  t.strictSame([error.code, error.message], ['PLANNING_LIMIT', 'planning took more than 2000 ms'])
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
