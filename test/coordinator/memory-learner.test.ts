/** What fragments were seen to need goes before what the planner guesses. */

import t from 'tap'
import { memoryEstimate, secondTryBytes } from '../../coordinator/memory-estimate.ts'
import { MemoryLearner } from '../../coordinator/memory-learner.ts'
import type { Fragment } from '../../planner/fragment.ts'
import type { PlannedQuery } from '../../planner/planned-query.ts'

const MIB = 1024 * 1024

function fragment(id: number, bytes: number, parts: Partial<Fragment> = {}): Fragment {
  return {
    id, sql: `fragment ${id}`, columns: [], scans: [], inputs: [], restrictions: [], output: { kind: 'gather' },
    tasks: 'one', orderSensitive: false, maxRows: null, rows: 1, bytes, ...parts,
  }
}

const planned = (...fragments: Fragment[]): PlannedQuery =>
  ({ columns: [], fragments, sqlKind: 'emitted', tablesRead: [], volatile: false, wholeReason: null })

t.test('a query needs what its largest fragment was seen to take, and a quarter more', async t => {
  const learner = new MemoryLearner()
  const query = planned(fragment(0, 100 * MIB), fragment(1, 50 * MIB))
  const estimate = () => memoryEstimate(query, 0, [4096 * MIB], learner)
  t.equal(estimate(), 200 * MIB, 'a guess')
  learner.observe('fragment 0', 40 * MIB, false)
  t.equal(estimate(), 100 * MIB, 'now the other one decides')
  learner.observe('fragment 1', 400 * MIB, false)
  t.equal(estimate(), 500 * MIB)
  learner.observe('fragment 1', 1 * MIB, false)
  t.equal(estimate(), 50 * MIB, 'the newest sight counts')
})

t.test('what had to spill needs at least what was guessed', async t => {
  const learner = new MemoryLearner()
  learner.observe('fragment 0', 80 * MIB, true)
  t.equal(memoryEstimate(planned(fragment(0, 100 * MIB)), 0, [4096 * MIB], learner), 200 * MIB)
  learner.observe('fragment 0', 400 * MIB, true)
  t.equal(memoryEstimate(planned(fragment(0, 100 * MIB)), 0, [4096 * MIB], learner), 500 * MIB)
})

t.test('no estimate is above half of the smallest executor; a second try may be', async t => {
  t.equal(memoryEstimate(planned(fragment(0, 9000 * MIB)), 0, [1000 * MIB], new MemoryLearner()), 500 * MIB)
  t.strictSame([secondTryBytes(500 * MIB, 1000 * MIB), secondTryBytes(32 * MIB, 1000 * MIB)], [2000 * MIB, 500 * MIB])
})

t.test('what was asked for least lately is forgotten', async t => {
  const learner = new MemoryLearner()
  for (let i = 0; i < 10_000; i++) learner.observe(`query ${i}`, i, false)
  learner.estimate('query 0', 7)
  learner.observe('one more', 1, false)
  t.strictSame([learner.estimate('query 1', 7), learner.estimate('query 0', 7)], [7, 0])
})
