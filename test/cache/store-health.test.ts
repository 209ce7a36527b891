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
  t.equal(health.policy(0), policy)
  t.match(health.policy(0, 3_000), { deadlineMs: 12_000, attemptMs: 10_000 }, 'what was waited elsewhere comes off')
  t.match(health.policy(0, 60_000), { deadlineMs: 2_000 })
  health.failed(15_000, down)
  t.match(health.policy(15_001), { deadlineMs: 2_000, attemptMs: 2_000, pauseMs: 50 })
  health.answered()
  t.equal(health.policy(15_002), policy)
  health.failed(20_000, down)
  t.match(health.policy(49_999), { deadlineMs: 2_000 })
  t.equal(health.policy(50_000), policy, 'or was left alone')
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
