/** `@lancedb/arrow-flight-sql-client`: a login, statements, and results that can be read batch by batch. */

import { Client } from '@lancedb/arrow-flight-sql-client'
import type * as Arrow from 'apache-arrow'
import { createRequire } from 'node:module'
import t from 'tap'
import { given, behaviours } from './behaviours.ts'

const { host, port, user, password } = given
// its batches are of the CommonJS copy of Arrow, and another copy does not know them
const arrow = createRequire(import.meta.url)('apache-arrow') as typeof Arrow
const connect = (word = password) =>
  Client.connect({ host: `${host}:${port}`, username: user, password: word, insecure: true })

await t.test('what every client meets', t => behaviours(t, {
  open: async () => {
    const client = await connect()
    return {
      ask: async (sql): Promise<Arrow.Table> => new arrow.Table(await (await client.query(sql)).collectToArrow()),
      close: () => Promise.resolve(), // it has no end
    }
  },
}))

await t.test('a wrong password is refused as such', async t => {
  await t.rejects(connect('a guess'), { message: /wrong user name or password/ })
})

await t.test('rows as plain objects', async t => {
  const result = await (await connect()).query("SELECT 42 AS answer, 'a' AS text")
  t.strictSame((await result.collectToObjects()).map(row => ({ ...row as object })), [{ answer: 42, text: 'a' }])
})

await t.test('a large result is read as far as wanted', async t => {
  const client = await connect()
  let rows = 0
  for await (const batch of (await client.query('SELECT i FROM range(5000000) AS r(i)')).toArrowStream()) {
    rows += batch.numRows
    if (rows > 100_000) break
  }
  t.ok(rows > 100_000 && rows < 1_000_000, `${rows} rows`)
  t.equal((await (await client.query('SELECT 1 AS a')).collectToObjects()).length, 1, 'the client goes on')
})
