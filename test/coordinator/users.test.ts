/** Users: who may come in, and what a wrong password costs. */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { EmbeddedStore } from '../../cluster/embedded-store.ts'
import { USERS } from '../../cluster/keys.ts'
import { Users } from '../../coordinator/users.ts'
import { systemClock, type Clock } from '../../proto/clock.ts'
import { temporaryFolder } from '../executor/workbench.ts'
import { openUsers } from './open-users.ts'

t.test('a user comes in by his password; a wrong one and an unknown name are told the same', async t => {
  const users = await openUsers(t)
  await users.add('ann', 'correct horse')
  const ann = await users.logIn('ann', 'correct horse', 'a')
  t.equal(ann.name, 'ann')
  const refusal = { code: 'UNAUTHENTICATED', message: 'wrong user name or password' }
  await t.rejects(users.logIn('ann', 'wrong horse', 'b'), refusal)
  await t.rejects(users.logIn('eve', 'correct horse', 'c'), refusal)
  await t.rejects(users.logIn('', '', 'd'), refusal)
})

t.test('a changed password, and a removed user, end what was given out before', async t => {
  const users = await openUsers(t)
  await users.add('ann', 'correct horse')
  const before = await users.logIn('ann', 'correct horse', 'a')
  t.ok(users.isCurrent(before))
  await users.setPassword('ann', 'battery staple')
  t.notOk(users.isCurrent(before))
  await t.rejects(users.logIn('ann', 'correct horse', 'a'), { code: 'UNAUTHENTICATED' })
  const after = await users.logIn('ann', 'battery staple', 'b')
  await users.remove('ann')
  t.notOk(users.isCurrent(after))
  await t.rejects(users.logIn('ann', 'battery staple', 'c'), { code: 'UNAUTHENTICATED' })
})

t.test('every failure makes the next try wait longer, by name and by address, up to a limit', async t => {
  const waited: number[] = []
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, callback) => {
      if (delayMs > 60_000 || delayMs === 30_000) return systemClock.after(delayMs, callback)
      waited.push(delayMs)
      return systemClock.after(0, callback)
    },
  }
  const users = await openUsers(t, clock)
  await users.add('ann', 'correct horse')
  for (let i = 0; i < 8; i++) await t.rejects(users.logIn('ann', `wrong ${i}`, `address ${i}`))
  t.strictSame(waited.splice(0), [100, 200, 400, 800, 1600, 3200, 5000], 'of a name, from anywhere')
  await t.rejects(users.logIn('bob', 'wrong', 'address 7'))
  t.strictSame(waited.splice(0), [100], 'from an address, with another name')
  await users.logIn('ann', 'correct horse', 'elsewhere')
  t.strictSame(waited.splice(0), [5000], 'the right password waits too')
  await users.logIn('ann', 'correct horse', 'elsewhere')
  t.strictSame(waited, [], 'and then all is well')
})

t.test('name and password on every call are hashed once', async t => {
  const users = await openUsers(t)
  await users.add('ann', 'correct horse')
  await users.logIn('ann', 'correct horse', 'a')
  const startedMs = systemClock.nowMs()
  for (let i = 0; i < 1_000; i++) await users.logIn('ann', 'correct horse', 'a')
  t.ok(systemClock.nowMs() - startedMs < 1_000, 'a thousand in less time than ten hashes take')
})

t.test('the store has a hash of each password with a salt of its own, and no password', async t => {
  const store = await EmbeddedStore.open(join(temporaryFolder(t), 'journal'), systemClock)
  const users = new Users({ store, clock: systemClock, chance: randomBytes })
  await users.start()
  for (const name of ['ann', 'bob']) await users.add(name, 'correct horse')
  const { entries } = await store.list(USERS)
  const texts = entries.map(({ value }) => Buffer.from(value).toString())
  for (const form of ['correct horse', Buffer.from('correct horse').toString('base64')]) t.notMatch(texts, form)
  const records = texts.map(text => JSON.parse(text) as Record<string, string>)
  t.strictSame(records.map(({ name }) => name), ['ann', 'bob'])
  for (const part of ['salt', 'hash'] as const) {
    const [ann = '', bob = ''] = records.map(record => record[part])
    t.not(ann, bob, `of one password two ${part}s`)
    t.ok(Buffer.from(ann, 'base64').length >= 16)
  }
  users.close()
  await store.close()
})
