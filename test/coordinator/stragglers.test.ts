/** Which tasks are begun a second time. */

import t from 'tap'
import { stragglers, type Attempt } from '../../coordinator/stragglers.ts'

const running = (elapsedMs: number, fraction = 0, partition = 9): Attempt => ({ partition, elapsedMs, fraction })
const usual = [1_000, 900, 1_100, 1_000, 5_000]

t.test('a task of more than three times the median of the others is slow, once half of them have ended', async t => {
  t.strictSame(stragglers(usual, [running(3_001)], 0, 8), [9])
  t.strictSame(stragglers(usual, [running(3_000)], 0, 8), [])
  t.strictSame(stragglers(usual, [running(3_001)], 0, 11), [], 'five of eleven')
  t.strictSame(stragglers([1], [running(60_000)], 0, 2), [], 'one alone says nothing')
  t.strictSame(stragglers([], [running(60_000)], 0, 1), [], 'nor does none')
  t.strictSame(stragglers([10, 10, 10], [running(1_500)], 0, 4), [], 'short ones are not worth it')
  t.strictSame(stragglers([10, 10, 10], [running(1_501)], 0, 4), [9])
})

t.test('it must pay: what will have ended sooner than a new attempt is left alone', async t => {
  t.strictSame(stragglers(usual, [running(4_000, 0.79)], 0, 8), [9])
  t.strictSame(stragglers(usual, [running(4_000, 0.81)], 0, 8), [])
})

t.test('of many slow tasks a quarter has a second attempt at a time, the slowest first', async t => {
  const slow = [running(4_000, 0, 0), running(6_000, 0, 1), running(5_000, 0, 2)]
  t.strictSame(stragglers(usual, slow, 0, 8), [1, 2])
  t.strictSame(stragglers(usual, slow, 1, 8), [1])
  t.strictSame(stragglers(usual, slow, 2, 8), [])
  t.strictSame(stragglers([1_000, 1_000], slow, 0, 3), [1], 'one at least')
})
