/** Remote files through the cache: what is fetched, how often, and what a task gets to read. */

import { readdirSync } from 'node:fs'
import t from 'tap'
import { openCachedLake } from './cached-lake.ts'

const never = new AbortController().signal
const wide = (columns: number, rows: number) =>
  `SELECT ${Array.from({ length: columns }, (_, i) => `hash(i * ${columns} + ${i}) AS c${i}`).join(', ')}
   FROM range(${rows}) t(i)`
const sum = 'SELECT count(*), sum(c3 % 1000), sum(c40 % 1000) FROM $file'

t.test('two of fifty columns cost their chunks and the footer, once', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('wide.parquet', wide(50, 18_000), ', ROW_GROUP_SIZE 2048')
  const [[needed] = []] = await lake.oracle(file,
    `SELECT sum(total_compressed_size)::INTEGER FROM parquet_metadata($file) WHERE path_in_schema IN ('c3', 'c40')`)
  const first = await lake.ask(file, ['c3', 'c40'], sum)
  t.strictSame(first.rows, await lake.oracle(file, sum))
  const { bytes } = lake.server.traffic('get')
  const footerBytes = 64 * 1024 // the first read of a folder
  t.ok(bytes <= 1.1 * Number(needed) + footerBytes, `${bytes} for ${needed} of ${file.sizeBytes}`)
  t.equal(first.bytesFetched, bytes)
  t.equal(first.bytesCached, 0)
  lake.server.forget()
  const second = await lake.ask(file, ['c3', 'c40'], sum)
  t.strictSame([second.rows, second.bytesFetched, second.bytesCached], [first.rows, 0, needed])
  t.equal(lake.server.requests, 0)
  const third = await lake.ask(file, ['c3', 'c7'], 'SELECT sum(c3 % 7 + c7 % 7) FROM $file')
  t.strictSame(third.rows, await lake.oracle(file, 'SELECT sum(c3 % 7 + c7 % 7) FROM $file'))
  t.equal(third.bytesCached, Number(needed) / 2)
})

t.test('only the row groups that hold the wanted rows are fetched', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('rows.parquet', wide(4, 20_480), ', ROW_GROUP_SIZE 2048')
  const rows = { from: 4096, to: 8192 }
  const part = `SELECT sum(c1 % 1000) FROM read_parquet($file, file_row_number = true)
    WHERE file_row_number >= 4096 AND file_row_number < 8192`
  const asked = await lake.ask(file, ['c1'], part, { rows })
  t.strictSame(asked.rows, await lake.oracle(file, part))
  const chunks = lake.cache.status().chunks
  t.equal(chunks, 2)
})

t.test('it tells how much is here of what a task would read, and whether that is all', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('here.parquet', wide(4, 20_480), ', ROW_GROUP_SIZE 2048')
  const wanted = { file, columns: ['c1'], rows: { from: 4096, to: 8192 } }
  t.strictSame(await lake.cache.here(wanted), { bytes: 0, isAll: false })
  await lake.ask(file, ['c1'], 'SELECT 1', { rows: { from: 4096, to: 6144 } })
  const { bytes, isAll } = await lake.cache.here(wanted)
  t.equal(isAll, false)
  lake.server.forget()
  await lake.ask(file, ['c1'], 'SELECT 1', { rows: wanted.rows })
  const all = await lake.cache.here(wanted)
  t.ok(all.isAll && bytes > 0 && all.bytes > bytes, `${bytes} of ${all.bytes}`)
  t.strictSame(await lake.cache.here({ ...wanted, columns: ['c1', 'c2'] }), { bytes: all.bytes, isAll: false })
})

t.test('what DuckDB answers from the footer alone needs no chunk', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('a', wide(4, 5000))
  t.strictSame((await lake.ask(file, [], 'SELECT count(*) FROM $file')).rows, [[5000n]])
  t.equal(lake.server.requests, 1)
})

t.test('nested columns, columns with Bloom filters and several codecs read as they were written', async t => {
  const lake = await openCachedLake(t)
  const questions = [
    `SELECT count(*), sum(len(l)), sum(s.x), sum(list_sum(s.y)) FROM $file`,
    `SELECT count(*), sum(i) FROM $file WHERE v = 'v13'`,
    `SELECT count(*) FROM $file WHERE v = 'none at all'`,
    `SELECT sum(hash(m)) FROM $file`,
  ]
  for (const codec of ['uncompressed', 'snappy', 'zstd', 'gzip']) {
    const file = await lake.write(`${codec}.parquet`, `SELECT i, 'v' || (i % 97) AS v, range(i % 5) AS l,
      {'x': i, 'y': [i, i]} AS s, MAP {'k': i} AS m, i AS other FROM range(5000) t(i)`,
      `, COMPRESSION ${codec}, ROW_GROUP_SIZE 2048`)
    for (const sql of questions) {
      const { rows } = await lake.ask(file, ['i', 'v', 'l', 's', 'm'], sql)
      t.strictSame(rows, await lake.oracle(file, sql), `${codec}: ${sql}`)
    }
  }
})

t.test('one row group is read by an equality that only Bloom filters could deny for the others', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('a', `SELECT 'v' || (i % 97) AS v, i % 10 AS n FROM range(20000) t(i)`,
    ', ROW_GROUP_SIZE 2048')
  const sql = `SELECT count(*), sum(n) FROM read_parquet($file, file_row_number = true)
    WHERE file_row_number >= 4096 AND file_row_number < 6144 AND v = 'v13'`
  const rows = { from: 4096, to: 6144 }
  t.strictSame((await lake.ask(file, ['v', 'n'], sql, { rows })).rows, await lake.oracle(file, sql))
})

t.test('text files are brought whole, by blocks', async t => {
  const lake = await openCachedLake(t)
  const body = Array.from({ length: 200_000 }, (_, i) => `${i},some text that is the same in every line ${i % 7}`)
    .join('\n')
  const file = { bucket: 'prod', ...lake.put('a.csv', `a,b\n${body}\n`) }
  const sql = `SELECT count(*), sum(a) FROM read_csv($file)`
  const asked = await lake.ask(file, null, sql, { isParquet: false })
  t.strictSame(asked.rows.flat().map(Number), [200_000, 19_999_900_000])
  t.equal(asked.bytesFetched, file.sizeBytes)
  t.equal((await lake.ask(file, null, sql, { isParquet: false })).bytesFetched, 0)
  const words = { bucket: 'prod', ...lake.put('words.csv', 'a,b\nx,y\nz,w\n') }
  const text = 'SELECT count(*), max(b) FROM read_csv($file, header = true, all_varchar = true)'
  const some = await lake.ask(words, ['b'], text, { isParquet: false })
  t.strictSame([some.rows, some.bytesFetched], [[[2n, 'y']], words.sizeBytes], 'whichever columns are read')
  const empty = { bucket: 'prod', ...lake.put('empty.csv', '') }
  t.equal((await lake.ask(empty, null, 'SELECT 1', { isParquet: false })).bytesFetched, 0)
})

t.test('ten thousand who want one cold chunk cause one fetch', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('a', wide(50, 2000))
  const opened = await Promise.all(
    Array.from({ length: 10_000 }, () => lake.cache.open([lake.want(file, ['c3'])], never)))
  t.equal(lake.server.traffic('get').requests, 2, 'the footer and the chunk')
  const fetched = opened.flatMap(({ files }) => files).reduce((bytes, each) => bytes + each.bytesFetched, 0)
  t.equal(fetched, lake.server.traffic('get').bytes)
  for (const { release } of opened) await release()
  t.equal(lake.cache.status().files, 1)
})

t.test('who goes away does not stop those who wait for the same; the last one does', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('a', wide(2, 100_000))
  await lake.ask(file, [], 'SELECT count(*) FROM $file')
  lake.server.latencyMs = 100
  const [one, two] = [new AbortController(), new AbortController()]
  const first = lake.cache.open([lake.want(file, ['c0'])], one.signal)
  const second = lake.cache.open([lake.want(file, ['c0'])], two.signal)
  one.abort()
  await t.rejects(first, { code: 'CANCELLED' })
  await (await second).release()
  const third = lake.cache.open([lake.want(file, ['c1'])], two.signal)
  two.abort()
  await t.rejects(third, { code: 'CANCELLED' })
  lake.server.latencyMs = 0
  const sql = 'SELECT sum(c1 % 10) FROM $file'
  t.strictSame((await lake.ask(file, ['c1'], sql)).rows, await lake.oracle(file, sql), 'and it can be begun anew')
})

t.test('what arrives when nobody wants it any more is counted once', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('a', wide(50, 18_000), ', ROW_GROUP_SIZE 2048')
  const turn = () => new Promise(resolve => { setImmediate(resolve) })
  for (let most = 1; most < 60; most += 6) {
    const gone = new AbortController()
    const opened = lake.cache.open([lake.want(file, null)], gone.signal)
    while (lake.cache.status().chunks < most) await turn()
    gone.abort()
    await t.rejects(opened, { code: 'CANCELLED' })
    while (lake.cache.status().files > 0) {
      await lake.cache.evict(() => true)
      await turn()
    }
    t.equal(lake.cache.status().usedBytes, 0, `after ${most} of its chunks`)
  }
})

t.test('a file that passes leaves nothing, but what is here is used', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('a', wide(4, 20_000))
  const sql = 'SELECT sum(c1 % 10) FROM $file'
  const passed = await lake.ask(file, ['c1'], sql, { passing: true })
  t.strictSame(passed.rows, await lake.oracle(file, sql))
  t.ok(passed.bytesFetched > 0)
  t.match(lake.cache.status(), { files: 0, usedBytes: 0 })
  t.strictSame(readdirSync(lake.cacheFolder), ['skein.pid'])
  await lake.ask(file, ['c1'], sql)
  t.equal((await lake.ask(file, ['c1'], sql, { passing: true })).bytesFetched, 0)
})

t.test('a replaced file is another file', async t => {
  const lake = await openCachedLake(t)
  const before = await lake.write('a', wide(4, 1000))
  const sql = 'SELECT count(*), sum(c1 % 10) FROM $file'
  await lake.ask(before, ['c1'], sql)
  const after = await lake.write('a', wide(4, 2000))
  t.strictSame((await lake.ask(before, ['c1'], sql)).rows, await lake.oracle(before, sql), 'what is here is still it')
  await t.rejects(lake.ask(before, ['c2'], sql), { code: 'FILE_CHANGED' })
  t.strictSame((await lake.ask(after, ['c1'], sql)).rows, await lake.oracle(after, sql))
  t.equal(lake.cache.status().files, 1, 'the old one is given up')
})

t.test('whatever the store does to one request in ten, answers are right', async t => {
  const lake = await openCachedLake(t)
  const faults = ['error-500', 'slow-down', 'reset', 'cut', 'short', 'other-etag'] as const
  lake.server.faults.spread({ seed: 3, share: 0.1, faults })
  for (let i = 0; i < 12; i++) {
    const file = await lake.write(`f${i}`, wide(12, 6000), ', ROW_GROUP_SIZE 2048')
    const sql = `SELECT ${Array.from({ length: 12 }, (_, c) => `sum(c${c} % 100)`).join(', ')} FROM $file`
    t.strictSame((await lake.ask(file, null, sql)).rows, await lake.oracle(file, sql))
  }
  t.ok(lake.server.faults.struck > 3, `${lake.server.faults.struck} of ${lake.server.requests} requests`)
  lake.server.faults.spread({ seed: 3, share: 1, faults })
  const cold = await lake.write('cold', wide(2, 10))
  const store = lake.open({}, { deadlineMs: 300, attemptMs: 100, pauseMs: 1, maxPauseMs: 50 })
  await t.rejects(lake.ask(cold, null, 'SELECT 1', { store }), { name: 'QueryError', class: { retryable: true } })
})

t.test('with the store away, what is cached still answers', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('a', wide(4, 1000))
  const sql = 'SELECT sum(c1 % 10) FROM $file'
  const { rows } = await lake.ask(file, ['c1'], sql)
  lake.server.faults.spread({ seed: 1, share: 1, faults: ['silence'] })
  t.strictSame((await lake.ask(file, ['c1'], sql)).rows, rows)
})

t.test('what is brought ahead is counted by the task that reads it, once', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('a', wide(50, 18_000), ', ROW_GROUP_SIZE 2048')
  await lake.cache.prefetch([lake.want(file, ['c3', 'c40'])], never)
  const { bytes } = lake.server.traffic('get')
  lake.server.forget()
  const first = await lake.ask(file, ['c3', 'c40'], sum)
  t.strictSame([first.rows, lake.server.requests], [await lake.oracle(file, sum), 0])
  t.strictSame([first.bytesFetched, first.bytesCached], [bytes, 0])
  const second = await lake.ask(file, ['c3', 'c40'], sum)
  t.strictSame([second.bytesFetched > 0, second.bytesCached > 0], [false, true])
})

t.test('a task that begins while its files are brought ahead waits for the same requests', async t => {
  const lake = await openCachedLake(t)
  const file = await lake.write('a', wide(4, 20_000))
  const [, asked] = await Promise.all([
    lake.cache.prefetch([lake.want(file, ['c1'])], never), lake.ask(file, ['c1'], 'SELECT sum(c1 % 10) FROM $file'),
  ])
  t.equal(lake.server.requests, 2)
  t.equal(asked.bytesFetched, lake.server.traffic('get').bytes)
})

t.test('nothing is brought ahead if it does not fit beside what is read, and nothing is held', async t => {
  const lake = await openCachedLake(t, 400_000)
  const [one, two] = [await lake.write('one', wide(4, 20_000)), await lake.write('two', wide(4, 20_001))]
  const { release } = await lake.cache.open([lake.want(one, ['c0', 'c1'])], never)
  lake.server.forget()
  await lake.cache.prefetch([lake.want(two, ['c0', 'c1'])], never)
  t.equal(lake.server.requests, 1, 'its footer')
  await release()
  await lake.cache.prefetch([lake.want(two, ['c0', 'c1'])], never)
  await (await lake.cache.open([lake.want(one, ['c2', 'c3'])], never)).release()
  t.ok(lake.cache.status().usedBytes <= 400_000)
})
