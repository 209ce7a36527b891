/** All DuckDB instances of an executor together never get more than its memory, whoever leases. */

import t, { type Test } from 'tap'
import { InstanceSet, type TaskConnection } from '../../executor/instance-set.ts'
import { ByteBudget } from '../../executor/byte-budget.ts'
import { Reservations } from '../../executor/reservations.ts'
import { delay, systemClock, type Clock } from '../../proto/clock.ts'
import type { QueryId, TaskId } from '../../proto/ids.ts'
import { HandClock } from './hand-clock.ts'
import { temporaryFolder } from './workbench.ts'

const MIB = 1024 * 1024
const TOTAL = 1024 * MIB
const never = new AbortController().signal
const query = (name: string) => name as QueryId

async function open(t: Test, clock: Clock = systemClock): Promise<InstanceSet> {
  const folder = temporaryFolder(t)
  const set = await InstanceSet.open({
    clock, directories: [folder], spillFolder: `${folder}/spill`, disk: new ByteBudget(256 * MIB), memoryBytes: TOTAL,
    threads: 2,
  })
  t.teardown(() => set.close())
  return set
}

/** As DuckDB itself says it. */
async function limitOf({ connection }: TaskConnection): Promise<string | null | undefined> {
  return (await connection.texts("SELECT current_setting('memory_limit')", [0]))[0]?.[0]
}

t.test('what is leased is taken from the shared instances, and given back', async t => {
  const set = await open(t)
  const shared = await set.emitted(query('small'), true, 0, '', never)
  t.strictSame([await limitOf(shared), set.memoryBytes], ['512.0 MiB', TOTAL])
  const leased = await set.emitted(query('a'), false, 400 * MIB, '', never)
  t.strictSame([await limitOf(shared), await limitOf(leased), set.memoryBytes], ['312.0 MiB', '400.0 MiB', TOTAL])
  const own = await set.original(query('b'), 'b.0.0.0' as TaskId, [], 0, never)
  t.strictSame([await limitOf(shared), await limitOf(own), set.memoryBytes], ['184.0 MiB', '256.0 MiB', TOTAL])
  await own.done(false)
  await leased.done(false)
  await set.releaseQuery(query('a'))
  t.strictSame([await limitOf(shared), set.memoryBytes], ['512.0 MiB', TOTAL])
  await shared.done(false)
})

t.test('a lease waits for another to end, and then has all that it asked for', async t => {
  const set = await open(t)
  const first = await set.emitted(query('a'), false, 500 * MIB, '', never)
  let opened = false
  const waiting = set.emitted(query('b'), false, 600 * MIB, '', never).then(lease => {
    opened = true
    return lease
  })
  await delay(systemClock, 150)
  t.strictSame([opened, set.memoryBytes <= TOTAL], [false, true])
  await first.done(false)
  await set.releaseQuery(query('a'))
  const second = await waiting
  t.strictSame([await limitOf(second), set.memoryBytes], ['600.0 MiB', TOTAL])
  await second.done(false)
})

t.test('a lease that finds no memory in time is EXECUTOR_FULL, one that is not wanted any more CANCELLED', async t => {
  const clock = new HandClock()
  const set = await open(t, clock)
  await set.emitted(query('a'), false, 700 * MIB, '', never)
  const late = t.rejects(set.emitted(query('b'), false, 700 * MIB, '', never), { code: 'EXECUTOR_FULL' })
  const controller = new AbortController()
  const gone = t.rejects(set.emitted(query('c'), false, 700 * MIB, '', controller.signal), { code: 'CANCELLED' })
  controller.abort()
  for (let i = 0; i < 1000; i++) await clock.pass(50)
  await Promise.all([late, gone])
})

t.test('a query that fills a shared instance keeps its lease waiting no longer than it has to', async t => {
  const set = await open(t)
  const shared = await set.emitted(query('small'), true, 0, '', never)
  await shared.connection.run('CREATE TEMP TABLE t AS SELECT i, hash(i) AS h FROM range(20000000) t(i)')
  const leased = await set.emitted(query('big'), false, 700 * MIB, '', never)
  t.ok(set.memoryBytes <= TOTAL, `${set.memoryBytes}`)
  const [[rows] = []] = await shared.connection.texts('SELECT count(*) FROM t', [0])
  t.equal(rows, '20000000', 'what it held was spilled, not lost')
  await set.look()
  t.ok(shared.use.spilled && shared.use.peakBytes > 0, 'and that was seen')
  await leased.done(false)
  await shared.done(false)
})

t.test('bookings fit the memory, those of leases what can be leased', async t => {
  const reservations = new Reservations({ totalBytes: 1000, leasableBytes: 700, leaseBytes: 250 })
  reservations.book(query('a'), 400)
  t.throws(() => reservations.book(query('b'), 301), { code: 'EXECUTOR_FULL' })
  reservations.book(query('b'), 300)
  reservations.book(query('c'), 125)
  t.throws(() => reservations.book(query('d'), 176), { code: 'EXECUTOR_FULL', message: /175 of 1000 are free/ })
  reservations.free(query('a'))
  reservations.free(query('b'))
  reservations.book(query('e'), 5_000)
  t.equal(reservations.bookedBytes, 825, 'more than can be leased is as much as can be')
  reservations.book(query('f'), 50)
  t.throws(() => reservations.book(query('g'), 126), { code: 'EXECUTOR_FULL' }, 'large ones leave room')
  reservations.book(query('g'), 125)
  t.equal(reservations.bookedBytes, 1000, 'to small ones')
})
