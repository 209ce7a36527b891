/** Partitions of far too many rows: which are divided, and who reads what of them. */

import { create } from '@bufbuild/protobuf'
import t from 'tap'
import { ExchangeSourceSchema } from '../../proto/gen/executor_pb.js'
import type { ExecutorId } from '../../proto/ids.ts'
import { memberKey } from '../../coordinator/member.ts'
import { isReadInSlices, stageSlices } from '../../coordinator/slices.ts'
import type { Output } from '../../coordinator/task-definition.ts'
import type { FragmentInput } from '../../planner/fragment.ts'

const sliced: FragmentInput = { fragment: 0, kind: 'hash', slicedFrom: 100 }
const copied: FragmentInput = { fragment: 1, kind: 'hash' }

/** One task's output: rows by partition. */
function output(rows: readonly number[]): Output {
  return {
    attempt: 0, member: memberKey('e1' as ExecutorId, 'i1', 0), sample: [],
    source: create(ExchangeSourceSchema, { executorId: 'e1' }),
    files: rows.flatMap((count, partition) => count === 0 ? []
      : [{ partition, path: `p${partition}`, sizeBytes: 1n, rowCount: BigInt(count) }]),
  }
}

const even = [output([40, 40, 40]), output([40, 40, 40])]
const small = [output([5, 5, 5])]

t.test('partitions of about the same rows stay whole', async t => {
  t.equal(stageSlices([sliced, copied], [even, small], 3), null)
  t.equal(stageSlices([sliced, copied], [[output([79, 40, 40]), output([79, 40, 40])], small], 3), null)
})

t.test('a partition of few rows stays whole, however much larger than others', async t => {
  t.equal(stageSlices([sliced, copied], [[output([40, 1, 1]), output([40, 1, 1])], small], 3), null)
})

t.test('what one task has written is not divided', async t => {
  t.equal(stageSlices([sliced, copied], [[output([900, 10, 10])], small], 3), null)
})

t.test('nothing is divided where the copies would be larger than what they are for', async t => {
  const skewed = [output([500, 10, 10]), output([500, 10, 10])]
  t.equal(stageSlices([sliced, copied], [skewed, [output([501, 5, 5])]], 3), null)
  t.not(stageSlices([sliced, copied], [skewed, [output([500, 5, 5])]], 3), null)
})

t.test('every row is read by one task, and beside all that it may meet', async t => {
  const writers = Array.from({ length: 6 }, (_, i) => output([200 + i, 20, 10, 15]))
  const slices = stageSlices([sliced, copied], [writers, small], 4)
  if (slices === null) throw new Error('nothing is divided')
  const tasks = [0, 1, 2, 3]
  const rows = tasks.map(() => 0)
  for (const [writer, { files }] of writers.entries()) {
    for (const file of files) {
      const readers = tasks.filter(task => isReadInSlices(slices, 0, writer, file, task))
      t.equal(readers.length, 1)
      for (const task of readers) {
        rows[task] = (rows[task] ?? 0) + Number(file.rowCount)
        t.ok(isReadInSlices(slices, 1, 0, file, task), `partition ${file.partition} of the other side`)
      }
    }
  }
  t.equal(rows.reduce((sum, count) => sum + count, 0), 6 * 245 + 15)
  t.ok(Math.max(...rows) < 500, `of ${rows.join(', ')} rows`)
})

t.test('of two inputs the one with more rows in such partitions is divided', async t => {
  const both = [{ ...sliced, fragment: 0 }, { ...sliced, fragment: 1 }]
  const more = [output([9000, 20, 10]), output([9000, 20, 10])]
  const less = [output([300, 20, 10]), output([300, 20, 10])]
  t.equal(stageSlices(both, [less, more], 3)?.input, 1)
})
