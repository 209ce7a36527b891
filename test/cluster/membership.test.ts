/** Who is there: joining, changing, leaving, and the fence of one's own clock. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { MembershipView, Registration } from '../../cluster/membership.ts'
import type { MetadataStore } from '../../cluster/store.ts'
import { executorInfo } from '../../proto/cluster-values.ts'
import { Simulation } from '../sim/simulation.ts'

const info = (id: string, incarnation: string, duckdbVersion = 'v1.5.0') =>
  executorInfo({ id, incarnation, address: `${id}:1`, slots: 2, duckdbVersion })

async function cluster(t: Test) {
  const path = await mkdtemp(join(tmpdir(), 'skein-members-'))
  const simulation = new Simulation(1)
  const store = await EmbeddedStore.open(join(path, 'journal'), simulation.clock)
  const events: string[] = []
  const view = new MembershipView({
    store, clock: simulation.clock, duckdbVersion: 'v1.5.0',
    onEvent: ({ kind, info }) => events.push(`${kind} ${info.id}/${info.incarnation}`),
  })
  await view.start()
  t.teardown(async () => {
    view.close()
    await store.close()
    await rm(path, { recursive: true })
  })
  /** Lets time go by in steps in which the journal keeps up. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      await simulation.run(500)
      await store.grantLease(60_000)
    }
  }
  return { simulation, store, events, view, pass }
}

const quiet = { onLost: () => undefined }

t.test('members join, change, start anew and leave', async t => {
  const { store, simulation: { clock }, events, view } = await cluster(t)
  const first = await Registration.register({ store, clock, info: info('e1', 'a'), ...quiet })
  await first.update({ ...info('e1', 'a'), state: 2 })
  const second = await Registration.register({ store, clock, info: info('e1', 'b'), ...quiet })
  t.strictSame(view.members().map(({ incarnation }) => incarnation), ['b'])
  await first.close()
  t.equal(view.members().length, 1, 'the end of an older start takes nothing from the newer one')
  await second.close()
  t.strictSame(events, ['joined e1/a', 'changed e1/a', 'left e1/a', 'joined e1/b', 'left e1/b'])
})

t.test('an executor with another DuckDB is refused, once', async t => {
  const { store, simulation: { clock }, events, view } = await cluster(t)
  await Registration.register({ store, clock, info: info('e1', 'a', 'v1.4.0'), ...quiet })
  await Registration.register({ store, clock, info: info('e2', 'a'), ...quiet })
  t.strictSame(events, ['refused e1/a', 'joined e2/a'])
  t.strictSame(view.members().map(({ id }) => id), ['e2'])
})

t.test('a registration is kept alive, and fences itself before the others see it go', async t => {
  const { store, simulation: { clock }, events, pass } = await cluster(t)
  let away = false
  const flaky: MetadataStore = new Proxy(store, {
    get: (target, name: Exclude<keyof MetadataStore, 'compact'>) => name === 'keepAlive' && away
      ? () => Promise.reject(new Error('away')) : target[name].bind(target),
  })
  let lost = 0
  const registration = await Registration.register(
    { store: flaky, clock, info: info('e1', 'a'), onLost: () => { lost++ } },
  )
  await pass(60_000)
  t.equal(registration.fenced(), false)
  away = true
  await pass(8_000)
  t.equal(registration.fenced(), true)
  t.strictSame(events, ['joined e1/a'], 'the lease still runs')
  await pass(5_000)
  t.strictSame(events, ['joined e1/a', 'left e1/a'])
  away = false
  await pass(5_000)
  t.equal(lost, 1)
  t.equal(registration.fenced(), true, 'for ever')
})
