/** One stage as its executors and its query see it: where its tasks go, and when. */

import { create } from '@bufbuild/protobuf'
import t from 'tap'
import type { ExecutorMessage } from '../../coordinator/executor-actor.ts'
import type { ExecutorChannel } from '../../coordinator/executor-channel.ts'
import { memberKey, type Member } from '../../coordinator/member.ts'
import { MemoryLearner } from '../../coordinator/memory-learner.ts'
import { ELSEWHERE_WITHIN_MS, UNAVAILABLE_FOR_MS } from '../../coordinator/stage.ts'
import { StageActor } from '../../coordinator/stage-actor.ts'
import type { StageReport } from '../../coordinator/stage-message.ts'
import type { Fragment } from '../../planner/fragment.ts'
import { executorInfo } from '../../proto/cluster-values.ts'
import type { ErrorCode } from '../../proto/errors.ts'
import { TaskStatusSchema } from '../../proto/gen/executor_pb.js'
import type { ExecutorId, QueryId } from '../../proto/ids.ts'
import { Simulation } from '../sim/simulation.ts'

/** Real stores are waited for so long, and so long where it is known that they do not answer. */
const [PATIENCE_MS, DOWN_MS] = [6_500, 2_000]

const fragment: Fragment = {
  id: 0, sql: 'SELECT 1', columns: [], scans: [], inputs: [], restrictions: [], output: { kind: 'gather' },
  tasks: 'one', orderSensitive: false, maxRows: null, rows: 0, bytes: 0,
}

/** A stage of one task, everything that it did, and executors that do nothing by themselves. */
function staged(simulation: Simulation) {
  const launches: { readonly executor: string; readonly attempt: number; readonly atMs: number }[] = []
  const reports: StageReport[] = []
  const query = simulation.universe.spawn<StageReport>('query', { receive: report => { reports.push(report) } })
  const member = (id: string): Member => ({
    key: memberKey(id as ExecutorId, 'a', 1), id: id as ExecutorId,
    info: executorInfo({ id, incarnation: 'a', address: `${id}:1`, slots: 2 }),
    source: { executorId: id } as Member['source'],
    actor: simulation.universe.spawn<ExecutorMessage>(id, {
      receive: (message, context) => {
        if (message.kind !== 'launch') return
        launches.push({ executor: id, attempt: message.owner.attempt, atMs: context.nowMs() })
      },
    }),
    channel: {} as ExecutorChannel,
  })
  const work = {
    query: 'q1' as QueryId, sqlKind: 'emitted', columns: [], fragments: [fragment], tables: [], tablesRead: [],
    partitionCount: 1, memoryBytes: 0, group: { name: 'default', weight: 1 },
    request: {
      sql: 'SELECT 1', defaultCatalog: '', defaultSchema: '', settings: {}, principal: '', userAgent: null,
    },
  } as unknown as ConstructorParameters<typeof StageActor>[0]['work']
  const actor = new StageActor({
    work, fragment, tasks: [{ owner: null, splits: [], sizeBytes: 0 }], query, learner: new MemoryLearner(),
  })
  const address = simulation.universe.spawn('stage', actor)
  actor.begin(address)
  const failed = (attempt: number, code: ErrorCode): void => {
    const status = create(TaskStatusSchema, { state: { case: 'failed', value: { code, message: 'no answer' } } })
    address.send({ kind: 'task-status', partition: 0, attempt, status })
  }
  return { address, launches, reports, member, failed }
}

t.test('a task that failed is tried again, however early its timer fires and whatever a look takes', async t => {
  const stuck: number[] = []
  for (let seed = 0; seed < 200; seed++) {
    const simulation = new Simulation(seed, 1, 0.2)
    const { address, launches, member, failed } = staged(simulation)
    address.send({ kind: 'crew', members: [member('e1')] })
    address.send({ kind: 'inputs-ready', inputs: [] })
    await simulation.run(0)
    failed(0, 'EXECUTOR_FULL')
    await simulation.run(5_000)
    if (launches.length !== 2) stuck.push(seed)
    t.strictSame(simulation.crashes, [])
  }
  t.strictSame(stuck, [])
})

t.test('who has waited for a store in vain waits for another executor, and not twice on the same', async t => {
  const simulation = new Simulation(1)
  const { address, launches, member, failed } = staged(simulation)
  const [e1, e2] = [member('e1'), member('e2')]
  address.send({ kind: 'crew', members: [e1] })
  address.send({ kind: 'inputs-ready', inputs: [] })
  await simulation.run(PATIENCE_MS)
  failed(0, 'UNAVAILABLE')
  await simulation.run(ELSEWHERE_WITHIN_MS / 2)
  t.equal(launches.length, 1, 'the query has asked for another one')
  address.send({ kind: 'crew', members: [e1, e2] })
  await simulation.run(0)
  t.strictSame(launches.map(({ executor }) => executor), ['e1', 'e2'], 'at once')
  await simulation.run(PATIENCE_MS)
  failed(1, 'UNAVAILABLE')
  await simulation.run(0)
  t.ok(simulation.clock.nowMs() < 15_000)
})

t.test('with executors that come late, and others that know nothing, a store is waited for 15 s at most', async t => {
  const simulation = new Simulation(1)
  const { address, launches, reports, member, failed } = staged(simulation)
  const [e1, e2] = [member('e1'), member('e2')]
  address.send({ kind: 'crew', members: [e1] })
  address.send({ kind: 'inputs-ready', inputs: [] })
  const seen = new Set<string>()
  const isOver = (): boolean => reports.some(({ kind }) => kind === 'stage-failed')
  for (let attempt = 0; !isOver(); attempt++) {
    await simulation.run(UNAVAILABLE_FOR_MS, () => launches.length > attempt)
    const executor = launches[attempt]?.executor ?? ''
    await simulation.run(seen.has(executor) ? DOWN_MS : PATIENCE_MS)
    seen.add(executor)
    failed(attempt, 'UNAVAILABLE')
    await simulation.run(0)
    if (attempt === 1) address.send({ kind: 'crew', members: [e1, e2] })
  }
  t.strictSame(launches.map(({ executor }) => executor), ['e1', 'e1', 'e1'])
  t.ok(simulation.clock.nowMs() < 15_000, `${simulation.clock.nowMs()} ms`)
})
