/** When queries may start. */

import t from 'tap'
import {
  ask, expire, leave, noQueries, observe, OVERDUE_MS, withBudget, type Admission, type WaitingClaim,
} from '../../coordinator/admission.ts'
import type { QueryId } from '../../proto/ids.ts'
import { DEFAULT_GROUP } from '../../proto/resource-group.ts'

const claim = (query: string, user = 'ann', memoryBytes = 40, more: Partial<WaitingClaim> = {}): WaitingClaim => ({
  query: query as QueryId, user, memoryBytes, slots: 1, group: DEFAULT_GROUP, sinceMs: 0, untilMs: 100_000, ...more,
})
const group = (name: string, weight: number, maxRunning: number | null = null, maxRunningPerUser = maxRunning) =>
  ({ ...DEFAULT_GROUP, name, weight, maxRunning, maxRunningPerUser })
const start = withBudget(noQueries, { memoryBytes: 100, slots: 32 }, 0).next
const asked = (state: Admission, ...claims: WaitingClaim[]): Admission =>
  claims.reduce((next, one) => ask(next, one).next, state)
const ids = (claims: readonly { query: QueryId }[]): string[] => claims.map(({ query }) => query)
const left = (state: Admission, query: string, nowMs = 0) => leave(state, query as QueryId, nowMs)

t.test('queries start while their memory fits, and the next ones as others leave', async t => {
  const full = asked(start, claim('a'), claim('b'), claim('c'), claim('d'))
  t.strictSame([ids(full.admitted), ids(full.waiting)], [['a', 'b'], ['c', 'd']])
  t.strictSame(left(full, 'a').admitted, ['c'])
  t.strictSame(left(full, 'c').admitted, [], 'who waited and went makes no room')
})

t.test('queries start while their slots are there', async t => {
  const two = withBudget(noQueries, { memoryBytes: 1000, slots: 2 }, 0).next
  const full = asked(two, claim('a', 'ann', 1), claim('b', 'ann', 1), claim('c', 'ann', 1))
  t.strictSame([ids(full.admitted), left(full, 'b').admitted], [['a', 'b'], ['c']])
})

t.test('who holds least goes first, so that one user does not keep another waiting', async t => {
  const full = asked(start, claim('a1'), claim('a2'), claim('a3'), claim('a4'), claim('b1', 'bob'))
  t.strictSame(left(full, 'a1').admitted, ['b1'])
})

t.test('groups get memory by their weights', async t => {
  let state = withBudget(noQueries, { memoryBytes: 1000, slots: 100 }, 0).next
  const [bi, etl] = [group('bi', 3), group('etl', 1)]
  state = asked(state, claim('full', 'zoe', 875, { group: group('other', 1) }))
  state = asked(state, ...Array.from({ length: 20 }, (_, i) => claim(`e${i}`, 'eve', 200, { group: etl })))
  state = asked(state, ...Array.from({ length: 20 }, (_, i) => claim(`b${i}`, 'bob', 200, { group: bi })))
  const { admitted } = left(state, 'full')
  t.strictSame([...admitted].sort(), ['b0', 'b1', 'b2', 'e0'])
})

t.test('a small query passes large ones that wait, and large ones leave it room', async t => {
  const full = asked(start, claim('a'), claim('b'), claim('c'), claim('small', 'ann', 10))
  t.strictSame(ids(full.admitted), ['a', 'b', 'small'])
  const most = asked(start, claim('a', 'ann', 50), claim('b', 'ann', 40), claim('small', 'ann', 12))
  t.strictSame([ids(most.admitted), ids(most.waiting)], [['a', 'small'], ['b']])
})

t.test('large queries keep their order: a larger one is not passed for ever', async t => {
  const full = asked(start, claim('a', 'ann', 60), claim('huge', 'ann', 80), claim('c', 'ann', 20))
  t.strictSame(ids(full.waiting), ['huge', 'c'])
})

t.test('small queries keep to their part once a large one is overdue', async t => {
  const smalls = Array.from({ length: 10 }, (_, i) => claim(`s${i}`, 'bob', 10))
  const full = asked(start, ...smalls, claim('large', 'ann', 80))
  const freed = asked(left(full, 's0').next, claim('early', 'bob', 10, { sinceMs: OVERDUE_MS - 1 }))
  t.ok(ids(freed.admitted).includes('early'))
  const late = asked(left(full, 's0').next, claim('late', 'bob', 10, { sinceMs: OVERDUE_MS }))
  t.strictSame(ids(late.waiting), ['large', 'late'])
  const drained = smalls.slice(1, 9).reduce((state, { query }) => left(state, query, OVERDUE_MS).next, late)
  t.strictSame(ids(drained.admitted), ['s9', 'large', 'late'], 'it runs before those that came after it')
})

t.test('a small query that needs several slots is not passed for ever by those that need one', async t => {
  let state = withBudget(noQueries, { memoryBytes: 1000, slots: 4 }, 0).next
  state = asked(state, ...['a', 'b', 'c', 'd'].map(name => claim(name, name, 1)))
  state = asked(state, claim('wide', 'ann', 1, { slots: 2 }), claim('e', 'eve', 1), claim('f', 'eve', 1))
  const early = left(state, 'a', OVERDUE_MS - 1)
  t.strictSame(early.admitted, ['e'])
  const late = left(early.next, 'b', OVERDUE_MS)
  t.strictSame(late.admitted, [])
  t.strictSame(left(late.next, 'c', OVERDUE_MS).admitted, ['wide'])
})

t.test('a small query that claims more slots than are left keeps none waiting', async t => {
  const wide = asked(withBudget(noQueries, { memoryBytes: 1000, slots: 64 }, 0).next,
    claim('full', 'bob', 1, { slots: 64 }), claim('wide', 'ann', 1, { slots: 40 }), claim('next', 'ann', 1))
  const fewer = withBudget(wide, { memoryBytes: 1000, slots: 32 }, OVERDUE_MS).next
  t.strictSame(left(fewer, 'full', OVERDUE_MS).admitted, ['wide'])
  t.strictSame(left(left(fewer, 'full', OVERDUE_MS).next, 'wide', OVERDUE_MS).admitted, ['next'])
})

t.test('a query that is larger than the budget runs alone among large ones', async t => {
  const large = asked(start, claim('huge', 'ann', 500))
  t.strictSame(ids(large.admitted), ['huge'])
  t.strictSame(ids(asked(large, claim('a')).waiting), ['a'])
})

t.test('a group, and a user in it, run no more than they may', async t => {
  const small = (query: string, user: string) => claim(query, user, 1, { group: group('bi', 1, 3, 2) })
  const full = asked(start, small('a1', 'ann'), small('a2', 'ann'), small('a3', 'ann'), small('b1', 'bob'),
    small('b2', 'bob'), claim('other', 'ann', 1))
  t.strictSame([ids(full.admitted), ids(full.waiting)], [['a1', 'a2', 'b1', 'other'], ['a3', 'b2']])
  t.strictSame(left(full, 'b1').admitted, ['b2'])
})

t.test('what was seen to be used counts instead of a guess that was too low', async t => {
  const seen = observe(asked(start, claim('a', 'ann', 20)), 'a' as QueryId, 70, 0)
  t.strictSame(ids(asked(seen, claim('b')).waiting), ['b'])
  t.equal(observe(seen, 'a' as QueryId, 5, 0).admitted[0]?.memoryBytes, 70)
})

t.test('without executors nothing starts, and waiting ends', async t => {
  const none = asked(noQueries, claim('a', 'ann', 1, { untilMs: 500 }), claim('b', 'ann', 1, { untilMs: 900 }))
  t.strictSame(expire(none, 600).expired, ['a'])
  t.strictSame(withBudget(none, { memoryBytes: 100, slots: 8 }, 0).admitted, ['a', 'b'])
})

t.test('every place of a query against every event', async t => {
  const events: Readonly<Record<string, (state: Admission) => Admission>> = {
    leave: state => left(state, 'x').next,
    observe: state => observe(state, 'x' as QueryId, 90, 0),
    more: state => withBudget(state, { memoryBytes: 1000, slots: 32 }, 0).next,
    none: state => withBudget(state, { memoryBytes: 0, slots: 0 }, 0).next,
    expire: state => expire(state, 1_000_000).next,
  }
  const places: Readonly<Record<string, Admission>> = {
    unknown: start,
    waiting: asked(start, claim('full', 'bob', 80), claim('x')),
    admitted: asked(start, claim('x')),
  }
  const place = ({ admitted, waiting }: Admission): string =>
    ids(admitted).includes('x') ? 'admitted' : ids(waiting).includes('x') ? 'waiting' : 'unknown'
  const actual = Object.fromEntries(Object.entries(places).map(([name, state]) =>
    [name, Object.values(events).map(event => place(event(state)))]))
  t.strictSame(actual, {
    //          leave      observe     more        none        expire
    unknown: ['unknown', 'unknown', 'unknown', 'unknown', 'unknown'],
    waiting: ['unknown', 'waiting', 'admitted', 'waiting', 'unknown'],
    admitted: ['unknown', 'admitted', 'admitted', 'admitted', 'admitted'],
  })
})
