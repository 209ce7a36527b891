/** `@firetiger-oss/flight-sql-client`: shows the password at every call, so its session is that of its connection. */

import { FlightSQLClient } from '@firetiger-oss/flight-sql-client'
import t from 'tap'
import { given, behaviours } from './behaviours.ts'

const { host, port, user, password } = given
const connect = (more: object = {}) =>
  new FlightSQLClient({ host, port, plaintext: true, username: user, password, ...more })

await t.test('what every client meets', t => behaviours(t, {
  open: () => {
    const client = connect()
    return Promise.resolve({ ask: sql => client.execute(sql), close: () => client.close() })
  },
  sharesSession: true,
}))

await t.test('a wrong password and none are refused; this client does not tell why', async t => {
  await t.rejects(connect({ password: 'a guess' }).execute('SELECT 1'), { message: /Failed to connect/ })
  await t.rejects(connect({ username: '' }).execute('SELECT 1'), { message: 'Authentication failed' })
})

await t.test('its own lists come bare and are refused; those with a filter name it', async t => {
  const client = connect()
  await t.rejects(client.getCatalogs(), { message: /is not supported/ })
  await t.rejects(client.getSchemas('lake'), { message: /is not supported/ })
  await t.rejects(client.getQuerySchema('SELECT 1'), { message: /is not supported/ })
  await t.rejects(client.prepare('SELECT 1'), { message: /serialization failure/ })
  await client.close()
})

await t.test('what lists it cannot ask for, it can query', async t => {
  const client = connect()
  const sql = "SELECT DISTINCT table_schema AS s FROM information_schema.tables WHERE table_catalog = 'lake'"
  t.strictSame((await client.execute(sql)).get(0)?.toJSON(), { s: 'main' })
  await client.close()
})

await t.test('it is told which actions there are', async t => {
  const client = connect()
  t.ok((await client.listActions()).some(action => action.getType() === 'BeginTransaction'))
  await client.close()
})
