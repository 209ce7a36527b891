/** How the memory of an instance is divided among the queries that run on it. */

import t from 'tap'
import { memoryShares, type RunningTask } from '../../executor/memory-share.ts'
import type { QueryId } from '../../proto/ids.ts'

const task = (query: string, startedMs: number): RunningTask => ({ queryId: query as QueryId, startedMs })

t.test('what has just begun has nearly nothing of what an older one holds', async t => {
  const shares = memoryShares([task('old', 0), task('new', 1_980)], 200, 2_000)
  t.strictSame([...shares], [['old', 198], ['new', 2]])
})

t.test('tasks of one query count together', async t => {
  t.strictSame([...memoryShares([task('a', 0), task('a', 0), task('b', 0)], 300, 10)], [['a', 200], ['b', 100]])
})

t.test('all that began at this moment have even parts, and one alone has all', async t => {
  t.strictSame([...memoryShares([task('a', 5), task('b', 5)], 100, 5)], [['a', 50], ['b', 50]])
  t.strictSame([...memoryShares([task('a', 5)], 100, 5)], [['a', 100]])
  t.strictSame([...memoryShares([], 100, 5)], [])
})
