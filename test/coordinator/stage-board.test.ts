/** What a query tells its stages. */

import t from 'tap'
import type { MemberKey } from '../../coordinator/member.ts'
import type { StageMessage } from '../../coordinator/stage-message.ts'
import { StageBoard } from '../../coordinator/stage-board.ts'
import type { Output } from '../../coordinator/task-definition.ts'
import type { Fragment, FragmentInput } from '../../planner/fragment.ts'
import { QueryError } from '../../proto/errors.ts'
import type { QueryId } from '../../proto/ids.ts'

const lost = new QueryError('EXECUTOR_LOST', 'gone')
const key = (id: string) => `${id}/a/1` as MemberKey

function fragment(id: number, inputs: FragmentInput[], orderSensitive = false): Fragment {
  return {
    id, sql: '', columns: [], scans: [], inputs, restrictions: [], output: { kind: 'gather' }, tasks: 'splits',
    orderSensitive, maxRows: null, rows: 0, bytes: 0,
  }
}

const output = (member: string, attempt = 0): Output =>
  ({ member: key(member), attempt, files: [], sample: [], source: { executorId: member } as Output['source'] })

const two = (orderSensitive: boolean): readonly Fragment[] =>
  [fragment(0, [], orderSensitive), fragment(1, [{ fragment: 0, kind: 'gather' }])]

/** Stages of which the first has two partitions, the others one; what their actors were told. */
function board(orderSensitive: boolean, fragments = two(orderSensitive)) {
  const told: string[] = []
  const received = new Set<number>()
  const actor = (id: number) => ({
    send: (message: StageMessage) => {
      const what = message.kind === 'again' ? ` ${[...message.partitions].join()} epoch ${message.epoch}` : ''
      if (message.kind !== 'executor-lost') told.push(`${id} ${message.kind}${what}`)
      return true
    },
  })
  const made = new StageBoard(
    fragments.map(one => ({ fragment: one, actor: actor(one.id), partitions: one.id === 0 ? 2 : 1 })),
    part => received.has(part),
  )
  return { made, told, received }
}

t.test('a stage runs once all of its input is there', async t => {
  const { made, told } = board(false)
  made.startReady()
  made.partitionDone(0, 0, 0, output('e1'))
  t.strictSame(told, ['0 inputs-ready'])
  made.partitionDone(0, 1, 0, output('e2'))
  t.strictSame(told, ['0 inputs-ready', '1 inputs-ready'])
  made.partitionDone(1, 0, 0, output('e1'))
  t.strictSame([made.done, made.total, made.results[0]?.member], [3, 3, key('e1')])
})

t.test('a lost output is made again, and its reader waits for it', async t => {
  const { made, told } = board(false)
  made.startReady()
  made.partitionDone(0, 0, 0, output('e1'))
  made.partitionDone(0, 1, 0, output('e2'))
  told.length = 0
  made.executorLost(key('e1'), lost)
  t.strictSame(told, ['0 again 0 epoch 1', '1 again  epoch 1', '0 inputs-ready'])
  made.partitionDone(0, 0, 1, output('e2', 1))
  t.strictSame(told.at(-1), '1 inputs-ready')
})

t.test('a report that was on its way when its partition was taken back does not count', async t => {
  const { made } = board(true)
  made.startReady()
  made.partitionDone(0, 0, 0, output('e1'))
  made.partitionDone(0, 1, 0, output('e2'))
  made.executorLost(key('e1'), lost)
  made.partitionDone(1, 0, 0, output('e2'))
  t.equal(made.isMade, false, 'it has read what changes')
  made.partitionDone(0, 0, 1, output('e2', 1))
  made.partitionDone(1, 0, 1, output('e2', 1))
  t.equal(made.results[0]?.attempt, 1)
})

t.test('an output that cannot be read is made again though its executor lives, and then counts', async t => {
  const { made, told } = board(false)
  const unreadable = output('e1')
  made.startReady()
  made.partitionDone(0, 0, 0, unreadable)
  made.partitionDone(0, 1, 0, output('e2'))
  told.length = 0
  made.inputsLost(1, [unreadable])
  made.inputsLost(1, [unreadable])
  t.strictSame(told, ['0 again 0 epoch 1', '0 inputs-ready'])
  made.partitionDone(0, 0, 1, output('e1', 1))
  t.strictSame(told.at(-1), '1 inputs-ready')
})

t.test('an output that ends just as its executor is lost is made again', async t => {
  const { made, told } = board(false)
  made.startReady()
  made.executorLost(key('e1'), lost)
  told.length = 0
  made.partitionDone(0, 0, 0, output('e1'))
  t.strictSame(told, ['0 again 0 epoch 1', '0 inputs-ready'])
})

t.test('what every reader has read is given up, and made again only if what was made of it is lost', async t => {
  const { made, told } = board(false)
  made.startReady()
  made.partitionDone(0, 0, 0, output('e1'))
  made.partitionDone(0, 1, 0, output('e2'))
  const giveUp = () => [...made.giveUpInputs(1, 'q' as QueryId)]
  t.strictSame(giveUp(), [], 'not yet read')
  made.partitionDone(1, 0, 0, output('e1'))
  t.strictSame(giveUp(), [[key('e1'), ['q.0.0.0']], [key('e2'), ['q.0.1.0']]])
  t.strictSame([giveUp(), made.done], [[], 3], 'once, and they count as done')
  told.length = 0
  made.executorLost(key('e2'), lost)
  t.strictSame(told, [], 'the result is there')
  made.executorLost(key('e1'), lost)
  t.strictSame(told, ['0 again 0,1 epoch 1', '1 again 0 epoch 1', '0 inputs-ready'])
})

t.test('where so many rows are enough, the rest is not waited for until they are lost', async t => {
  const rows = (member: string, rowCount: bigint, attempt = 0): Output =>
    ({ ...output(member, attempt), files: [{ partition: 0, path: '/x', sizeBytes: 1n, rowCount }] })
  const { made, told } = board(true, two(true).map(one => one.id === 0 ? { ...one, stageRows: 10 } : one))
  made.startReady()
  made.partitionDone(0, 0, 0, rows('e1', 9n))
  t.strictSame(told, ['0 inputs-ready'])
  made.partitionDone(0, 0, 0, rows('e1', 10n))
  t.strictSame([told.splice(0), made.done], [['0 inputs-ready', '0 enough', '1 inputs-ready'], 2])
  made.partitionDone(0, 1, 0, rows('e2', 10n))
  t.strictSame([told, made.done], [[], 2], 'it is late')
  made.executorLost(key('e2'), lost)
  t.strictSame(told, [], 'nothing of it is needed')
  made.executorLost(key('e1'), lost)
  t.strictSame(told.splice(0), ['0 again 0,1 epoch 1', '1 again 0 epoch 1', '0 inputs-ready'])
  made.partitionDone(0, 1, 1, rows('e3', 10n, 1))
  t.strictSame(told, ['0 enough', '1 inputs-ready'], 'whichever ends first')
})

t.test('a part of the result that is here is not made again when its executor is lost', async t => {
  const { made, told, received } = board(false)
  received.add(0)
  made.startReady()
  made.partitionDone(0, 0, 0, output('e1'))
  made.partitionDone(0, 1, 0, output('e2'))
  made.partitionDone(1, 0, 0, output('e1'))
  told.length = 0
  made.executorLost(key('e1'), lost)
  t.strictSame([told, made.isMade, made.resultEpochs], [[], true, [0]])
  made.resultLost(0)
  t.strictSame([made.isMade, made.resultEpochs], [false, [1]], 'it could not be read after all')
})

t.test('a sample is never lost: what is written again is divided as it was', async t => {
  const sample: Fragment = { ...fragment(0, [], true), output: { kind: 'sample', key: 'c0', percent: 1 } }
  const range: Fragment = {
    ...fragment(1, [{ fragment: 0, kind: 'bounds' }]), output: { kind: 'range', key: 'c0', ties: [] },
  }
  const { made, told } = board(true, [sample, range, fragment(2, [{ fragment: 1, kind: 'range' }])])
  made.startReady()
  made.partitionDone(0, 0, 0, output('e1'))
  made.partitionDone(0, 1, 0, output('e2'))
  made.partitionDone(1, 0, 0, output('e1'))
  t.strictSame([...made.giveUpInputs(1, 'q' as QueryId)], [], 'it has no files')
  told.length = 0
  made.executorLost(key('e1'), lost)
  t.strictSame(told, ['1 again 0 epoch 1', '2 again  epoch 1', '1 inputs-ready'])
})

t.test('what has read an output that was lost counts until that is made of other rows', async t => {
  const { made, told } = board(true, [
    ...two(true), fragment(2, [{ fragment: 1, kind: 'gather' }]),
    fragment(3, [{ fragment: 1, kind: 'gather' }, { fragment: 2, kind: 'gather' }]),
  ])
  made.startReady()
  for (const partition of [0, 1]) made.partitionDone(0, partition, 0, output('e1'))
  made.partitionDone(1, 0, 0, output('e2'))
  made.partitionDone(2, 0, 0, output('e3'))
  told.length = 0
  made.executorLost(key('e2'), lost)
  t.strictSame(told.filter(what => what.includes('again 0')), ['1 again 0 epoch 1'], 'of the same rows')
  made.executorLost(key('e1'), lost)
  const epochs = told.filter(what => what.includes('again 0')).slice(1)
  t.strictSame(epochs, ['0 again 0,1 epoch 1', '1 again 0 epoch 2', '2 again 0 epoch 2', '3 again 0 epoch 2'])
})
