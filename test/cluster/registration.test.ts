/** The entry in the cluster: kept alive, made again, and what happens while the store is away. */

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { Registration, type RegistrationOptions } from '../../cluster/registration.ts'
import type { Lease, MetadataStore } from '../../cluster/store.ts'
import { HandClock } from '../executor/hand-clock.ts'
import { temporaryFolder } from '../executor/workbench.ts'

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
  const members = async () => {
    const { entries } = await store.inner.list('members/')
    return entries.map(({ value }) => Buffer.from(value).toString())
  }
  const told: string[] = []
  const start = (more: Partial<RegistrationOptions> = {}) => Registration.start({
    store, clock, key: 'members/e1', name: 'executor e1', graceMs: 60_000, value: () => Buffer.from('e1'),
    onLost: () => { told.push('lost') }, onUsurped: ({ message }) => told.push(message),
    onReach: reason => told.push(reason === null ? 'back' : 'away'), ...more,
  })
  /** Its journal is on a real disk, which takes time of its own. */
  const passUntil = async (holds: () => boolean | Promise<boolean>) => {
    for (let i = 0; i < 10_000 && !await holds(); i++) await clock.pass(0)
  }
  return { clock, store, start, members, told, passUntil }
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
  const { clock, store, start, members, told, passUntil } = await setUp(t)
  await store.inner.compareAndSwap('members/e1', 0n, Buffer.from('of an earlier process'))
  let incarnation = 1
  const registration = await start({
    value: () => Buffer.from(`e1/${incarnation}`), onLost: () => { told.push('lost'); incarnation++ },
  })
  await store.endLeases()
  t.strictSame(await members(), [])
  await clock.pass(5_000)
  await passUntil(async () => (await members()).length > 0)
  t.strictSame(await members(), ['e1/2'])
  t.strictSame(told, ['lost'])
  await registration.stop()
})

t.test('without the store new work is taken for a minute, and again when it is back', async t => {
  const { clock, store, start, told, passUntil } = await setUp(t)
  const registration = await start()
  store.away = true
  await clock.pass(60_000)
  registration.check()
  await clock.pass(10_000)
  t.throws(() => registration.check(), { code: 'UNAVAILABLE' })
  store.away = false
  await clock.pass(5_000)
  await passUntil(() => refusal(registration) === null)
  t.equal(refusal(registration), null)
  t.equal(told[0], 'away')
  t.equal(told.filter(what => what === 'back').length, 1)
  await registration.stop()
})

t.test('an entry of another living process is left to it', async t => {
  const { store, start, members } = await setUp(t)
  await store.inner.compareAndSwap('members/e1', 0n, Buffer.from('of another'))
  await t.rejects(start({ isAlive: ({ value }) => Promise.resolve(Buffer.from(value).toString() === 'of another') }),
    { name: 'QueryError', code: 'INVALID_CONFIG', message: /another process is executor e1/ })
  t.strictSame(await members(), ['of another'])
})

t.test('whose entry another process has taken, is told once, and takes no work', async t => {
  const { clock, store, start, members, told, passUntil } = await setUp(t)
  const registration = await start()
  const { revision = 0n } = await store.inner.get('members/e1') ?? {}
  await store.inner.compareAndSwap('members/e1', revision, Buffer.from('of another'))
  await clock.pass(5_000)
  await passUntil(() => told.length > 0)
  await clock.pass(60_000)
  t.match(told, [/another process is executor e1/])
  t.equal(told.length, 1)
  t.not(refusal(registration), null)
  t.strictSame(await members(), ['of another'])
})

t.test('an entry that was removed, as by a restore of the store, is written again', async t => {
  const { clock, store, start, members, told, passUntil } = await setUp(t)
  const registration = await start()
  const { revision = 0n } = await store.inner.get('members/e1') ?? {}
  await store.inner.compareAndSwap('members/e1', revision, null)
  await clock.pass(5_000)
  await passUntil(async () => (await members()).length > 0)
  t.strictSame([await members(), told], [['e1'], []])
  await registration.stop()
})

t.test('a change is written at once, or, without an answer, when the store is back', async t => {
  const { clock, store, start, members, passUntil } = await setUp(t)
  let state = 'active'
  const registration = await start({ value: () => Buffer.from(state) })
  state = 'draining'
  await registration.update()
  t.strictSame(await members(), ['draining'])
  state = 'active'
  store.away = true
  await t.rejects(registration.update())
  store.away = false
  await clock.pass(3_000)
  await passUntil(async () => (await members()).join() === 'active')
  t.strictSame(await members(), ['active'])
  await registration.stop()
})
