/**
 * Entry of the planner's process: a pool of threads that plan, and the channel to the parent.
 *
 * A planning cannot be interrupted: DuckDB folds constants past an interrupt and past its memory limit. So it happens
 * in a process that its parent can end. This main thread never plans, hence it always hears its parent and always sees
 * how much memory the process has.
 */

import type { MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { systemClock } from '../proto/clock.ts'
import { unreachable } from '../proto/errors.ts'
import { errorData, type FromProcess, type ProcessOptions, type Question, type ToProcess } from './messages.ts'
import type { Outcome, Pruning, Task } from './worker.ts'

/** How often memory is looked at while a thread works: it grows by at most some 100 MB in between. */
const MEMORY_LOOK_MS = 50
/** The parent counts from 1. */
const NO_QUESTION = 0

const options = JSON.parse(process.argv[2] ?? '{}') as ProcessOptions
const pool = new Piscina<Task, Outcome>({
  filename: new URL('./worker.js', import.meta.url).href,
  minThreads: options.threads, maxThreads: options.threads, workerData: options,
})
/** Questions at work. */
const asked = new Set<number>()
/** Those that wait for pruning, each with the way to its thread. */
const pruning = new Map<number, MessagePort>()
let isWatching = false

pool.on('message', ({ id, scans, port }: Pruning) => {
  pruning.set(id, port)
  say({ kind: 'prune', id, scans })
})
process.on('message', (message: ToProcess) => {
  switch (message.kind) {
    case 'ask': void ask(message.id, message.question); return
    case 'pruned': pruning.get(message.id)?.postMessage(message.outcome); return
    default: unreachable(message)
  }
})
// not `exit`: that waits for the threads' calls into DuckDB
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
warm().then(() => say({ kind: 'ready' }), () => process.exit(1))

/** A thread loads modules and opens its database at its first question: no statement's deadline is to pay for that. */
async function warm(): Promise<void> {
  const question: Question = { kind: 'names', sql: 'SELECT 1' }
  await Promise.all(Array.from({ length: options.threads }, () => pool.run({ id: NO_QUESTION, question })))
}

function say(message: FromProcess): void {
  process.send?.(message)
}

async function ask(id: number, question: Question): Promise<void> {
  asked.add(id)
  if (!isWatching) watchMemory()
  try {
    const outcome = await pool.run({ id, question })
    if ('error' in outcome) say({ kind: 'failed', id, error: outcome.error, residentBytes: process.memoryUsage.rss() })
    else say({ kind: 'answered', id, answer: outcome.answer, residentBytes: process.memoryUsage.rss() })
  } catch (thrown) {
    say({ kind: 'failed', id, error: errorData(thrown), residentBytes: process.memoryUsage.rss() })
  } finally {
    asked.delete(id)
    pruning.delete(id)
  }
}

function watchMemory(): void {
  isWatching = true
  systemClock.after(MEMORY_LOOK_MS, () => {
    const residentBytes = process.memoryUsage.rss()
    if (residentBytes > options.memoryLimitBytes) say({ kind: 'over-limit', residentBytes })
    isWatching = false
    if (asked.size > 0) watchMemory()
  })
}
