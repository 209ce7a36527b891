/** Streams of task events, and coordinators that are gone. */

import t from 'tap'
import type { TaskEventInit } from '../../executor/task-status.ts'
import { taskStatus } from '../../executor/task-status.ts'
import { Watchers } from '../../executor/watchers.ts'
import type { CoordinatorId, Incarnation, TaskId } from '../../proto/ids.ts'
import { HandClock } from './hand-clock.ts'

const c1 = 'c1' as CoordinatorId
const queued = (id: string) => taskStatus(id as TaskId, { state: 'queued', queuedAtMs: 0 }, [], false)
const running = (id: string) =>
  taskStatus(id as TaskId, { state: 'running', queuedMs: 0, startedAtMs: 0, fraction: 0 }, [], false)

function setUp() {
  const clock = new HandClock()
  const gone: string[] = []
  const watchers = new Watchers(clock, coordinator => gone.push(coordinator))
  const open = (incarnation: string, ids: readonly string[] = []) => {
    const controller = new AbortController()
    const seen: string[] = []
    const events = watchers.open(c1, incarnation as Incarnation, () => ids.map(queued), controller.signal)
    const reading = (async () => { for await (const event of events) seen.push(text(event)) })()
    return { seen, end: async () => { controller.abort(); await reading } }
  }
  return { clock, gone, watchers, open }
}

function text({ event }: TaskEventInit): string {
  return event?.case === 'status' ? `${event.value.taskId} ${event.value.state?.case}` : String(event?.case)
}

t.test('a stream begins with the last statuses, then carries changes, and beats each second', async t => {
  const { clock, watchers, open } = setUp()
  const stream = open('i1', ['q.0', 'q.1'])
  await clock.pass(0)
  watchers.publish(c1, running('q.0'))
  await clock.pass(2_500)
  t.strictSame(stream.seen, ['q.0 queued', 'q.1 queued', 'q.0 running', 'heartbeat', 'heartbeat'])
  await stream.end()
})

t.test('of several changes in wait only the last is sent', async t => {
  const { clock, watchers, open } = setUp()
  const stream = open('i1')
  await clock.pass(0)
  for (const status of [queued('q.0'), queued('q.1'), running('q.0')]) watchers.publish(c1, status)
  await clock.pass(0)
  t.strictSame(stream.seen, ['q.1 queued', 'q.0 running'])
  await stream.end()
})

t.test('a coordinator without a stream for ten seconds is gone, once', async t => {
  const { clock, gone, watchers, open } = setUp()
  watchers.expect(c1)
  await clock.pass(9_900)
  const stream = open('i1')
  await clock.pass(60_000)
  t.strictSame(gone, [], 'it watches')
  await stream.end()
  await clock.pass(9_900)
  t.strictSame(gone, [])
  await clock.pass(200)
  t.strictSame(gone, ['c1'])
  await clock.pass(60_000)
  t.strictSame(gone, ['c1'])
})

t.test('a coordinator that comes back as another process has lost its queries', async t => {
  const { clock, gone, open } = setUp()
  const streams = [open('i1')]
  await clock.pass(0)
  streams.push(open('i1'))
  await clock.pass(0)
  t.strictSame(gone, [])
  streams.push(open('i2'))
  await clock.pass(0)
  t.strictSame(gone, ['c1'])
  for (const stream of streams) await stream.end()
})
