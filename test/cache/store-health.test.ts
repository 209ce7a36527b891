/** How long a store is waited for after somebody has waited in vain. */

import t from 'tap'
import { StoreHealth } from '../../cache/store-health.ts'
import { QueryError } from '../../proto/errors.ts'
import { openCachedLake } from './cached-lake.ts'
import { AT_ONCE, openRemoteBucket, patient } from './remote-bucket.ts'

const policy = { deadlineMs: 15_000, attemptMs: 10_000, pauseMs: 50, maxPauseMs: 5_000 }
const down = new QueryError('UNAVAILABLE', 'b: no answer')

t.test('a store that does not answer is not waited for so long again until it does', async t => {
  const health = new StoreHealth(policy)
  const patient = health.begin(0)
  t.equal(patient.policy, policy)
  const elsewhere = health.begin(0, 3_000)
  t.match(elsewhere.policy, { deadlineMs: 12_000, attemptMs: 10_000 }, 'what was waited elsewhere comes off')
  t.match(health.begin(0, 60_000).policy, { deadlineMs: 2_000 })
  health.failed(patient, 15_000, down)
  const tried = health.begin(15_001)
  t.match(tried.policy, { deadlineMs: 2_000, attemptMs: 2_000, pauseMs: 50 })
  const other = health.begin(15_001)
  t.match(other.policy, { deadlineMs: 500, attemptMs: 500, pauseMs: 50 }, 'one waits so long at a time')
  health.failed(other, 15_501, down)
  health.answered(15_900)
  tried.end()
  t.equal(health.begin(15_902).policy, policy)
  health.failed(other, 16_000, down)
  t.equal(health.begin(16_001).policy, policy, 'who has failed says nothing of a store that has answered meanwhile')
  health.failed(health.begin(16_001), 20_000, down)
  const again = health.begin(49_999)
  t.match(again.policy, { deadlineMs: 2_000 })
  again.end()
  t.match(health.begin(49_999).policy, { deadlineMs: 2_000 }, 'nobody waits now')
  t.equal(health.begin(50_000).policy, policy, 'or was left alone')
})

t.test('who comes after one who waited in vain waits less, and a store that is back is used at once', async t => {
  const { open, put, server } = await openRemoteBucket(t)
  const { etag } = put('k', 'hello')
  const store = open({}, { ...patient, deadlineMs: 4_000, attemptMs: 4_000 })
  server.faults.spread({ seed: 1, share: 1, faults: ['silence'] })
  const waited = async (): Promise<number> => {
    const startedMs = performance.now()
    await t.rejects(store.readRange('k', 0, 5, etag), { code: 'UNAVAILABLE' })
    return performance.now() - startedMs
  }
  const [first, second] = [await waited(), await waited()]
  t.ok(first >= 3_900 && second < 3_500, `${first} ms, then ${second} ms`)
  server.faults.spread(undefined)
  t.equal(Buffer.from(await store.readRange('k', 0, 5, etag)).toString(), 'hello')
})

t.test('who stands in line while others wait in vain has waited with them, and asks nothing', async t => {
  const { open, put, server } = await openRemoteBucket(t)
  const { etag } = put('k', 'hello')
  const store = open({}, { ...patient, deadlineMs: 500, attemptMs: 500 })
  server.faults.spread({ seed: 1, share: 1, faults: ['silence'] })
  const asked = Array.from({ length: 3 * AT_ONCE }, () => store.readRange('k', 0, 5, etag))
  const outcomes = await Promise.allSettled(asked)
  t.ok(outcomes.every(outcome => outcome.status === 'rejected' && outcome.reason instanceof QueryError
    && outcome.reason.code === 'UNAVAILABLE'))
  t.equal(server.requests, AT_ONCE)
  server.faults.spread(undefined)
  t.equal(Buffer.from(await store.readRange('k', 0, 5, etag)).toString(), 'hello')
})

t.test('who stands in the line of the cache has waited with those who ask, for chunks and for footers', async t => {
  const lake = await openCachedLake(t)
  const brisk = { ...patient, deadlineMs: 500, attemptMs: 500 }
  const never = new AbortController().signal
  const first = await lake.write('0', 'SELECT 1 AS a, 2 AS b')
  const body = lake.server.objects.get('lake', '0')?.body ?? Buffer.alloc(0)
  const files = Array.from({ length: 120 }, (_, i) => ({ ...first, ...lake.put(`k${i}`, body) }))
  const [old, fresh] = [files.slice(0, 40), files.slice(40)]
  for (const file of old) await lake.ask(file, ['a'], 'SELECT a FROM $file')
  for (const some of [old, fresh]) {
    const asked = lake.server.requests
    const store = lake.open({}, brisk)
    lake.server.faults.spread({ seed: 1, share: 1, faults: ['silence'] })
    const outcomes = await Promise.allSettled(some.map(file =>
      lake.cache.open([lake.want(file, ['b'], { store })], never)))
    t.ok(outcomes.every(({ status, ...more }) => status === 'rejected' && 'reason' in more
      && more.reason instanceof QueryError && more.reason.code === 'UNAVAILABLE'))
    t.equal(lake.server.requests - asked, AT_ONCE)
    lake.server.faults.spread(undefined)
    for (const file of some) t.strictSame((await lake.ask(file, ['b'], 'SELECT b FROM $file')).rows, [[2]])
  }
})
