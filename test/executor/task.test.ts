/** The life of a task: every state against every event. */

import t from 'tap'
import { advance, type Task, type TaskEvent } from '../../executor/task.ts'
import { QueryError } from '../../proto/errors.ts'

const cause = new QueryError('OUT_OF_MEMORY', 'too much')
const stats = {
  rowCount: 1, outputBytes: 1, bytesFetched: 0, bytesCached: 0, exchangeBytes: 0, peakBytes: 0, spilled: false,
  cpuMs: 0,
}

const tasks: readonly Task[] = [
  { state: 'queued', queuedAtMs: 10 },
  { state: 'running', queuedMs: 5, startedAtMs: 15, fraction: 0.5 },
  { state: 'cancelling', cause: new QueryError('CANCELLED', 'x') },
  { state: 'succeeded', files: [], sample: [], stats, queuedMs: 5, runMs: 5 },
  { state: 'failed', cause, lostExecutors: [] },
]
const events: readonly TaskEvent[] = [
  { kind: 'started', nowMs: 15 },
  { kind: 'succeeded', nowMs: 20, files: [], sample: [], stats },
  { kind: 'failed', cause, lostExecutors: [] },
  { kind: 'cancelled', reason: 'unwanted' },
  { kind: 'progressed', fraction: 0.4 },
]
/** A new state or event must add its row or column. */
const expected = [
  // started    succeeded    failed       cancelled     progressed
  ['running',   'bug',       'failed',    'failed',     'bug'],        // queued
  ['bug',       'succeeded', 'failed',    'cancelling', 'running'],    // running
  ['bug',       'failed',    'failed',    'cancelling', 'cancelling'], // cancelling
  ['succeeded', 'succeeded', 'succeeded', 'succeeded',  'succeeded'],  // succeeded
  ['failed',    'failed',    'failed',    'failed',     'failed'],     // failed
]

t.test('every task takes every event as the table says', async t => {
  const actual = tasks.map(task => events.map(event => {
    try {
      return advance(task, event).state
    } catch {
      return 'bug'
    }
  }))
  t.strictSame(actual, expected)
})

t.test('progress never goes back', async t => {
  const [, running] = tasks
  if (running === undefined) throw new Error('no running task')
  t.equal(advance(running, { kind: 'progressed', fraction: 0.4 }), running)
  t.match(advance(running, { kind: 'progressed', fraction: 0.6 }), { fraction: 0.6 })
})

t.test('times are those in the queue and on DuckDB', async t => {
  const done = events.slice(0, 2).reduce(advance, { state: 'queued', queuedAtMs: 10 } as Task)
  t.match(done, { state: 'succeeded', queuedMs: 5, runMs: 5 })
})

t.test('a task cancelled while it ran is CANCELLED, however it ends', async t => {
  const [, running] = tasks
  if (running === undefined) throw new Error('no running task')
  const cancelled = advance(running, { kind: 'cancelled', reason: 'unwanted' })
  const cause = { code: 'CANCELLED', message: 'unwanted' }
  for (const event of events.slice(1, 3)) t.match(advance(cancelled, event), { cause })
})
