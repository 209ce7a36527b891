/** The critical path, and the turns by which tasks are measured one at a time. */

import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { criticalPath } from '../../bench/tpch/critical-path.ts'
import { TaskTurns, TURNS_VARIABLE, type TaskCpu } from '../../bench/tpch/task-turns.ts'

const task = (stage: number, partition: number, pid: number, cpuMs: number): TaskCpu =>
  ({ queryId: 'q', stage, partition, pid, cpuMs })

t.test('the critical path is the slowest task of each stage, summed', async t => {
  const tasks = [task(0, 0, 1, 10), task(0, 1, 2, 30), task(1, 0, 1, 5), task(1, 1, 2, 4)]
  t.strictSame(criticalPath(tasks), { slowestTaskMs: 35, busiestExecutorMs: 35, totalMs: 49 })
})

t.test('an executor with two tasks of a stage is busy with both', async t => {
  const tasks = [task(0, 0, 1, 10), task(0, 1, 1, 30), task(0, 2, 2, 35)]
  t.strictSame(criticalPath(tasks), { slowestTaskMs: 35, busiestExecutorMs: 40, totalMs: 75 })
})

t.test('one task at a time has its turn, in the order of asking; one that dies gives it back', async t => {
  const turns = await TaskTurns.open()
  t.teardown(() => turns.close())
  const port = Number(turns.environment()[TURNS_VARIABLE])
  const ask = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }
  const first = await ask()
  await once(first, 'data')
  const second = await ask()
  const third = await ask()
  const order: string[] = []
  const goes = (socket: Socket, name: string): Promise<void> =>
    once(socket, 'data').then(() => { order.push(name) })
  const [secondGoes, thirdGoes] = [goes(second, 'second'), goes(third, 'third')]
  const both = turns.take('q', 2)
  first.write(`${JSON.stringify({ ...task(0, 0, 7, 1), queryId: 'other' })}\n`)
  first.write(`${JSON.stringify(task(0, 0, 7, 12.5))}\n`)
  first.end(`${JSON.stringify(task(1, 0, 7, 2.5))}\n`)
  await secondGoes
  t.strictSame(await both, [task(0, 0, 7, 12.5), task(1, 0, 7, 2.5)], 'waits for both')
  t.strictSame(await turns.take('q', 0), [], 'taken once')
  t.strictSame(order, ['second'])
  second.destroy()
  await thirdGoes
  t.strictSame(order, ['second', 'third'])
  third.destroy()
})
