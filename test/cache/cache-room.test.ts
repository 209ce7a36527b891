/** The budget of the cache: kept, by giving up what is not in use. */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openCachedLake, type CachedLake } from './cached-lake.ts'

const never = new AbortController().signal
const select = 'SELECT hash(i) AS a, hash(i + 1) AS b, hash(i + 2) AS c, hash(i + 3) AS d FROM range(20000) t(i)'
const sql = 'SELECT sum(a % 1000) FROM $file'
/** A column has about 160 KB. */
const COLUMN_BYTES = 165_000

function diskBytes({ cacheFolder }: CachedLake): number {
  return readdirSync(cacheFolder).reduce((sum, name) => sum + statSync(join(cacheFolder, name)).blocks * 512, 0)
}

t.test('what is in use stays through a scan of more than the budget', async t => {
  const budget = 12 * COLUMN_BYTES
  const lake = await openCachedLake(t, budget)
  const hot = await lake.write('hot', select)
  for (let i = 0; i < 3; i++) await lake.ask(hot, ['a', 'b'], sql)
  for (let i = 0; i < 12; i++) {
    const file = await lake.write(`scan${i}`, select)
    t.strictSame((await lake.ask(file, null, sql)).rows, await lake.oracle(file, sql))
    if (lake.cache.status().usedBytes > budget) t.fail(`${lake.cache.status().usedBytes} used`)
  }
  t.ok(diskBytes(lake) < budget + 20 * 4096 * 2, `${diskBytes(lake)} on disk`)
  lake.server.forget()
  t.strictSame((await lake.ask(hot, ['a', 'b'], sql)).rows, await lake.oracle(hot, sql))
  t.equal(lake.server.requests, 0)
})

t.test('a file of which little is in use is packed under another name, and reads as before', async t => {
  const budget = 7 * COLUMN_BYTES
  const lake = await openCachedLake(t, budget)
  const file = await lake.write('a', select)
  const { path } = await lake.ask(file, null, sql)
  for (let i = 0; i < 3; i++) await lake.ask(file, ['a'], sql)
  for (let i = 0; i < 4; i++) await lake.ask(await lake.write(`b${i}`, select), null, sql)
  lake.server.forget()
  const after = await lake.ask(file, ['a'], sql)
  t.strictSame([after.rows, lake.server.requests], [await lake.oracle(file, sql), 0])
  t.not(after.path, path)
  await lake.restart()
  t.strictSame((await lake.ask(file, ['a'], sql)).rows, after.rows)
  t.equal(lake.server.requests, 0, 'after a restart too')
})

t.test('a task waits for the room of others; what never fits is refused with the sizes', async t => {
  const lake = await openCachedLake(t, 5 * COLUMN_BYTES)
  const [one, two] = [await lake.write('one', select), await lake.write('two', `${select} WHERE i > 0`)]
  const first = await lake.cache.open([lake.want(one, ['a', 'b', 'c'])], never)
  let ready = false
  const second = lake.cache.open([lake.want(two, ['a', 'b', 'c'])], never).then(opened => {
    ready = true
    return opened
  })
  const giveUp = new AbortController()
  const third = lake.cache.open([lake.want(two, ['a', 'b', 'c'])], giveUp.signal)
  while (lake.cache.status().files < 2) await new Promise(resolve => { setImmediate(resolve) })
  t.equal(ready, false)
  giveUp.abort()
  await t.rejects(third, { code: 'CANCELLED' })
  await first.release()
  await (await second).release()
  const both = [lake.want(one, null), lake.want(two, null)]
  await t.rejects(lake.cache.open(both, never), { code: 'DISK_FULL', message: /^a task reads \d+ .* for 825000$/ })
})

t.test('a start with a smaller budget gives up what is too much', async t => {
  const lake = await openCachedLake(t)
  const files = []
  for (let i = 0; i < 4; i++) files.push(await lake.write(`f${i}`, `${select} WHERE i >= ${i}`))
  for (const file of files) await lake.ask(file, null, sql)
  await lake.restart(6 * COLUMN_BYTES)
  for (const file of files) t.strictSame((await lake.ask(file, ['a'], sql)).rows, await lake.oracle(file, sql))
  t.ok(lake.cache.status().usedBytes <= 6 * COLUMN_BYTES)
})

t.test('what is given up by name is fetched again', async t => {
  const lake = await openCachedLake(t)
  const [one, two] = [await lake.write('x/one', select), await lake.write('y/two', select)]
  await lake.ask(one, null, sql)
  await lake.ask(two, null, sql)
  await lake.cache.evict(({ key }) => key.startsWith('x/'))
  t.equal(lake.cache.status().files, 1)
  t.equal((await lake.ask(two, null, sql)).bytesFetched, 0)
  t.ok((await lake.ask(one, null, sql)).bytesFetched > 0)
})
