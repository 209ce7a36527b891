/** Who is there, as everybody sees it: joining, changing, leaving, and who does not fit. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { MembershipView } from '../../cluster/membership.ts'
import { encodeExecutorInfo, executorInfo, WIRE_VERSION, type ExecutorInfoInit } from '../../proto/cluster-values.ts'
import { Simulation } from '../sim/simulation.ts'

const info = (id: string, incarnation: string, more: ExecutorInfoInit = {}) => encodeExecutorInfo(executorInfo({
  id, incarnation, address: `${id}:1`, slots: 2, duckdbVersion: 'v1.5.0', wireVersion: WIRE_VERSION, ...more,
}))

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
  /** Writes the entry of an executor, whatever it was. */
  const put = async (id: string, value: Uint8Array | null): Promise<void> => {
    const { revision = 0n } = await store.get(`members/${id}`) ?? {}
    await store.compareAndSwap(`members/${id}`, revision, value)
  }
  return { events, view, put }
}

t.test('members join, change, start anew and leave', async t => {
  const { put, events, view } = await cluster(t)
  await put('e1', info('e1', 'a'))
  await put('e1', info('e1', 'a', { state: 2 }))
  await put('e1', info('e1', 'b'))
  t.strictSame(view.members().map(({ incarnation }) => incarnation), ['b'])
  await put('e1', null)
  t.strictSame(events, ['joined e1/a', 'changed e1/a', 'left e1/a', 'joined e1/b', 'left e1/b'])
})

t.test('an executor with another DuckDB, or other calls, is refused, once', async t => {
  const { put, events, view } = await cluster(t)
  await put('e1', info('e1', 'a', { duckdbVersion: 'v1.4.0' }))
  await put('e2', info('e2', 'a'))
  await put('e3', info('e3', 'a', { wireVersion: WIRE_VERSION + 1 }))
  t.strictSame(events, ['refused e1/a', 'joined e2/a', 'refused e3/a'])
  t.strictSame(view.members().map(({ id }) => id), ['e2'])
})
