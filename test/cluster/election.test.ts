/** One coordinator does what only one may do: who it is, who follows, and what a late one can still write. */

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Election } from '../../cluster/election.ts'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { Housekeeping, HOUSEKEEPING_MS } from '../../cluster/housekeeping.ts'
import type { MetadataStore } from '../../cluster/store.ts'
import { HandClock } from '../executor/hand-clock.ts'
import { temporaryFolder } from '../executor/workbench.ts'

async function setUp(t: Test) {
  const clock = new HandClock()
  const store = await EmbeddedStore.open(join(temporaryFolder(t), 'store'), clock)
  t.teardown(() => store.close())
  const told: string[] = []
  const away = new Set<string>()
  /** A candidate whose way to the store can be cut. */
  const candidate = (name: string): Election => {
    const own: MetadataStore = new Proxy(store, {
      get: (target, call: Exclude<keyof MetadataStore, 'compact'>) => away.has(name)
        ? () => Promise.reject(new Error('away')) : target[call].bind(target),
    })
    return new Election({
      store: own, clock, office: 'test', candidate: name,
      onChange: holds => told.push(`${name} ${holds ? 'in' : 'out'}`),
    })
  }
  /** In steps in which the journal, on a real disk, keeps up. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      await clock.pass(500)
      await store.grantLease(60_000)
      await clock.pass(0)
    }
  }
  return { clock, store, told, away, candidate, pass }
}

t.test('one of three holds the office, and the next one when it resigns', async t => {
  const { candidate, told, pass } = await setUp(t)
  const three = ['a', 'b', 'c'].map(candidate)
  await pass(60_000)
  t.equal(told.length, 1)
  t.equal(three.filter(each => each.term() !== null).length, 1)
  const first = three.find(each => each.term() !== null)
  await first?.stop()
  t.equal(first?.term(), null)
  await pass(3_000)
  t.equal(three.filter(each => each.term() !== null).length, 1)
  t.match(told, [/in$/, /out$/, /in$/])
  await Promise.all(three.map(each => each.stop()))
})

t.test('a holder that is cut off knows it before another holds the office, and writes nothing after that', async t => {
  const { candidate, told, away, store, pass } = await setUp(t)
  const first = candidate('a')
  await pass(1_000)
  const stale = first.term()
  const second = candidate('b')
  if (stale === null) throw new Error('it holds no office')
  t.not(await store.compareAndSwap('kept', 0n, Buffer.from('1'), undefined, stale), null)
  away.add('a')
  await pass(7_500)
  t.strictSame([first.term(), second.term()], [null, null], 'nobody, for a while')
  await pass(7_500)
  t.not(second.term(), null)
  t.equal(await store.compareAndSwap('other', 0n, Buffer.from('late'), undefined, stale), null)
  away.delete('a')
  await pass(5_000)
  t.strictSame([first.term() === null, told], [true, ['a in', 'a out', 'b in']])
  await Promise.all([first.stop(), second.stop()])
})

t.test('history goes one turn after it was noted, by the holder alone', async t => {
  const { candidate, store, clock, pass } = await setUp(t)
  const election = candidate('a')
  const compacted: bigint[] = []
  const compacting: MetadataStore = new Proxy(store, {
    get: (target, call: keyof MetadataStore) => call === 'compact'
      ? (revision: bigint) => { compacted.push(revision); return Promise.resolve() } : target[call]?.bind(target),
  })
  const faults: unknown[] = []
  const onTurn = (outcome: object): void => { if ('failed' in outcome) faults.push(outcome.failed) }
  const holder = new Housekeeping({ store: compacting, clock, election, onTurn })
  const other = new Housekeeping({ store: compacting, clock, election: { term: () => null }, onTurn })
  await pass(HOUSEKEEPING_MS + 1_000)
  t.strictSame(compacted, [])
  const { revision } = await store.list('')
  await store.compareAndSwap('x', 0n, Buffer.from('1'))
  await pass(HOUSEKEEPING_MS)
  t.equal(compacted.length, 1)
  t.ok((compacted[0] ?? 0n) < revision, 'nothing that is younger than a turn')
  await pass(HOUSEKEEPING_MS)
  t.ok(compacted.length === 2 && (compacted[1] ?? 0n) >= revision)
  t.strictSame(faults, [])
  holder.stop()
  other.stop()
  await election.stop()
})
