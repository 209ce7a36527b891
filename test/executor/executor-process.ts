/** A real executor process, with a metadata store in the test for it to register in. */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { addStoreService } from '../../cluster/store-server.ts'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { systemClock } from '../../proto/clock.ts'
import { ExecutorService, type TaskEvent, type TaskStatus } from '../../proto/gen/executor_pb.js'
import { GrpcChannel, type ServiceClient } from '../../proto/grpc-channel.ts'
import { GrpcServer } from '../../proto/grpc-server.ts'
import type { ExecutorLaunch, Ready } from '../../proto/launch.ts'

export const SECRET = 'the secret of this test'

/** Compiled beside this file, or under a loader that runs sources. */
const compiled = fileURLToPath(new URL('../../executor/main.js', import.meta.url))
const entry = existsSync(compiled) ? [compiled] : ['--import', 'tsx', compiled.replace(/\.js$/, '.ts')]

export async function startStore(t: Test, folder: string): Promise<{ store: EmbeddedStore; address: string }> {
  const store = await EmbeddedStore.open(join(folder, 'store'), systemClock)
  const server = new GrpcServer({ authenticate: () => undefined })
  addStoreService(server, store)
  const port = await server.listen('127.0.0.1', 0)
  t.teardown(async () => {
    server.close()
    await store.close()
  })
  return { store, address: `127.0.0.1:${port}` }
}

export interface ExecutorProcess {
  readonly answer: Ready
  readonly process: ChildProcess
  /** How it ended. */
  readonly ended: Promise<number | null>
}

export async function startProcess(t: Test, launch: ExecutorLaunch): Promise<ExecutorProcess> {
  const child = spawn(process.execPath, entry, {
    stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, UV_THREADPOOL_SIZE: '16', SKEIN_LOG_LEVEL: 'debug' },
  })
  const ended = new Promise<number | null>(resolve => { child.once('exit', resolve) })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  child.stdin.on('error', () => undefined)
  child.stdin.write(`${JSON.stringify(launch)}\n`)
  const line = new Promise<string>(resolve => { createInterface({ input: child.stdout }).once('line', resolve) })
  return { answer: JSON.parse(await line) as Ready, process: child, ended }
}

export function launchOf(
  folder: string, name: string, storeAddress: string, more: Partial<ExecutorLaunch> = {},
): ExecutorLaunch {
  mkdirSync(join(folder, 'lake'), { recursive: true })
  return {
    role: 'executor', dataDir: join(folder, name), listen: '127.0.0.1:0',
    store: { kind: 'remote', secret: SECRET, address: storeAddress }, storeGraceMs: 60_000, drainMs: 0,
    buckets: { lake: { provider: 'local', path: join(folder, 'lake') } }, threads: 2, slots: 2, memoryBytes: 1 << 30,
    spillBytes: 1 << 30, cacheBytes: 1 << 30, labels: { site: 'a' }, ...more,
  }
}

export function client(t: Test, address: string, secret = SECRET): ServiceClient<typeof ExecutorService> {
  const channel = new GrpcChannel(address, { authorization: `Bearer ${secret}` })
  t.teardown(() => channel.close())
  return channel.service(ExecutorService)
}

/** Keeps the last status of every task that a watch stream tells of. */
export class Watch {
  readonly #statuses = new Map<string, TaskStatus>()
  readonly #controller = new AbortController()
  readonly #first: Promise<TaskEvent>
  #changed = (): void => undefined

  constructor(t: Test, service: ServiceClient<typeof ExecutorService>, coordinatorId = 'c1', incarnation = 'i1') {
    t.teardown(() => this.close())
    this.#first = new Promise((resolve, reject) => {
      const events = service.watchTasks({ coordinatorId, incarnation }, { signal: this.#controller.signal })
      this.#read(events, resolve).catch(reject)
    })
  }

  hello(): Promise<TaskEvent> {
    return this.#first
  }

  /** The end of a task. */
  async end(taskId: string): Promise<TaskStatus['state']> {
    for (;;) {
      const state = this.#statuses.get(taskId)?.state
      if (state?.case === 'succeeded' || state?.case === 'failed') return state
      await new Promise<void>(resolve => { this.#changed = resolve })
    }
  }

  close(): void {
    this.#controller.abort()
  }

  async #read(events: AsyncIterable<TaskEvent>, first: (event: TaskEvent) => void): Promise<void> {
    for await (const event of events) {
      first(event)
      if (event.event.case !== 'status') continue
      this.#statuses.set(event.event.value.taskId, event.event.value)
      this.#changed()
    }
  }
}
