/** The entry in the cluster: kept alive, made again, and what happens while the store is away. */

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Registration } from '../../executor/registration.ts'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import type { Lease, MetadataStore } from '../../cluster/store.ts'
import { decodeExecutorInfo, executorInfo } from '../../proto/cluster-values.ts'
import { HandClock } from './hand-clock.ts'
import { temporaryFolder } from './workbench.ts'

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** A real store that can be put away, and whose leases can be ended. */
class FlakyStore implements MetadataStore {
  readonly inner: EmbeddedStore
  away = false
  leases: Lease[] = []
  readonly #ended = new Set<bigint>()

  constructor(inner: EmbeddedStore) {
    this.inner = inner
  }

  async endLeases(): Promise<void> {
    for (const lease of this.leases) {
      this.#ended.add(lease.leaseId)
      await this.inner.revokeLease(lease)
    }
  }

  get: MetadataStore['get'] = key => this.#ask(() => this.inner.get(key))
  list: MetadataStore['list'] = prefix => this.#ask(() => this.inner.list(prefix))
  compareAndSwap: MetadataStore['compareAndSwap'] = (...args) => this.#ask(() => this.inner.compareAndSwap(...args))
  keepAlive: MetadataStore['keepAlive'] = lease =>
    this.#ask(async () => !this.#ended.has(lease.leaseId) && this.inner.keepAlive(lease))
  revokeLease: MetadataStore['revokeLease'] = lease => this.#ask(() => this.inner.revokeLease(lease))
  watch: MetadataStore['watch'] = (...args) => this.inner.watch(...args)
  close: MetadataStore['close'] = () => this.inner.close()
  grantLease: MetadataStore['grantLease'] = ttlMs => this.#ask(async () => {
    const lease = await this.inner.grantLease(ttlMs)
    this.leases.push(lease)
    return lease
  })

  async #ask<T>(answer: () => Promise<T>): Promise<T> {
    if (this.away) throw new Error('the store is away')
    return answer()
  }
}

/** Why new work is refused; null: it is not. */
function refusal(registration: Registration): unknown {
  try {
    registration.check()
    return null
  } catch (error) {
    return error
  }
}

async function setUp(t: Test) {
  const clock = new HandClock()
  const store = new FlakyStore(await EmbeddedStore.open(join(temporaryFolder(t), 'store'), clock))
  t.teardown(() => store.close())
  const info = executorInfo({ id: 'e1', incarnation: 'i1', address: 'here:1' })
  const members = async () => {
    const { entries } = await store.inner.list('members/')
    return entries.map(({ value }) => decodeExecutorInfo(value)?.id)
  }
  const start = (incarnation = 'i1') =>
    Registration.start({ store, clock, log: quiet, info: { ...info, incarnation } })
  return { clock, store, start, members }
}

t.test('the entry lives as long as the executor, and goes with it', async t => {
  const { clock, start, members } = await setUp(t)
  const registration = await start()
  await clock.pass(60_000)
  t.strictSame(await members(), ['e1'])
  registration.check()
  await registration.stop()
  t.strictSame(await members(), [])
  t.throws(() => registration.check(), { code: 'UNAVAILABLE' })
})

t.test('a lost lease is replaced, and so is the entry of an earlier process', async t => {
  const { clock, store, start, members } = await setUp(t)
  await store.inner.compareAndSwap('members/e1', 0n, Buffer.from('of an earlier process'))
  const registration = await start()
  await store.endLeases()
  t.strictSame(await members(), [])
  await clock.pass(5_000)
  while ((await members()).length === 0) await clock.pass(0) // its journal is on a real disk
  t.strictSame(await members(), ['e1'])
  await registration.stop()
})

t.test('without the store new work is taken for a minute, and again when it is back', async t => {
  const { clock, store, start } = await setUp(t)
  const registration = await start()
  store.away = true
  await clock.pass(60_000)
  registration.check()
  await clock.pass(10_000)
  t.throws(() => registration.check(), { code: 'UNAVAILABLE' })
  store.away = false
  await clock.pass(5_000)
  while (refusal(registration) !== null) await clock.pass(0) // the store's journal is on a real disk
  t.pass('it does again')
  await registration.stop()
})
