/** Tokens: whose they are, until when, and what ends them sooner. */

import t from 'tap'
import { Logins, type Shown } from '../../coordinator/serve/logins.ts'
import { Signer, signingKey } from '../../proto/signed-text.ts'
import { HandClock } from '../executor/hand-clock.ts'
import { openUsers } from './open-users.ts'

const HOUR_MS = 3_600_000
const LIFE_MS = 24 * HOUR_MS
const shown = (authorization?: string): Shown => ({ authorization, address: 'a', certificate: null })
const basic = (name: string, password: string) =>
  shown(`Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`)
const refusal = (message: RegExp) => ({ code: 'UNAUTHENTICATED', message })

t.test('a token is its user\'s and names a session, for a day', async t => {
  const [users, clock] = [await openUsers(t), new HandClock()]
  await users.add('ann', 'correct horse')
  const logins = new Logins(new Signer(signingKey('one'), clock), users)
  const bearer = shown(`Bearer ${await logins.token(basic('ann', 'correct horse'), 's1')}`)
  t.strictSame(await logins.caller(bearer), { principal: 'ann', session: 's1' })
  await clock.pass(LIFE_MS - 1)
  t.strictSame(await logins.caller(bearer), { principal: 'ann', session: 's1' })
  await clock.pass(1)
  await t.rejects(logins.caller(bearer), refusal(/has expired/))
  await t.rejects(logins.token(bearer, 's2'), refusal(/has expired/), 'and gives no other one')
})

t.test('a token of another cluster, a changed one, and a ticket are none', async t => {
  const [users, clock] = [await openUsers(t), new HandClock()]
  await users.add('ann', 'correct horse')
  const signer = new Signer(signingKey('one'), clock)
  const logins = new Logins(signer, users)
  const foreign = await new Logins(new Signer(signingKey('another'), clock), users)
    .token(basic('ann', 'correct horse'), 's1')
  const own = await logins.token(basic('ann', 'correct horse'), 's1')
  const [content = '', expires = '', mac = ''] = own.split('.')
  const longer = [content, String(Number(expires) + HOUR_MS), mac].join('.')
  const ticket = signer.sign('result', JSON.stringify(['s1', 'ann', '1']), LIFE_MS)
  for (const text of [foreign, longer, ticket, own.slice(0, -1), '', '..', 'x'.repeat(100_000)]) {
    await t.rejects(logins.caller(shown(`Bearer ${text}`)), { code: 'UNAUTHENTICATED' }, text.slice(0, 20))
  }
})

t.test('a token ends with its user, and with his password', async t => {
  const [users, clock] = [await openUsers(t), new HandClock()]
  const logins = new Logins(new Signer(signingKey('one'), clock), users)
  await users.add('ann', 'correct horse')
  const first = shown(`Bearer ${await logins.token(basic('ann', 'correct horse'), 's1')}`)
  await users.setPassword('ann', 'battery staple')
  await t.rejects(logins.caller(first), refusal(/its user has changed/))
  const second = shown(`Bearer ${await logins.token(basic('ann', 'battery staple'), 's1')}`)
  await users.remove('ann')
  await t.rejects(logins.caller(second), refusal(/its user has changed/))
  await users.add('ann', 'battery staple')
  await t.rejects(logins.caller(second), refusal(/its user has changed/), 'who came after him is another')
})
