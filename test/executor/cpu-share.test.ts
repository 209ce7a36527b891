/** CPU time of a process, shared by the tasks that run in it. */

import t from 'tap'
import { CpuShare } from '../../executor/cpu-share.ts'

t.test('tasks that run at once share what the process used meanwhile, and nothing is counted twice', async t => {
  let nowMs = 100
  const cpu = new CpuShare(() => nowMs)
  nowMs += 7 // before any task
  const endFirst = cpu.begin()
  nowMs += 10
  const endSecond = cpu.begin()
  nowMs += 30
  t.equal(endFirst(), 25)
  nowMs += 4
  t.equal(endSecond(), 19)
})
