/** The contract of a store, on a real etcd, and what becomes of it when members die, hang and forget. */

import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { EtcdStore, PING_MS } from '../../cluster/etcd-store.ts'
import type { Change } from '../../cluster/store.ts'
import { delay, systemClock } from '../../proto/clock.ts'
import { EtcdServers, haveEtcd } from '../etcd-server.ts'
import { TcpProxy } from '../tcp-proxy.ts'
import { storeContract } from './store-contract.ts'
import { until as untilHolds } from './watch.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const have = haveEtcd(t)

function open(hosts: readonly string[], prefix: string): EtcdStore {
  return new EtcdStore({ hosts, prefix, clock: systemClock, writer: randomUUID() })
}

if (have) {
  void t.test('a store on etcd keeps the contract', async t => {
    const etcd = await EtcdServers.start(1)
    t.teardown(() => etcd.stop())
    let clusters = 0
    storeContract(t, () => {
      const store = open(etcd.hosts, `c${clusters++}/`)
      return Promise.resolve({ store, pass: ms => delay(systemClock, ms), close: () => store.close(), ttlMs: 2_000 })
    })
    await Promise.resolve()
  })

  void t.test('a list of many pages is of one revision, and complete', async t => {
    const { store } = await one(t)
    for (let i = 0; i < 600; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, j) => store.compareAndSwap(key(i + j), 0n, bytes('x'))))
    }
    const { entries } = await store.list('p/')
    t.strictSame(entries.map(({ key }) => key), Array.from({ length: 600 }, (_, i) => key(i)))
  })

  void t.test('a watch from before what is kept is told, and so is one of a dead member', async t => {
    const { store, etcd } = await one(t)
    const first = await store.compareAndSwap('p/a', 0n, bytes('1')) ?? 0n
    const second = await store.compareAndSwap('p/a', first, bytes('2')) ?? 0n
    await store.compact(second)
    const told: unknown[] = []
    store.watch('p/', first - 1n, () => undefined, reason => told.push(reason))
    await until(() => told.length > 0)
    t.match(told, [{ name: 'QueryError', code: 'NOT_FOUND' }])
    store.watch('p/', second, () => undefined, reason => told.push(reason))
    await store.get('p/a')
    await etcd.kill(0)
    await until(() => told.length > 1)
    t.match(told[1], { name: 'QueryError', code: 'UNAVAILABLE' })
  })

  void t.test('neither keepalives nor the end of a watch, nor time, break another watch', async t => {
    const { store } = await one(t)
    const told: unknown[] = []
    let seen = 0
    store.watch('a', 0n, changes => { seen += changes.length }, reason => told.push(reason))
    const lease = await store.grantLease(60_000)
    for (let i = 0; i < 5; i++) {
      await store.keepAlive(lease)
      const end = store.watch('b', 0n, () => undefined, () => undefined)
      await store.compareAndSwap(`b${i}`, 0n, bytes('1'))
      end()
    }
    await delay(systemClock, 2 * PING_MS + 1_000)
    await store.compareAndSwap('a', 0n, bytes('1'))
    await until(() => seen === 1)
    t.strictSame(told, [])
  })

  void t.test('a value that another program wrote is read as it is', async t => {
    const { store, etcd } = await one(t)
    const other = open(etcd.hosts, '')
    t.teardown(() => other.close())
    await other.compareAndSwap('cluster/p/a', 0n, bytes('plain'))
    t.equal(new TextDecoder().decode((await store.get('p/a'))?.value), 'plain')
  })

  void t.test('a swap whose answer was lost knows that it was done', async t => {
    const { store, proxy, direct } = await behindProxy(t)
    const first = await store.compareAndSwap('a', 0n, bytes('1')) ?? 0n
    proxy.cut = 'answers'
    const swap = store.compareAndSwap('a', first, bytes('2'))
    await until(async () => await valueOf(direct, 'a') === '2')
    proxy.cut = 'none'
    proxy.breakAll()
    t.equal(await swap, (await direct.get('a'))?.revision)
    proxy.cut = 'answers'
    const removed = store.compareAndSwap('a', await swap ?? 0n, null)
    await until(async () => await direct.get('a') === null)
    proxy.cut = 'none'
    proxy.breakAll()
    t.type(await removed, 'bigint')
  })

  void t.test('a swap that others have written over since says that it does not know', async t => {
    const { store, proxy, direct } = await behindProxy(t)
    t.equal(await store.get('a'), null)
    proxy.cut = 'answers'
    const swap = store.compareAndSwap('a', 0n, bytes('1'))
    swap.catch(() => undefined)
    await until(async () => await valueOf(direct, 'a') === '1')
    await direct.compareAndSwap('a', (await direct.get('a'))?.revision ?? 0n, bytes('another'))
    proxy.cut = 'none'
    proxy.breakAll()
    await t.rejects(swap, { name: 'QueryError', code: 'UNAVAILABLE' })
  })

  void t.test('without an answer a call fails in bounded time, a watch is told, and both come back', async t => {
    const { store, proxy } = await behindProxy(t)
    const told: unknown[] = []
    await store.compareAndSwap('a', 0n, bytes('1'))
    store.watch('a', 0n, () => undefined, reason => told.push(reason))
    const lease = await store.grantLease(60_000)
    proxy.cut = 'both'
    const startedMs = systemClock.nowMs()
    await t.rejects(store.keepAlive(lease), { code: 'UNAVAILABLE' })
    t.ok(systemClock.nowMs() - startedMs < 5_000, 'a keepalive gives up within half of a lease')
    await t.rejects(store.get('a'), { code: 'UNAVAILABLE' })
    await until(() => told.length === 1)
    store.watch('a', 0n, () => undefined, reason => told.push(reason))
    await until(() => told.length === 2)
    proxy.cut = 'none'
    await until(async () => await valueOf(store, 'a').catch(() => null) === '1')
    t.equal(await store.keepAlive(lease), true)
  })

  void t.test('what is too large is refused before it is sent', async t => {
    const { store } = await one(t)
    const large = new Uint8Array(64 * 1024 + 1)
    await t.rejects(store.compareAndSwap('a', 0n, large), { name: 'QueryError', code: 'INVALID_REQUEST' })
  })

  void t.test('when the leader dies, then one hangs, no swap is lost, doubled or denied, and leases live', async t => {
    const etcd = await EtcdServers.start(3)
    t.teardown(() => etcd.stop())
    const store = open(etcd.hosts, 'cluster/')
    t.teardown(() => store.close())
    const lease = await store.grantLease(10_000)
    const [seen, breaks]: [Change[], unknown[]] = [[], []]
    follow(store, 'count', seen, breaks)
    let [revision, count] = [0n, 0]
    let longestMs = 0
    const swaps = async (more: number): Promise<void> => {
      for (const end = count + more; count < end;) {
        const startedMs = systemClock.nowMs()
        const next = await store.compareAndSwap('count', revision, bytes(String(count + 1)), lease)
        longestMs = Math.max(longestMs, systemClock.nowMs() - startedMs)
        if (next === null) throw new Error(`swap ${count + 1} was denied, though nobody else writes`)
        revision = next
        count++
      }
    }
    await swaps(50)
    const leader = await etcd.leader()
    const [, dead] = await Promise.all([swaps(200), etcd.kill(leader)])
    t.equal(dead, undefined)
    etcd.restart(leader)
    await etcd.ready()
    t.equal(await store.keepAlive(lease), true, 'the lease lives')
    const frozen = await etcd.leader()
    etcd.freeze(frozen)
    await swaps(200)
    t.equal(await store.keepAlive(lease), true, 'the lease lives')
    etcd.thaw(frozen)
    await swaps(50)
    t.equal(new TextDecoder().decode((await store.get('count'))?.value), '500')
    await until(() => seen.length >= 500, 40_000)
    t.strictSame(seen.map(({ value }) => Number(new TextDecoder().decode(value ?? bytes('0')))),
      Array.from({ length: 500 }, (_, i) => i + 1), 'a watch has seen every one, in order')
    t.comment(`longest swap ${Math.round(longestMs)} ms, watch broken ${breaks.length} times`)
  })
}

const until = (holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<number> =>
  untilHolds('it is so', withinMs, holds)

const key = (i: number): string => `p/${String(i).padStart(4, '0')}`

async function one(t: Test): Promise<{ store: EtcdStore; etcd: EtcdServers }> {
  const etcd = await EtcdServers.start(1)
  t.teardown(() => etcd.stop())
  const store = open(etcd.hosts, 'cluster/')
  t.teardown(() => store.close())
  return { store, etcd }
}

const valueOf = async (store: EtcdStore, key: string): Promise<string | null> => {
  const entry = await store.get(key)
  return entry === null ? null : new TextDecoder().decode(entry.value)
}

async function behindProxy(t: Test): Promise<{ store: EtcdStore; proxy: TcpProxy; direct: EtcdStore }> {
  const { store: direct, etcd } = await one(t)
  const { hostname, port } = new URL(etcd.hosts[0] ?? '')
  const proxy = await TcpProxy.start(() => ({ host: hostname, port: Number(port) }))
  const store = open([`http://127.0.0.1:${proxy.port}`], 'cluster/')
  t.teardown(async () => {
    await store.close()
    await proxy.close()
  })
  return { store, proxy, direct }
}

/** Goes on from the last change that it has seen, as nothing is compacted here. */
function follow(store: EtcdStore, prefix: string, seen: Change[], breaks: unknown[]): void {
  let last = 0n
  const watch = (): void => {
    store.watch(prefix, last, changes => {
      seen.push(...changes)
      last = changes.at(-1)?.revision ?? last
    }, reason => {
      breaks.push(reason)
      if (!/is closed/.test(String(reason))) void delay(systemClock, 100).then(watch)
    })
  }
  watch()
}
