/** What every metadata store must do; run on each of them. Time is the simulation's: `pass` lets it go by. */

import type { Test } from 'tap'
import { backupStore, restoreStore } from '../../cluster/store-backup.ts'
import type { Change, MetadataStore } from '../../cluster/store.ts'

export interface StoreUnderTest {
  readonly store: MetadataStore
  readonly pass: (ms: number) => Promise<void>
  readonly close: () => Promise<void>
  /** The shortest lease that it grants; absent: a second. */
  readonly ttlMs?: number
}

/** What a watch brings may be on its way: a store that is elsewhere gets some time. */
const WATCH_STEPS = 200
const STEP_MS = 20

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | null | undefined): string | null =>
  value === null || value === undefined ? null : new TextDecoder().decode(value)

export function storeContract(t: Test, make: () => Promise<StoreUnderTest>): void {
  const check = (fact: string, run: (t: Test, made: StoreUnderTest) => Promise<void>): void => {
    void t.test(fact, async t => {
      const made = await make()
      t.teardown(() => made.close())
      await run(t, made)
    })
  }

  check('a key is absent, written, changed, removed', async (t, { store }) => {
    t.equal(await store.get('a'), null)
    const first = await store.compareAndSwap('a', 0n, bytes('1'))
    const second = await store.compareAndSwap('a', first ?? 0n, bytes('2'))
    t.ok(first !== null && second !== null && second > first, 'revisions grow')
    const entry = await store.get('a')
    t.strictSame([entry?.key, text(entry?.value), entry?.revision], ['a', '2', second])
    t.type(await store.compareAndSwap('a', second ?? 0n, null), 'bigint')
    t.equal(await store.get('a'), null)
  })

  check('what lasts of it is backed up at one revision, and restored, whole or not at all', async (t, { store }) => {
    const lease = await store.grantLease(60_000)
    await store.compareAndSwap('members/e1', 0n, bytes('e1'), lease)
    await store.compareAndSwap('secret', 0n, bytes('sealed'))
    for (const key of ['users/ann', 'users/bob', 'users/carl']) await store.compareAndSwap(key, 0n, bytes(key))
    const backup = await backupStore(store)
    const { revision } = await store.list('')
    const secrets = ['members', 'sealed', Buffer.from('sealed').toString('base64')]
    t.strictSame(secrets.filter(one => Buffer.from(backup).includes(one)), [], 'no member, and not the secret')
    const content = async (): Promise<unknown> =>
      (await store.list('users/')).entries.map(({ key, value }) => [key, text(value)])
    const before = await content()

    await t.rejects(restoreStore(store, backup, false),
      { code: 'INVALID_REQUEST', message: /not empty: it has 3 keys, users\/ann among them/ })
    const ann = await store.get('users/ann')
    await store.compareAndSwap('users/ann', ann?.revision ?? 0n, bytes('changed'))
    await store.compareAndSwap('users/dora', 0n, bytes('later'))
    await store.compareAndSwap('users/bob', (await store.get('users/bob'))?.revision ?? 0n, null)
    const changed = await content()
    const parts = Buffer.from(backup).toString()
    for (const [damaged, why] of [
      [parts.replace('users/ann', 'users/eve'), /checksum/], [parts.slice(0, -20), /checksum/],
      [parts.split('\n').slice(0, 2).join('\n'), /checksum/], ['', /no backup/],
      ['{"skein_store":2}\n{}\n', /format is 2/],
    ] as const) {
      await t.rejects(restoreStore(store, Buffer.from(damaged), true), { code: 'INVALID_REQUEST', message: why })
    }
    t.strictSame(await content(), changed, 'nothing is written of one that is not whole')

    t.strictSame(await restoreStore(store, backup, true), { keys: 3, removed: 1, revision: String(revision) })
    t.strictSame(await content(), before)
    t.equal(text((await store.get('members/e1'))?.value), 'e1', 'what lives under a lease stays')
    t.equal(text((await store.get('secret'))?.value), 'sealed')

    for (const { key, revision } of (await store.list('users/')).entries) {
      await store.compareAndSwap(key, revision, null)
    }
    t.strictSame(await restoreStore(store, backup, false), { keys: 3, removed: 0, revision: String(revision) })
    t.strictSame(await content(), before, 'into an empty store without further words')
  })

  check('of two swaps from the same revision one wins', async (t, { store }) => {
    const won = await Promise.all(['x', 'y', 'z'].map(value => store.compareAndSwap('a', 0n, bytes(value))))
    t.equal(won.filter(revision => revision !== null).length, 1)
    t.equal(await store.compareAndSwap('a', 12345n, bytes('w')), null)
    t.equal(await store.compareAndSwap('b', 12345n, bytes('w')), null)
  })

  check('a list has what lies below a prefix, by key', async (t, { store }) => {
    for (const key of ['p/b', 'p/a', 'pq', 'o']) await store.compareAndSwap(key, 0n, bytes(key))
    const { entries, revision } = await store.list('p/')
    t.strictSame(entries.map(({ key, value }) => [key, text(value)]), [['p/a', 'p/a'], ['p/b', 'p/b']])
    t.ok(entries.every(entry => entry.revision <= revision))
  })

  check('a watch sees every change after its revision, in order', async (t, { store, pass }) => {
    await store.compareAndSwap('p/before', 0n, bytes('0'))
    const { revision } = await store.list('p/')
    await store.compareAndSwap('p/a', 0n, bytes('1'))
    const seen: Change[] = []
    const end = store.watch(
      'p/', revision, changes => seen.push(...changes), () => seen.push({ key: 'error', value: null, revision: 0n }),
    )
    const second = await store.compareAndSwap('p/b', 0n, bytes('2'))
    await store.compareAndSwap('other', 0n, bytes('3'))
    await store.compareAndSwap('p/b', second ?? 0n, null)
    await passUntil(pass, () => seen.length >= 3)
    t.strictSame(seen.map(({ key, value }) => [key, text(value)]), [['p/a', '1'], ['p/b', '2'], ['p/b', null]])
    end()
    await store.compareAndSwap('p/c', 0n, bytes('4'))
    await pass(5 * STEP_MS)
    t.equal(seen.length, 3, 'an ended watch is quiet')
  })

  check('keys go with their lease, and a watch tells', async (t, { store, pass, ttlMs = 1_000 }) => {
    const lease = await store.grantLease(ttlMs)
    await store.compareAndSwap('p/a', 0n, bytes('1'), lease)
    const { revision } = await store.list('p/')
    const seen: Change[] = []
    store.watch('p/', revision, changes => seen.push(...changes), () => undefined)
    await pass(0.7 * ttlMs)
    t.equal(await store.keepAlive(lease), true)
    await pass(0.7 * ttlMs)
    t.not(await store.get('p/a'), null, 'kept alive')
    await pass(1.5 * ttlMs)
    t.equal(await store.get('p/a'), null, 'gone')
    t.equal(await store.keepAlive(lease), false)
    await passUntil(pass, () => seen.length > 0)
    t.strictSame(seen.map(({ key, value }) => [key, value]), [['p/a', null]])
  })

  check('a revoked lease takes its keys at once, but not those that another lease took over', async (t, { store }) => {
    const [one, two] = [await store.grantLease(60_000), await store.grantLease(60_000)]
    await store.compareAndSwap('a', 0n, bytes('1'), one)
    const moved = await store.compareAndSwap('b', 0n, bytes('1'), one)
    await store.compareAndSwap('b', moved ?? 0n, bytes('2'), two)
    await store.revokeLease(one)
    t.equal(await store.get('a'), null)
    t.equal(text((await store.get('b'))?.value), '2')
  })

  check('a write under a lease that is gone is refused', async (t, { store }) => {
    const lease = await store.grantLease(60_000)
    await store.revokeLease(lease)
    await t.rejects(store.compareAndSwap('a', 0n, bytes('1'), lease), { name: 'QueryError', code: 'NOT_FOUND' })
    t.equal(await store.get('a'), null)
  })

  check('a write is refused unless its guard holds', async (t, { store }) => {
    const held = await store.compareAndSwap('leader', 0n, bytes('me')) ?? 0n
    const guard = { key: 'leader', revision: held }
    const first = await store.compareAndSwap('a', 0n, bytes('1'), undefined, guard)
    t.not(first, null)
    await store.compareAndSwap('leader', held, bytes('another'))
    t.equal(await store.compareAndSwap('a', first ?? 0n, bytes('2'), undefined, guard), null)
    t.equal(await store.compareAndSwap('a', first ?? 0n, null, undefined, guard), null)
    t.equal(await store.compareAndSwap('b', 0n, bytes('2'), undefined, { key: 'leader', revision: 0n }), null)
    t.equal(text((await store.get('a'))?.value), '1')
  })

  check('a watch is told once when the store closes', async (t, { store, pass, close }) => {
    let errors = 0
    store.watch('p/', 0n, () => undefined, () => { errors++ })
    await pass(0)
    await close()
    await pass(0)
    t.equal(errors, 1)
  })
}

async function passUntil(pass: StoreUnderTest['pass'], holds: () => boolean): Promise<void> {
  for (let i = 0; i < WATCH_STEPS && !holds(); i++) await pass(i === 0 ? 0 : STEP_MS)
}
