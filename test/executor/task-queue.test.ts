/** The order of tasks, and what is done for those that wait. */

import t from 'tap'
import { TaskQueue } from '../../executor/task-queue.ts'

t.test('as many as there are slots run, and as many are prepared, each once', async t => {
  const queue = new TaskQueue(2)
  const said: string[] = []
  const ends = new Map<string, () => void>()
  const push = (name: string) => queue.push(
    () => new Promise<void>(resolve => {
      said.push(`run ${name}`)
      ends.set(name, resolve)
    }),
    () => { said.push(`prepare ${name}`) })
  const settled = () => new Promise(resolve => { setImmediate(resolve) })
  const [, , , takeOutD] = ['a', 'b', 'c', 'd', 'e', 'f'].map(push)
  await settled()
  t.strictSame(said.splice(0), ['run a', 'run b', 'prepare c', 'prepare d'])
  t.equal(takeOutD?.(), true)
  ends.get('b')?.()
  await settled()
  t.strictSame(said.splice(0), ['run c', 'prepare e', 'prepare f'])
  ends.get('a')?.()
  ends.get('c')?.()
  await settled()
  t.strictSame(said.splice(0), ['run e', 'run f'])
  t.equal(takeOutD?.(), false)
})
