/** One executor as the coordinator sees it, over a channel that the test holds. */

import { create } from '@bufbuild/protobuf'
import t from 'tap'
import { ExecutorActor, HEARTBEAT_MS, LOST_AFTER_MS, type TaskNews } from '../../coordinator/executor-actor.ts'
import type { ExecutorChannel } from '../../coordinator/executor-channel.ts'
import type { FleetMessage } from '../../coordinator/fleet-actor.ts'
import { executorInfo } from '../../proto/cluster-values.ts'
import { QueryError } from '../../proto/errors.ts'
import { TaskEventSchema, type TaskEvent } from '../../proto/gen/executor_pb.js'
import type { QueryId, TaskId } from '../../proto/ids.ts'
import { Simulation } from '../sim/simulation.ts'

const event = (init: Parameters<typeof create<typeof TaskEventSchema>>[1]): TaskEvent => create(TaskEventSchema, init)
const hello = event(
  { event: { case: 'hello', value: { executorId: 'e1', incarnation: 'a', source: { executorId: 'e1' } } } },
)
const heartbeat = event({ event: { case: 'heartbeat', value: {} } })
const ended = (taskId: string): TaskEvent =>
  event({ event: { case: 'status', value: { taskId, state: { case: 'succeeded', value: {} } } } })
const refused = new QueryError('UNAVAILABLE', 'connection refused')

function wordOf(news: TaskNews): string | undefined {
  switch (news.kind) {
    case 'task-status': return news.status.state.case
    case 'task-refused': return news.cause.code
  }
}

/** One executor actor with one slot, and everything that it did. */
function watched(overrides: Partial<ExecutorChannel> = {}) {
  const simulation = new Simulation(1)
  const [reports, calls, news]: [string[], string[], string[]] = [[], [], []]
  const streams: { event: (event: TaskEvent) => void; end: (reason: unknown) => void }[] = []
  const channel: ExecutorChannel = {
    address: 'e1:1',
    reserve: () => Promise.resolve(),
    launch: task => { calls.push(`launch ${task.taskId}`); return Promise.resolve() },
    cancel: task => { calls.push(`cancel ${task}`); return Promise.resolve() },
    removeOutputs: (query, tasks) => { calls.push(`remove ${query} ${tasks.join()}`); return Promise.resolve() },
    setDraining: () => Promise.resolve(),
    freeMemory: query => { calls.push(`free ${query}`); return Promise.resolve() },
    release: query => { calls.push(`release ${query}`); return Promise.resolve() },
    watch: (event, end) => { streams.push({ event, end }); return () => undefined },
    fetchResult: () => { throw new Error('not here') },
    close: () => { calls.push('close') },
    ...overrides,
  }
  const fleet = simulation.universe.spawn<FleetMessage>('fleet', {
    receive: message => { reports.push(message.kind === 'lost' ? `lost ${message.key}` : message.kind === 'alive'
      ? `alive ${message.member.key}` : message.kind) },
  })
  const stage = simulation.universe.spawn<TaskNews>('stage', {
    receive: message => { news.push(`${message.partition} ${wordOf(message)}`) },
  })
  const actor = new ExecutorActor(
    executorInfo({ id: 'e1', incarnation: 'a', address: 'e1:1', slots: 1 }), channel, fleet,
  )
  const address = simulation.universe.spawn('executor', actor)
  actor.begin(address)
  const launch = (query: string, partition: number): void => {
    const id = `${query}.0.${partition}.0` as TaskId
    address.send(
      { kind: 'launch', id, query: query as QueryId, task: { taskId: id }, owner: { stage, partition, attempt: 0 } },
    )
  }
  return { simulation, address, reports, calls, news, streams, launch }
}

t.test('an executor is lost after three missed heartbeats, and only once', async t => {
  const { simulation, reports, streams } = watched()
  await simulation.run(0)
  streams[0]?.event(hello)
  for (let i = 0; i < 5; i++) {
    await simulation.run(HEARTBEAT_MS)
    streams[0]?.event(heartbeat)
  }
  t.strictSame(reports, ['alive e1/a/1'])
  await simulation.run(LOST_AFTER_MS + HEARTBEAT_MS)
  t.strictSame(reports, ['alive e1/a/1', 'lost e1/a/1'])
  await simulation.run(60 * HEARTBEAT_MS)
  t.equal(reports.length, 2)
})

t.test('a broken stream that opens again loses nothing; one that is refused is lost at once', async t => {
  const { simulation, reports, streams } = watched()
  await simulation.run(0)
  streams[0]?.event(hello)
  streams[0]?.end(refused)
  await simulation.run(10)
  streams[1]?.event(hello)
  await simulation.run(10)
  t.strictSame(reports, ['alive e1/a/1'])
  streams[1]?.end(refused)
  await simulation.run(1)
  streams[2]?.end(refused)
  await simulation.run(1)
  t.strictSame(reports, ['alive e1/a/1', 'lost e1/a/1'])
  t.ok(simulation.clock.nowMs() < 100)
})

t.test('an executor that comes back is another member', async t => {
  const { simulation, reports, streams } = watched()
  await simulation.run(0)
  streams[0]?.event(hello)
  await simulation.run(2 * LOST_AFTER_MS)
  streams.at(-1)?.event(hello)
  await simulation.run(0)
  t.strictSame(reports, ['alive e1/a/1', 'lost e1/a/1', 'alive e1/a/2'])
})

t.test('another process at the address is not the executor', async t => {
  const { simulation, reports, streams } = watched()
  await simulation.run(0)
  streams[0]?.event(event({ event: { case: 'hello', value: { executorId: 'e1', incarnation: 'b', source: {} } } }))
  await simulation.run(10_000)
  t.strictSame(reports, [])
})

t.test('of each query two tasks a slot are under way, the rest follows as they end', async t => {
  const { simulation, calls, streams, launch } = watched()
  await simulation.run(0)
  streams[0]?.event(hello)
  for (const [query, partition] of [['a', 0], ['a', 1], ['a', 2], ['a', 3], ['b', 0]] as const) launch(query, partition)
  await simulation.run(0)
  t.strictSame(calls, ['launch a.0.0.0', 'launch a.0.1.0', 'launch b.0.0.0'])
  streams[0]?.event(ended('a.0.0.0'))
  streams[0]?.event(ended('a.0.1.0'))
  await simulation.run(0)
  t.strictSame(calls.slice(3).sort(), ['launch a.0.2.0', 'launch a.0.3.0'])
})

t.test('a refused launch is told with its reason, a status to whoever launched', async t => {
  let answers = 0
  const { simulation, news, streams, launch } = watched({
    launch: () => answers++ === 0 ? Promise.reject(new QueryError('EXECUTOR_FULL', 'no room')) : Promise.resolve(),
  })
  await simulation.run(0)
  streams[0]?.event(hello)
  launch('a', 0)
  await simulation.run(0)
  launch('a', 1)
  await simulation.run(0)
  streams[0]?.event(ended('a.0.1.0'))
  streams[0]?.event(ended('a.0.1.0'))
  await simulation.run(0)
  t.strictSame(news, ['0 EXECUTOR_FULL', '1 succeeded'])
})

t.test('a launch whose answer is lost is none that was refused, once its task has been heard of', async t => {
  const answers: ((reason: unknown) => void)[] = []
  const { simulation, news, streams, launch } = watched({
    launch: () => new Promise((_, reject) => { answers.push(reject) }),
  })
  await simulation.run(0)
  streams[0]?.event(hello)
  for (const partition of [0, 1]) launch('a', partition)
  await simulation.run(0)
  const state = { case: 'running', value: {} } as const
  streams[0]?.event(event({ event: { case: 'status', value: { taskId: 'a.0.0.0', state } } }))
  await simulation.run(0)
  for (const answer of answers) answer(new QueryError('DEADLINE_EXCEEDED', 'no answer'))
  await simulation.run(0)
  streams[0]?.event(ended('a.0.0.0'))
  await simulation.run(0)
  t.strictSame(news, ['0 running', '1 DEADLINE_EXCEEDED', '0 succeeded'])
})

t.test('a cancelled task gives its room to the next', async t => {
  const { simulation, address, calls, news, streams, launch } = watched()
  await simulation.run(0)
  streams[0]?.event(hello)
  for (const partition of [0, 1, 2, 3]) launch('a', partition)
  await simulation.run(0)
  address.send({ kind: 'cancel', id: 'a.0.0.0' as TaskId })
  address.send({ kind: 'cancel', id: 'a.0.2.0' as TaskId })
  await simulation.run(0)
  t.strictSame(calls, ['launch a.0.0.0', 'launch a.0.1.0', 'cancel a.0.0.0', 'launch a.0.3.0'])
  streams[0]?.event(ended('a.0.0.0'))
  await simulation.run(0)
  t.strictSame(news, [], 'nobody wants to know')
})

t.test('a launch that comes after the release of its query takes no room', async t => {
  const { simulation, address, calls, news, streams, launch } = watched()
  await simulation.run(0)
  streams[0]?.event(hello)
  address.send({ kind: 'release', keep: [], query: 'a' as QueryId })
  for (const partition of [0, 1, 2]) launch('a', partition)
  launch('b', 0)
  await simulation.run(0)
  t.strictSame(calls, ['release a', 'launch b.0.0.0'])
  t.strictSame(news, ['0 CANCELLED', '1 CANCELLED', '2 CANCELLED'])
})

t.test('a release is repeated until it is confirmed, also when the executor was lost meanwhile', async t => {
  let tries = 0
  const { simulation, address, streams } = watched(
    { release: () => ++tries < 4 ? Promise.reject(refused) : Promise.resolve() },
  )
  await simulation.run(0)
  streams[0]?.event(hello)
  address.send({ kind: 'release', keep: [], query: 'a' as QueryId })
  await simulation.run(2_500)
  t.equal(tries, 3)
  await simulation.run(10_000)
  t.equal(tries, 3, 'it is lost')
  streams.at(-1)?.event(hello)
  await simulation.run(0)
  t.equal(tries, 4)
})
