/** Tables in a remote bucket: how many requests they take, and what is kept of the answers. */

import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { CatalogConfig } from '../../proto/config.ts'
import { openRemoteBucket } from '../cache/remote-bucket.ts'
import { openLake } from './lake.ts'

const FILES = 120

async function open(t: Test, columns = 'i AS a, i * 2 AS b', files = FILES) {
  const lake = await openLake()
  t.teardown(() => lake.close())
  const remote = await openRemoteBucket(t)
  await lake.write('x', `SELECT ${columns} FROM range(100) t(i)`)
  const bytes = readFileSync(lake.path('x'))
  for (let i = 0; i < files; i++) remote.put(`t/${String(i).padStart(3, '0')}.parquet`, bytes)
  const { server } = remote
  /** Rows of the table, and requests that it took to know them. */
  const look = async (catalog: ReturnType<typeof lake.catalog>) => {
    server.forget()
    const [table] = await catalog.resolve([['t']], { catalog: 'c', schema: 'main' })
    return [table?.rowCount, server.traffic('list').requests, server.traffic('get').requests, server.requests]
  }
  const catalog = (more: Partial<CatalogConfig> = {}) => lake.catalog({ t: 't/*.parquet' }, more, remote.store)
  return { lake, ...remote, look, catalog }
}

t.test('one list and one request a file; then one list a period', async t => {
  const { lake, look, catalog, put } = await open(t)
  const own = catalog({ listingTtlMs: 10_000 })
  t.strictSame(await look(own), [12_000, 1, FILES, FILES + 1])
  lake.nowMs += 9_999
  t.strictSame(await look(own), [12_000, 0, 0, 0])
  lake.nowMs += 1
  t.strictSame(await look(own), [12_000, 1, 0, 1])
  put('t/new.parquet', readFileSync(lake.path('x')))
  lake.nowMs += 10_000
  t.strictSame(await look(own), [12_100, 1, 1, 2])
})

t.test('what is immutable is listed once', async t => {
  const { lake, look, catalog } = await open(t)
  const own = catalog({ assumeImmutable: true })
  t.strictSame(await look(own), [12_000, 1, FILES, FILES + 1])
  lake.nowMs += 1e9
  t.strictSame(await look(own), [12_000, 0, 0, 0])
})

t.test('tables over one folder share its lists, whichever of them asks', async t => {
  const { lake, store, put, server } = await open(t)
  const tables = { all: 't/*.parquet', some: 't/00*.parquet', same: 't/*.parquet', other: 't/01[0-4].parquet' }
  const catalog = lake.catalog(tables, { listingTtlMs: 10_000 }, store)
  const files = async (...names: string[]) => {
    server.forget()
    const found = await catalog.resolve(names.map(name => [name]), { catalog: 'c', schema: 'main' })
    return [...found.map(table => table.files.length), server.traffic('list').requests]
  }
  t.strictSame(await files('all', 'some', 'same'), [FILES, 10, FILES, 1])
  t.strictSame(await files('other'), [5, 1], 'one that was not asked for before')
  lake.nowMs += 10_000
  put('t/005x.parquet', readFileSync(lake.path('x')))
  t.strictSame(await files('some'), [11, 1])
  lake.nowMs += 9_999
  t.strictSame(await files('all', 'same', 'other', 'some'), [FILES + 1, FILES + 1, 5, 11, 0], 'of that list')
  lake.nowMs += 1
  t.strictSame(await files('all', 'same', 'other', 'some'), [FILES + 1, FILES + 1, 5, 11, 1], 'for its period alone')
  put('t/006x.parquet', readFileSync(lake.path('x')))
  await catalog.refresh([], { catalog: 'c', schema: 'main' })
  t.equal(server.traffic('list').requests, 2, 'a refresh lists once')
  t.strictSame(await files('all', 'some'), [FILES + 2, 12, 0])
  catalog.invalidate([{ catalog: 'c', schema: 'main', table: 'some' }])
  t.strictSame(await files('all', 'some'), [FILES + 2, 12, 1], 'a doubt is not put to rest by an older list')
})

t.test('many who ask at once ask once', async t => {
  const { look, catalog, server } = await open(t)
  const own = catalog()
  await Promise.all(Array.from({ length: 50 }, () => look(own)))
  t.strictSame([server.traffic('list').requests, server.traffic('get').requests], [1, FILES])
})

t.test('a restart fetches no footer again, unless it was damaged on disk', async t => {
  const { lake, look, catalog } = await open(t)
  t.strictSame(await look(catalog()), [12_000, 1, FILES, FILES + 1])
  t.strictSame(await look(catalog()), [12_000, 1, 0, 1])
  const folder = join(lake.skeletons, '..', 'footers')
  const kept = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.includes('/'))
  const [one = '', two = ''] = kept
  writeFileSync(join(folder, one), readFileSync(join(folder, one)).fill(7, 10, 20))
  writeFileSync(join(folder, two), '')
  t.strictSame(await look(catalog()), [12_000, 1, 2, 3])
})

t.test('the end that is read is as long as the footers of the neighbours', async t => {
  const names = Array.from({ length: 900 }, (_, i) => `i AS column_of_a_long_name_${i}`)
  const { look, catalog, server, lake } = await open(t, names.join(', '), 40)
  const footerBytes = readFileSync(lake.path('x')).readUInt32LE(readFileSync(lake.path('x')).length - 8) + 8
  t.ok(footerBytes > 64 * 1024, `${footerBytes}`)
  const [, , gets = 0] = await look(catalog())
  t.ok(Number(gets) < 40 + 2 * 16, `${gets} requests: two a file only for the first ones, 16 at once`)
  t.ok(server.traffic('get').bytes < 1.3 * 40 * footerBytes)
})

t.test('a file replaced between the list and the look at it is met by listing again', async t => {
  const { look, catalog, server, lake, put } = await open(t)
  await lake.write('y', `SELECT i AS a, i * 2 AS b FROM range(50) t(i)`)
  const own = catalog()
  const list = server.objects.answer.bind(server.objects)
  let replaced = false
  server.objects.answer = (request, body) => {
    const answer = list(request, body)
    if (request.key === '' && !replaced) put('t/007.parquet', readFileSync(lake.path('y')))
    replaced = true
    return answer
  }
  t.match(await look(own), [11_950, 2])
})
