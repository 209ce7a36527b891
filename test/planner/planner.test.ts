/** The planner as the coordinator calls it: what it answers, what it keeps, and that nothing is left behind. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { delay, systemClock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import type { PlannedQuery, PruneScans } from '../../planner/planned-query.ts'
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
  const texts = names.map(({ catalog, schema, table }) => [catalog, schema, table].filter(Boolean).join('.'))
  t.strictSame(texts.sort(), ['a.b.c', 'd', 'e.f', 'x'])
  const planned = await plan(planner, 'SELECT customer, sum(price) AS total FROM orders GROUP BY customer')
  t.strictSame(planned.columns, [{ name: 'customer', type: 'BIGINT' }, { name: 'total', type: 'DECIMAL(38,2)' }])
  t.strictSame(planned.tablesRead, [0])
  const syntax = await failure(planner.names('SELEC 1'))
  t.strictSame([syntax.code, syntax.position], ['SYNTAX_ERROR', 0])
  t.equal((await failure(plan(planner, 'FROM nowhere'))).code, 'TABLE_NOT_FOUND')
  const broken = async (): Promise<never> => { throw new QueryError('UNAVAILABLE', 'no index') }
  const noPrune = planner.plan(requestOf('FROM orders', tables), broken)
  t.equal((await failure(noPrune)).message, 'no index')
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

t.test('a planner whose process is gone leaves none of its own, whatever is planned', async t => {
  const program = `
    import { Planner } from ${JSON.stringify(new URL('../../planner/planner.js', import.meta.url).href)}
    import { systemClock } from ${JSON.stringify(new URL('../../proto/clock.js', import.meta.url).href)}
    const { folder, request } = ${JSON.stringify({ folder, request: requestOf(ENDLESS, []) })}
    const planner = new Planner({ skeletonDirectory: folder, clock: systemClock, memoryLimitBytes: 8e9 })
    await planner.names('SELECT 1')
    void planner.plan(request, async () => [])
    process.stdout.write(String(planner.processId))`
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: [...stdio] })
  const [text] = await once(parent.stdout, 'data') as [Buffer]
  const processId = Number(text.toString())
  t.ok(isAlive(processId))
  parent.kill('SIGKILL')
  for (let i = 0; i < 100 && isAlive(processId); i++) await delay(systemClock, 20)
  t.notOk(isAlive(processId))
})

t.test('plans are kept by all they depend on, and not if the clock is in them', async t => {
  const planner = start()
  t.teardown(() => planner.close())
  let asked = 0
  const prune: PruneScans = scans => {
    asked++
    return pruneNothing(tables)(scans)
  }
  const counted = (sql: string, changes = {}): Promise<PlannedQuery> =>
    planner.plan(requestOf(sql, tables, changes), prune)
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
