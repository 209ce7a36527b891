/** What is made again when outputs are lost. */

import t from 'tap'
import { recover, type OutputView, type StageView } from '../../coordinator/recovery.ts'
import type { FragmentInput } from '../../planner/fragment.ts'

type Input = [fragment: number, kind: FragmentInput['kind']]
const stage = (outputs: OutputView[], inputs: Input[] = [], orderSensitive = false): StageView =>
  ({ outputs, inputs: inputs.map(([fragment, kind]) => ({ fragment, kind })), orderSensitive, started: true })
const again = (...stages: StageView[]): number[][] => recover(stages).again.map(partitions => [...partitions].sort())

t.test('a lost output is made again only if somebody still reads it', async t => {
  t.strictSame(again(stage(['lost', 'kept']), stage(['none'], [[0, 'gather']])), [[0], []])
  t.strictSame(again(stage(['lost', 'lost']), stage(['kept'], [[0, 'gather']])), [[], []])
  t.strictSame(again(stage(['lost', 'lost']), stage(['lost'], [[0, 'gather']])), [[0, 1], [0]])
})

t.test('what is lost on the way to a lost output is made again too', async t => {
  const chain = (last: OutputView) => again(
    stage(['lost', 'kept']), stage(['kept', 'lost'], [[0, 'hash']]), stage([last], [[1, 'gather']]))
  t.strictSame(chain('none'), [[0], [1], []])
  t.strictSame(chain('kept'), [[], [], []])
})

t.test('readers of the same partition alone depend on a keep', async t => {
  const kept = (a: OutputView, b: OutputView) => again(
    stage(['lost', 'lost']), stage([a, b], [[0, 'keep']]), stage(['none'], [[1, 'gather']]),
  )
  t.strictSame(kept('none', 'kept'), [[0], [], []])
  t.strictSame(kept('kept', 'none'), [[1], [], []])
})

t.test('what has read a part of an order-sensitive output is made again with it, and what has read that', async t => {
  const stages = (sensitive: boolean) => [
    stage(['lost', 'kept'], [], sensitive), stage(['kept', 'none'], [[0, 'hash']]),
    stage(['kept', 'none'], [[1, 'hash']]), stage(['none'], [[2, 'gather']]),
  ]
  t.strictSame(again(...stages(false)), [[0], [], [], []])
  t.strictSame(again(...stages(true)), [[0], [0, 1], [0, 1], [0]])
})

t.test('an order-sensitive output that nobody needs any more changes nothing', async t => {
  t.strictSame(again(
    stage(['lost'], [], true), stage(['kept', 'kept'], [[0, 'hash']]), stage(['none'], [[1, 'gather']]),
  ), [[], [], []])
})

t.test('a stage that has not started has read nothing', async t => {
  const waiting = { ...stage(['none', 'none'], [[0, 'hash']]), started: false }
  t.strictSame(again(stage(['lost', 'none'], [], true), waiting, stage(['none'], [[1, 'gather']])), [[0], [], []])
})

t.test('both readers of a shared output that changes are made again', async t => {
  t.strictSame(again(
    stage(['lost'], [], true), stage(['kept'], [[0, 'broadcast']]), stage(['none'], [[0, 'broadcast']]),
    stage(['none'], [[1, 'gather'], [2, 'gather']])), [[0], [0], [0], [0]])
})

t.test('what has read an output that is being made again is made again if its rows change meanwhile', async t => {
  const stages = (made: OutputView, sensitive = true) => [
    stage(['lost'], [], sensitive), stage([made], [[0, 'hash']]), stage(['kept'], [[1, 'keep']]),
    stage(['none'], [[2, 'gather'], [0, 'hash']]),
  ]
  t.strictSame(again(...stages('gone')), [[0], [0], [0], [0]])
  t.strictSame(again(...stages('gone', false)), [[0], [], [], []], 'not if they are the same')
  t.strictSame(again(...stages('none')), [[0], [0], [], [0]], 'nor if there has never been any')
  const { changed } = recover(stages('gone'))
  t.strictSame(changed.map(partitions => [...partitions]), [[0], [0], [0], []], 'so nothing counts that has read it')
})

t.test('an output that is gone needs its inputs as one that has never been', async t => {
  t.strictSame(again(stage(['lost']), stage(['gone'], [[0, 'gather']])), [[0], []])
})
