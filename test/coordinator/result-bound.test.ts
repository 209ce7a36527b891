/** What a task that makes the result is told of the number of its rows. */

import { create } from '@bufbuild/protobuf'
import t from 'tap'
import { memberKey } from '../../coordinator/member.ts'
import { taskDefinition, type Output } from '../../coordinator/task-definition.ts'
import type { Fragment, FragmentInput } from '../../planner/fragment.ts'
import { ExchangeSourceSchema } from '../../proto/gen/executor_pb.js'
import type { ExecutorId } from '../../proto/ids.ts'

const inputs: readonly FragmentInput[] = [{ fragment: 0, kind: 'gather' }, { fragment: 1, kind: 'hash' }]
const fragment: Fragment = {
  id: 2, sql: 'SELECT 1 AS c0', columns: [], scans: [], inputs, restrictions: [], output: { kind: 'result' },
  tasks: 'one', orderSensitive: false, maxRows: null, rows: 1, bytes: 1,
}

/** Of one task: rows by partition. */
function output(rows: readonly number[]): Output {
  return {
    attempt: 0, member: memberKey('e1' as ExecutorId, 'i1', 0), sample: [],
    source: create(ExchangeSourceSchema, { executorId: 'e1' }),
    files: rows.map((count, partition) =>
      ({ partition, path: `p${partition}`, sizeBytes: 1n, rowCount: BigInt(count) })),
  }
}

/** Of the task of partition 1. */
function told(parts: Partial<Fragment>): bigint | undefined {
  const own = { ...fragment, ...parts }
  const work = {
    query: 'q1', sqlKind: 'emitted', columns: [], fragments: [own, own, own], tables: [], tablesRead: [],
    partitionCount: 2, memoryBytes: 0, group: { name: 'default', weight: 1 },
    request: { sql: '', defaultCatalog: '', defaultSchema: '', settings: {}, principal: '', compression: null },
  } as unknown as Parameters<typeof taskDefinition>[0]
  const place = {
    fragment: own, partition: 1, attempt: 0, splits: [], restrictions: [], ranges: { bounds: [] }, slices: null,
    inputs: [[output([7]), output([5])], [output([100, 20]), output([1000, 3])]], memoryBytes: 0, places: {},
  } as unknown as Parameters<typeof taskDefinition>[1]
  const { output: made } = taskDefinition(work, place)
  return made?.case === 'result' ? made.value.maxRows : undefined
}

t.test('rows of the input that bounds it, of what the task reads of it', async t => {
  t.equal(told({ boundingInput: 0 }), 12n)
  t.equal(told({ boundingInput: 1 }), 23n)
})

t.test('what the plan says comes first, and without either nothing is certain', async t => {
  t.equal(told({ maxRows: 4, boundingInput: 0 }), 4n)
  t.equal(told({}), 0n)
})
