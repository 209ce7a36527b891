/** What a client sees of a query, over simulated executors. */

import t from 'tap'
import type { PlannedQuery } from '../../planner/planned-query.ts'
import { MAX_FAILURES } from '../../coordinator/stage.ts'
import type { QueryId } from '../../proto/ids.ts'
import { noFaults, requestOf, SimulatedCluster } from '../sim/cluster.ts'

const made = (executors = 2, holdBytes = 1_000_000) => new SimulatedCluster(
  1, { executors, faults: noFaults, holdBytes },
)

/** Scan of table 0, then everything to one task. */
function twoStages(sql: [string, string] = ['', '']): PlannedQuery {
  const fragment = (id: number) => ({
    id, sql: sql[id] ?? '', columns: [
      { type: 'BIGINT', wireType: 'BIGINT' },
    ], scans: [], inputs: [], restrictions: [], orderSensitive: false, maxRows: null, rows: 1, bytes: 1,
  })
  return {
    columns: [
      { name: 'value', type: 'BIGINT' },
    ], sqlKind: 'emitted', tablesRead: [0], volatile: false, wholeReason: null,
    fragments: [
      {
        ...fragment(0), tasks: 'splits', output: { kind: 'gather' },
        scans: [{ id: 0, table: 0, columns: [0], filters: [], reads: 'split' }],
      },
      { ...fragment(1), tasks: 'one', output: { kind: 'result' }, inputs: [{ fragment: 0, kind: 'gather' }] },
    ],
  }
}

t.test('a query tells its columns, tasks, numbers and progress', async t => {
  const cluster = made()
  const query = cluster.submit(twoStages())
  t.strictSame([query.state(), query.progress(), query.stats().tasks], ['planning', 0, 0])
  await cluster.simulation.run(10_000)
  t.strictSame([query.state(), query.progress(), query.error()], ['finished', 1, null])
  t.strictSame(await query.columns, [{ name: 'value', type: 'BIGINT' }])
  const { stages, tasks, whole_reason: reason, elapsed_ms: elapsed } = query.stats()
  t.strictSame([stages, tasks, reason], [2, query.tasks().length, null])
  t.ok(elapsed > 0 && elapsed < 10_000, `${elapsed} ms`)
  t.ok(query.tasks().every(({ state }) => state === 'succeeded'))
})

t.test("an error of SQL fails the query at once, with DuckDB's text and its place", async t => {
  const cluster = made()
  const query = cluster.submit(twoStages(['fail', '']))
  await cluster.simulation.run(10_000)
  t.strictSame([query.state(), query.error()?.code, query.error()?.position], ['failed', 'EXECUTION_ERROR', 5])
  t.equal(query.error()?.message, 'Conversion Error: no number\n\nLINE 1: plan 0\n             ^')
  const most = Math.max(...query.tasks().map(({ attempt }) => attempt))
  t.equal(most, 0, `tried once, not ${MAX_FAILURES} times`)
})

t.test('a changed file fails the query, and its tables are looked at again', async t => {
  const cluster = made()
  const query = cluster.submit(twoStages(['changed', '']))
  cluster.submit(twoStages(['fail', '']))
  t.strictSame(cluster.invalidated, [])
  await cluster.simulation.run(10_000)
  t.equal(query.error()?.code, 'FILE_CHANGED')
  t.strictSame(cluster.invalidated.map(({ name }) => name.table), ['t0', 't1', 't2'])
})

t.test('a query that runs whole is tried elsewhere when something does not answer', async t => {
  const cluster = made(3)
  const plan = twoStages(['', 'away'])
  const [, last] = plan.fragments
  const query = cluster.submit({ ...plan, fragments: last === undefined ? [] : [{ ...last, id: 0, inputs: [] }] })
  await cluster.simulation.run(20_000)
  t.equal(query.error()?.code, 'UNAVAILABLE')
  const executors = query.tasks().map(({ executor }) => executor)
  t.ok(new Set(executors).size === 2 && executors[0] !== executors[1], executors.join(', '))
  t.strictSame(cluster.executors.flatMap(executor => executor.leftovers()), [])
})

t.test('an error of planning reaches columns and rows', async t => {
  const cluster = made()
  const query = cluster.service.submit(requestOf('nonsense'))
  await cluster.simulation.run(1_000)
  t.equal(query.state(), 'failed')
  await t.rejects(query.columns, { code: 'SYNTAX_ERROR' })
  await t.rejects(query.frames()[Symbol.asyncIterator]().next(), { code: 'SYNTAX_ERROR' })
})

t.test('without executors a query waits for one, and then ends', async t => {
  const cluster = made(0)
  const [first, second] = [cluster.submit(twoStages()), cluster.submit(twoStages())]
  await cluster.simulation.run(5_000)
  t.equal(first.state(), 'planning')
  second.cancel('enough')
  cluster.start('e1')
  await cluster.simulation.run(10_000)
  t.strictSame([first.state(), second.state(), second.error()?.code], ['finished', 'cancelled', 'CANCELLED'])
  const none = made(0)
  const lonely = none.submit(twoStages())
  await none.simulation.run(70_000)
  t.equal(lonely.error()?.code, 'NO_EXECUTOR')
})

t.test('an id is used once, and an operator can kill by it', async t => {
  const cluster = made()
  const query = cluster.service.submit({ ...requestOf('nonsense'), queryId: 'mine' as QueryId })
  t.throws(
    () => cluster.service.submit({ ...requestOf('nonsense'), queryId: 'mine' as QueryId }), { code: 'INVALID_REQUEST' },
  )
  t.equal(cluster.service.get('mine' as QueryId), query)
  t.equal(cluster.service.kill('mine' as QueryId), true)
  t.equal(cluster.service.kill('other' as QueryId), false)
  await cluster.simulation.run(1_000)
  t.strictSame([query.state(), query.error()?.message], ['cancelled', 'killed by an operator'])
})

t.test('a crash of an actor fails its query alone, and frees what it held', async t => {
  const cluster = made()
  const plan = twoStages()
  // a planner of ours would never say this
  const bad = cluster.submit(
    { ...plan, fragments: plan.fragments.map(fragment => ({ ...fragment, tasks: 'some' as 'one' })) },
  )
  const good = cluster.submit(twoStages())
  await cluster.simulation.run(20_000)
  t.strictSame([bad.state(), bad.error()?.code, good.state()], ['failed', 'INTERNAL', 'finished'])
  t.equal(cluster.simulation.crashes.length, 1)
  t.strictSame(cluster.executors.flatMap(executor => executor.leftovers()), [])
})

t.test('a result that nobody reads or releases is given up', async t => {
  const cluster = made(1, 10)
  const query = cluster.submit(twoStages(), 3_600_000)
  await cluster.simulation.run(20 * 60_000)
  t.ok(['cancelled', 'failed', 'finished'].includes(query.state()), query.state())
  t.strictSame(cluster.executors.flatMap(executor => executor.leftovers()), [])
})

t.test('draining executors get no new query', async t => {
  const cluster = made(2)
  await cluster.simulation.run(1_000)
  const [first] = cluster.executors
  if (first !== undefined) cluster.service.executorChanged({ ...first.info, state: 2 })
  const query = cluster.submit(twoStages())
  await cluster.simulation.run(10_000)
  t.strictSame([...new Set(query.tasks().map(({ executor }) => executor))], ['e2'])
  t.strictSame(cluster.service.executors().map(({ state }) => state), ['draining', 'active'])
})
