/** `@gizmodata/gizmosql-client`: a login, then its token; metadata; the session ends with `close`. */

import { FlightSQLClient } from '@gizmodata/gizmosql-client'
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
}))

await t.test('a wrong password, none, and a token that is none, are refused as such', async t => {
  await t.rejects(connect({ password: 'a guess' }).connect(), { message: /wrong user name or password/ })
  await t.rejects(connect({ username: '' }).execute('SELECT 1'), { message: /log in/ })
  await t.rejects(connect({ token: 'a guess' }).execute('SELECT 1'), { message: /the token is not valid/ })
})

await t.test('catalogs, schemas, tables by patterns, and their types', async t => {
  const client = connect()
  t.strictSame(await client.getCatalogs(), ['csvs', 'jsons', 'lake', 'skein', 'work'])
  t.strictSame(await client.getSchemas('lake'), [{ catalog: 'lake', schema: 'main' }])
  t.strictSame(await client.getTables('lake', 'ma%', 'p_ople', ['TABLE']),
    [{ catalog: 'lake', schema: 'main', tableName: 'people', tableType: 'TABLE' }])
  t.strictSame(await client.getTables('lake', 'main', 'people', ['VIEW']), [])
  t.strictSame(await client.getTableTypes(), ['LOCAL TEMPORARY', 'TABLE', 'VIEW'])
  await client.close()
})

await t.test('what the server is and can do', async t => {
  const client = connect()
  t.strictSame([...await client.getSqlInfo([0, 8, 504])], [[0, 'Skein'], [8, 1], [504, '"']])
  t.ok((await client.getSqlInfo()).size > 80, 'all of it')
  t.ok((await client.listActions()).some(action => action.getType() === 'CancelFlightInfo'))
  t.strictSame(await client.listFlights(), [])
  t.equal(await client.discoverOAuthUrl(), null, 'no login by a browser')
  await client.close()
})

await t.test('what it makes ends with its session, and it logs in again by itself', async t => {
  const client = connect()
  await client.execute('CREATE TEMP TABLE mine AS SELECT 1 AS a')
  await client.close()
  await t.rejects(client.execute('FROM mine'), { message: /Catalog Error/ })
  await client.close()
})

await t.test('commands that it sends bare are refused, and what it cannot send it says', async t => {
  const client = connect()
  await t.rejects(client.getQuerySchema('SELECT 1'), { message: /is not supported/ })
  await t.rejects(client.getPrimaryKeys('work', 'main', 'notes'), { message: /is not supported/ })
  await t.rejects(client.prepare('SELECT 1'), { message: /serialization failure/ })
  await client.close()
})
