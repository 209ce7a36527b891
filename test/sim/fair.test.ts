/** Who gets the slots, over many seeds, with the coordinator and the executors' queues as they are. */

import t from 'tap'
import { MOST_ABOVE_SLOTS } from '../../executor/task-queue.ts'
import type { PlannedQuery } from '../../planner/planned-query.ts'
import { DEFAULT_GROUP, type ResourceGroup } from '../../proto/resource-group.ts'
import { noFaults, SimulatedCluster } from './cluster.ts'
import { ENDLESS } from './fake-executor.ts'
import { seedsOf } from './seeds.ts'

const all = seedsOf(process.env, '60')
/** These runs are long. */
const seeds = all.slice(0, Math.ceil(all.length / 20))

const group = (name: string, weight: number): ResourceGroup =>
  ({ ...DEFAULT_GROUP, name, weight, users: [`${name}-*`] })

function endless(planned: PlannedQuery): PlannedQuery {
  return { ...planned, fragments: planned.fragments.map(fragment => ({ ...fragment, sql: ENDLESS })) }
}

t.test('queries that never end keep no other query waiting', async t => {
  const found: string[] = []
  for (const seed of seeds) {
    const cluster = new SimulatedCluster(
      seed, { executors: 1 + seed % 3, faults: noFaults, holdBytes: 1_000_000, slots: 1 + seed % 2 },
    )
    const { simulation } = cluster
    for (let i = 0; i < 4; i++) cluster.submit(endless(cluster.randomQuery()), { user: 'eve' })
    await simulation.run(5_000)
    for (let i = 0; i < 4; i++) {
      const query = cluster.submit(undefined, { user: 'ann' })
      await simulation.run(30_000, () => query.state() === 'finished')
      if (query.state() !== 'finished') found.push(`SEED=${seed}: ${query.id} is ${query.state()} after 30 s`)
    }
    cluster.service.close('the test is over')
    await simulation.run(30_000)
    found.push(...cluster.executors.flatMap(one => one.leftovers()).map(text => `SEED=${seed}: ${text}`))
    found.push(...simulation.crashes.map(String))
  }
  t.strictSame(found, [])
})

const LOAD_MS = 60_000

t.test('groups that all want more have slot time by their weights, within 15 %', async t => {
  const found: string[] = []
  for (const seed of seeds) {
    const cluster = new SimulatedCluster(seed, {
      executors: 2, faults: noFaults, holdBytes: 1_000_000, slots: 2,
      groups: [group('bi', 3), group('etl', 1), DEFAULT_GROUP],
    })
    const { simulation } = cluster
    const load = async (user: string): Promise<void> => {
      while (simulation.clock.nowMs() < LOAD_MS) {
        const query = cluster.submit(undefined, { user })
        for await (const frame of query.frames()) void frame
        query.release()
      }
    }
    for (let i = 0; i < 24; i++) for (const user of [`bi-${i % 3}`, 'etl-a']) void load(user)
    await simulation.run(LOAD_MS)
    const used = (name: string): number => cluster.executors.reduce((sum, one) => sum + (one.usedMs.get(name) ?? 0), 0)
    const total = used('bi') + used('etl')
    const most = 2 * (2 + MOST_ABOVE_SLOTS) * LOAD_MS
    if (total > most) found.push(`SEED=${seed}: ${Math.round(total)} ms of slots that have ${most}`)
    const share = used('bi') / total
    if (Math.abs(share - 0.75) > 0.15 * 0.75) found.push(`SEED=${seed}: the share of 3 of 4 is ${share.toFixed(2)}`)
    found.push(...simulation.crashes.map(String))
  }
  t.strictSame(found, [])
})
