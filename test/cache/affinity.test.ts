/** Which executors own a file. */

import t from 'tap'
import { owners, rank } from '../../cache/affinity.ts'
import type { ExecutorId } from '../../proto/ids.ts'

const executors = (count: number) => Array.from({ length: count }, (_, i) => `e${i}` as ExecutorId)
const files = Array.from({ length: 5000 }, (_, i) => ({ bucket: 'lake', key: `t/part-${i}.parquet` }))

t.test('the ranking does not depend on the order of the executors', async t => {
  const [file = { bucket: '', key: '' }] = files
  t.strictSame(rank(file, executors(9)), rank(file, executors(9).reverse()))
  t.strictSame(owners(file, executors(9)), rank(file, executors(9)).slice(0, 2))
  t.strictSame(owners(file, executors(1)), ['e0'])
  t.strictSame(owners(file, []), [])
})

t.test('an executor more takes its share of the files, and no file moves between the others', async t => {
  const moves = files.map(file => [rank(file, executors(4))[0], rank(file, executors(5))[0]] as const)
  const moved = moves.filter(([before, after]) => before !== after)
  t.ok(moved.every(([, after]) => after === 'e4'))
  t.ok(moved.length > 0.15 * files.length && moved.length < 0.25 * files.length, `${moved.length} of ${files.length}`)
})

t.test('files are spread evenly', async t => {
  const counts = new Map<ExecutorId, number>()
  for (const file of files) {
    for (const owner of owners(file, executors(8))) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  t.equal(counts.size, 8)
  t.ok(Math.max(...counts.values()) < 1.15 * 2 * files.length / 8, `${[...counts.values()].join(' ')}`)
})
