/** When queries may start. */

import t from 'tap'
import {
  ask, expire, leave, MAX_WAITING, MAX_WAITING_OF_ONE, noQueries, withBudget, type Admission,
} from '../../coordinator/admission.ts'
import type { QueryId } from '../../proto/ids.ts'

const claim = (query: string, principal = 'ann', memoryBytes = 40, untilMs = 1000) =>
  ({ query: query as QueryId, principal, memoryBytes, untilMs })
const start = withBudget(noQueries, 100).next
const asked = (state: Admission, ...claims: ReturnType<typeof claim>[]): Admission =>
  claims.reduce((next, one) => ask(next, one).next, state)
const ids = (claims: readonly { query: QueryId }[]): string[] => claims.map(({ query }) => query)

t.test('queries start while their memory fits, and the next ones as others leave', async t => {
  const full = asked(start, claim('a'), claim('b'), claim('c'), claim('d'))
  t.strictSame([ids(full.admitted), ids(full.waiting)], [['a', 'b'], ['c', 'd']])
  t.strictSame(leave(full, 'a' as QueryId).admitted, ['c'])
  t.strictSame(leave(full, 'c' as QueryId).admitted, [], 'who waited and went makes no room')
})

t.test('who holds least goes first, so that one user does not keep another waiting', async t => {
  const full = asked(start, claim('a1'), claim('a2'), claim('a3'), claim('a4'), claim('b1', 'bob'))
  t.strictSame(leave(full, 'a1' as QueryId).admitted, ['b1'])
})

t.test('a query that is larger than the budget runs alone', async t => {
  const large = asked(start, claim('huge', 'ann', 500))
  t.strictSame(ids(large.admitted), ['huge'])
  t.strictSame(ids(asked(large, claim('a')).waiting), ['a'])
})

t.test('without executors nothing starts, and waiting ends', async t => {
  const none = asked(noQueries, claim('a', 'ann', 1, 500), claim('b', 'ann', 1, 900))
  t.strictSame(expire(none, 600).expired, ['a'])
  t.strictSame(withBudget(none, 100).admitted, ['a', 'b'])
})

t.test('the queue is bounded, in all and for one', async t => {
  const fill = (count: number, principal: (i: number) => string): Admission =>
    asked(start, claim('big', 'zoe', 100), ...Array.from({ length: count }, (_, i) => claim(`q${i}`, principal(i))))
  const one = fill(MAX_WAITING_OF_ONE, () => 'ann')
  t.strictSame(ask(one, claim('more')).refused, ['more'])
  t.strictSame(ask(one, claim('other', 'bob')).refused, [])
  t.strictSame(ask(fill(MAX_WAITING, i => `p${i}`), claim('more', 'bob')).refused, ['more'])
})
