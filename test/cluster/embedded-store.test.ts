/** The store of one box: the contract, and what its journal makes of crashes and damage. */

import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { Simulation } from '../sim/simulation.ts'
import { storeContract } from './store-contract.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'skein-store-'))
  t.teardown(() => rm(path, { recursive: true }))
  return path
}

t.test('an embedded store keeps the contract', async t => storeContract(t, async () => {
  const path = await mkdtemp(join(tmpdir(), 'skein-store-'))
  const simulation = new Simulation(1)
  const store = await EmbeddedStore.open(join(path, 'journal'), simulation.clock)
  // timers fire at once, but a journal is written meanwhile
  const pass = async (ms: number): Promise<void> => {
    await simulation.run(ms)
    await store.revokeLease({ leaseId: 0n, ttlMs: 0 }).catch(() => undefined) // waits for its turn behind what expired
  }
  return { store, pass, close: async () => { await store.close(); await rm(path, { recursive: true, force: true }) } }
}))

t.test('what was answered is there after a restart, revisions and leases too', async t => {
  const path = join(await folder(t), 'journal')
  const simulation = new Simulation(1)
  const first = await EmbeddedStore.open(path, simulation.clock)
  const lease = await first.grantLease(1_000)
  await first.compareAndSwap('leased', 0n, bytes('1'), lease)
  const revision = await first.compareAndSwap('kept', 0n, bytes('2'))
  await first.close()
  const again = await EmbeddedStore.open(path, simulation.clock)
  t.teardown(() => again.close())
  t.equal((await again.get('kept'))?.revision, revision)
  t.equal(await again.keepAlive(lease), true)
  const next = await again.compareAndSwap('new', 0n, bytes('3'))
  t.ok(next !== null && revision !== null && next > revision)
  await simulation.run(2_000)
  await again.grantLease(1)
  t.equal(await again.get('leased'), null)
})

t.test('a torn end is dropped, wherever it was torn', async t => {
  const path = join(await folder(t), 'journal')
  const { clock } = new Simulation(1)
  const store = await EmbeddedStore.open(path, clock)
  await store.compareAndSwap('a', 0n, bytes('1'))
  const { size } = await stat(path)
  await store.compareAndSwap('b', 0n, bytes('2'))
  await store.close()
  const whole = await readFile(path)
  const wrong: number[] = []
  for (let end = size; end < whole.length; end++) {
    await writeFile(path, whole.subarray(0, end))
    const torn = await EmbeddedStore.open(path, clock)
    const right = (await torn.get('a')) !== null && (await torn.get('b')) === null
      && (await torn.compareAndSwap('c', 0n, bytes('3'))) === 2n
    await torn.close()
    const after = await EmbeddedStore.open(path, clock)
    if (!right || (await after.get('c')) === null) wrong.push(end)
    await after.close()
  }
  t.strictSame(wrong, [])
})

t.test('damage before the end is refused', async t => {
  const path = join(await folder(t), 'journal')
  const { clock } = new Simulation(1)
  const store = await EmbeddedStore.open(path, clock)
  await store.compareAndSwap('a', 0n, bytes('1'))
  await store.compareAndSwap('b', 0n, bytes('2'))
  await store.close()
  const damaged = await readFile(path)
  damaged[20] = 120
  await writeFile(path, damaged)
  await t.rejects(EmbeddedStore.open(path, clock), { name: 'QueryError', code: 'FILE_CORRUPT' })
})

t.test('a journal of many changes is written anew, and holds the same', async t => {
  const path = join(await folder(t), 'journal')
  const { clock } = new Simulation(1)
  const store = await EmbeddedStore.open(path, clock)
  const lease = await store.grantLease(60_000)
  await store.compareAndSwap('leased', 0n, bytes('l'), lease)
  let revision = 0n
  for (let i = 0; i < 40; i++) {
    revision = await store.compareAndSwap('big', revision, new Uint8Array(60_000).fill(i)) ?? 0n
  }
  await store.close()
  t.ok((await stat(path)).size < 1_200_000, 'shorter than 40 values')
  const again = await EmbeddedStore.open(path, clock)
  t.teardown(() => again.close())
  t.equal((await again.get('big'))?.revision, revision)
  t.equal((await again.get('big'))?.value[0], 39)
  t.equal(await again.keepAlive(lease), true)
  t.equal(await again.compareAndSwap('next', 0n, bytes('x')), revision + 1n)
})

t.test('a file that is no journal is refused, and left as it is', async t => {
  const path = join(await folder(t), 'journal')
  const { clock } = new Simulation(1)
  for (const garbage of ['garbage', 'garbage\nin lines\n', '\0'.repeat(4096), '{"op":"put"}\n']) {
    await writeFile(path, garbage)
    await t.rejects(EmbeddedStore.open(path, clock), { name: 'QueryError', code: 'FILE_CORRUPT' })
    t.equal(await readFile(path, 'utf8'), garbage)
  }
})

t.test('garbage behind good records is refused, a hole of the last append is not', async t => {
  const path = join(await folder(t), 'journal')
  const { clock } = new Simulation(1)
  const store = await EmbeddedStore.open(path, clock)
  await store.compareAndSwap('a', 0n, bytes('1'))
  await store.close()
  const good = await readFile(path)
  await appendFile(path, 'garbage\n')
  await t.rejects(EmbeddedStore.open(path, clock), { code: 'FILE_CORRUPT' })
  await writeFile(path, Buffer.concat([good, Buffer.alloc(100), Buffer.from('end of a record\n')]))
  const again = await EmbeddedStore.open(path, clock)
  t.teardown(() => again.close())
  t.not(await again.get('a'), null)
})

t.test('an unknown record is refused', async t => {
  const path = join(await folder(t), 'journal')
  const { createHash } = await import('node:crypto')
  const json = '{"op":"later"}'
  await appendFile(path, `${createHash('sha256').update(json).digest('hex').slice(0, 16)} ${json}\n`)
  await t.rejects(EmbeddedStore.open(path, new Simulation(1).clock), { code: 'FILE_CORRUPT' })
})
