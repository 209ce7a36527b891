/** Users of a real cluster: made by the command line, known at every door of clients, gone when they are removed. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'
import { FlightClient, packed, rowsOf } from '../serve/flight-client.ts'
import { runCommand } from './command.ts'
import { Skein } from './skein.ts'

const statement = packed(CommandStatementQuerySchema, { query: 'SELECT 42 AS answer' })
const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

t.test('who is not a user is let in at no door', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-users-'))
  const skein = await Skein.start({ folder, executors: 1, config: { auth: 'users' } })
  t.teardown(async () => {
    await skein.stop()
    await rm(folder, { recursive: true })
  })
  const admin = (words: readonly string[], input = '') =>
    runCommand(['admin', '--url', skein.doors.admin ?? '', 'user', ...words], { input })
  const http = async (authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization }
    const answer = await fetch(new URL('/query', skein.doors.http), {
      method: 'POST', headers, body: JSON.stringify({ statement: 'SELECT 42', format: 'csv' }),
    })
    return [answer.status, (await answer.text()).split('\n')[1]]
  }
  const port = Number(new URL(skein.doors.flight ?? '').port)
  const flight = () => new FlightClient(t, port)

  t.match(await admin(['add', 'ann'], 'correct horse\n'), { status: 0, stdout: 'user ann is added\n' })
  t.match(await admin(['add', 'ann'], 'correct horse\n'), { status: 1 })
  t.match(await admin(['list']), { status: 0, stdout: /ann/ })

  t.equal((await http())[0], 401)
  t.equal((await http(basic('ann', 'wrong horse')))[0], 401)
  t.strictSame(await http(basic('ann', 'correct horse')), [200, '42'])
  t.equal((await fetch(new URL('/healthz', skein.doors.http))).status, 200)

  await t.rejects(flight().read(statement), { code: 16 })
  await t.rejects(flight().handshake(basic('ann', 'wrong horse')), { code: 16 })
  const client = flight()
  const { payload } = await client.handshake(basic('ann', 'correct horse'))
  t.strictSame(rowsOf(await client.read(statement)), [{ answer: 42 }])
  const again = flight()
  await again.handshake(`Bearer ${payload}`)
  t.strictSame(rowsOf(await again.read(statement)), [{ answer: 42 }], 'a token is as good as the password')
  t.strictSame(await http(`Bearer ${payload}`), [200, '42'], 'at every door')
  const direct = flight()
  direct.metadata.set('authorization', basic('ann', 'correct horse'))
  t.strictSame(rowsOf(await direct.read(statement)), [{ answer: 42 }], 'without a handshake')

  t.match(await admin(['passwd', 'ann'], 'battery staple\n'), { status: 0 })
  await t.rejects(client.read(statement), { code: 16 }, 'the token of the old password counts no more')
  t.strictSame(await http(basic('ann', 'battery staple')), [200, '42'])
  t.match(await admin(['remove', 'ann']), { status: 0 })
  t.equal((await http(basic('ann', 'battery staple')))[0], 401)
})

t.test('a query is told of, and ended, for who sent it alone', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-users-'))
  const skein = await Skein.start({ folder, executors: 1, config: { auth: 'users' } })
  t.teardown(async () => {
    await skein.stop()
    await rm(folder, { recursive: true })
  })
  for (const name of ['ann', 'bob']) {
    const words = ['admin', '--url', skein.doors.admin ?? '', 'user', 'add', name]
    t.match(await runCommand(words, { input: `secret of ${name}\n` }), { status: 0 })
  }
  const ask = async (name: string, method: string, path: string, body?: object) => {
    const headers = { authorization: basic(name, `secret of ${name}`) }
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
    const answer = await fetch(new URL(path, skein.doors.http), init)
    return [answer.status, await answer.text()] as const
  }
  const [id, session] = ['0e6f7a3c-3f5c-4a54-9a53-6a1f2f4f1a01', '0e6f7a3c-3f5c-4a54-9a53-6a1f2f4f1a02']
  t.equal((await ask('ann', 'POST', '/query', { statement: 'SELECT 42', query_id: id, session_id: session }))[0], 200)
  t.equal((await ask('ann', 'GET', `/query/${id}`))[0], 200)
  const [status, text] = await ask('bob', 'GET', `/query/${id}`)
  t.equal(status, 404)
  t.notMatch(text, 'SELECT 42')
  t.strictSame((await ask('bob', 'DELETE', `/query/${id}?session_id=${session}`))[0], 404)
})
