/**
 * Tasks of all executors of a cluster, one at a time: each asks here for its turn and tells at its end what CPU time
 * its process took meanwhile. So a task's figure is of that task alone, and as if its executor were a box of its own.
 * The executors' side is `task-cpu.ts`.
 */

import { createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { delay, systemClock } from '../../proto/clock.ts'

export interface TaskCpu {
  readonly queryId: string
  readonly stage: number
  readonly partition: number
  /** The process of its executor. */
  readonly pid: number
  readonly cpuMs: number
}

/** From the end of a query to its last task's figure. */
const TOLD_WITHIN_MS = 3_000
const LOOK_EVERY_MS = 5

/** Name of the variable that tells an executor where to ask. */
export const TURNS_VARIABLE = 'SKEIN_BENCH_TURNS'

export class TaskTurns {
  readonly #server: Server
  readonly #waiting: Socket[] = []
  readonly #sockets = new Set<Socket>()
  #running: Socket | undefined
  #ended: TaskCpu[] = []

  private constructor() {
    this.#server = createServer(socket => this.#add(socket))
  }

  static async open(): Promise<TaskTurns> {
    const turns = new TaskTurns()
    await new Promise<void>(resolve => { turns.#server.listen(0, '127.0.0.1', resolve) })
    return turns
  }

  /** For the processes of the cluster. */
  environment(): Readonly<Record<string, string>> {
    const { port } = this.#server.address() as AddressInfo
    const preload = new URL('./task-cpu.js', import.meta.url)
    if (!fileURLToPath(preload).endsWith('.js')) throw new Error('runs compiled only')
    return { [TURNS_VARIABLE]: String(port), NODE_OPTIONS: `--import=${preload.href}` }
  }

  /**
   * The `count` tasks of this query, once all have ended: the answer may be there before the last has. Undefined if
   * some do not tell, as when their executor was lost. They are forgotten here.
   */
  async take(queryId: string, count: number): Promise<TaskCpu[] | undefined> {
    const deadlineMs = systemClock.nowMs() + TOLD_WITHIN_MS
    for (;;) {
      const taken = this.#ended.filter(task => task.queryId === queryId)
      if (taken.length >= count || systemClock.nowMs() > deadlineMs) {
        this.#ended = this.#ended.filter(task => task.queryId !== queryId)
        return taken.length >= count ? taken : undefined
      }
      await delay(systemClock, LOOK_EVERY_MS)
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #add(socket: Socket): void {
    this.#sockets.add(socket)
    this.#waiting.push(socket)
    socket.on('error', () => undefined) // its end follows
    createInterface({ input: socket }).on('line', line => { this.#ended.push(JSON.parse(line) as TaskCpu) })
    socket.once('close', () => {
      this.#sockets.delete(socket)
      const at = this.#waiting.indexOf(socket)
      if (at !== -1) this.#waiting.splice(at, 1)
      if (this.#running === socket) this.#running = undefined
      this.#next()
    })
    this.#next()
  }

  #next(): void {
    if (this.#running !== undefined) return
    this.#running = this.#waiting.shift()
    this.#running?.write('go\n')
  }
}
