/**
 * Loaded into the processes of a cluster by `--import`, it makes an executor ask for a turn before each task and tell
 * the CPU time of its process over the task (`task-turns.ts`). In other processes it does nothing. The product knows
 * nothing of it.
 */

import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { isMainThread } from 'node:worker_threads'
import { TURNS_VARIABLE, type TaskCpu } from './task-turns.ts'

const port = Number(process.env[TURNS_VARIABLE])
const [, program = ''] = process.argv
if (isMainThread && /[\\/]executor[\\/]main\.js$/.test(program) && port > 0) await measureTasks()

async function measureTasks(): Promise<void> {
  const { TaskRunner } = await import('../../executor/task-runner.ts')
  const { prototype } = TaskRunner
  const { run } = prototype
  prototype.run = async function (task, spool, signal) {
    const turn = await ownTurn()
    const before = process.cpuUsage()
    try {
      return await run.call(this, task, spool, signal)
    } finally {
      const { user, system } = process.cpuUsage(before)
      const { queryId, stage, partition } = task
      const told: TaskCpu = { queryId, stage, partition, pid: process.pid, cpuMs: (user + system) / 1000 }
      turn.end(`${JSON.stringify(told)}\n`)
      await once(turn, 'close') // before the task's end is known: its figure is there when the query's is
    }
  }
}

async function ownTurn(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'data')
  socket.resume()
  return socket
}
