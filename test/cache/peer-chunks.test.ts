/** Two caches over one bucket, of which one asks the other, through their services: what leaves the store, and how. */

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CarriedFiles } from '../../cache/carried-files.ts'
import { ColumnCache } from '../../cache/column-cache.ts'
import { FileSource } from '../../cache/file-source.ts'
import type { FileKey } from '../../cache/key.ts'
import { PeerReader, type AskPeer, type PeerNews } from '../../cache/peer-reader.ts'
import { cacheHandlers } from '../../executor/cache-service.ts'
import { KeptResults } from '../../executor/kept-results.ts'
import { PeerChannels } from '../../executor/peer-channels.ts'
import { askPeers } from '../../executor/peer-chunks.ts'
import { TableReads } from '../../executor/table-reads.ts'
import { systemClock } from '../../proto/clock.ts'
import { CacheService } from '../../proto/gen/cache_pb.js'
import { nodeChannel, nodeServer } from '../../proto/node-auth.ts'
import { mulberry32 } from '../random.ts'
import { openCachedLake, type CachedLake } from './cached-lake.ts'

const auth = { secret: 'of the cluster', tls: null }
const never = new AbortController().signal
const SELECT = `SELECT i AS a, hash(i) AS b, md5(i::VARCHAR) AS c FROM range(60000) t(i)`
const OPTIONS = ', ROW_GROUP_SIZE 20000'
const SQL = 'SELECT sum(a), max(c) FROM $file'

interface Two {
  readonly lake: CachedLake
  /** Of the one that is asked. */
  readonly address: string
  readonly borrower: ColumnCache
}

/** `change`: what becomes of what the borrower is told. */
async function openTwo(
  t: Test, { secret = auth.secret, change = (news: PeerNews): PeerNews => news } = {},
): Promise<Two> {
  const lake = await openCachedLake(t)
  const folder = mkdtempSync(join(tmpdir(), 'skein-peers-'))
  const peers = new PeerChannels({ ...auth, secret })
  const ask = askPeers(peers)
  const borrower = await openCache(folder, async function* changed(wanted, signal) {
    for await (const news of ask(wanted, signal)) yield change(news)
  })
  const server = nodeServer(auth)
  server.addService(CacheService, cacheHandlers({
    clock: systemClock, reads: new TableReads(), kept: new KeptResults(join(folder, 'kept'), 0),
    files: { cache: lake.cache, source: await sourceOf(lake, lake.cache, join(folder, 'carried')) },
  }))
  const port = await server.listen('127.0.0.1', 0)
  t.teardown(() => {
    borrower.close()
    peers.close()
    server.close()
    rmSync(folder, { recursive: true })
  })
  return { lake, address: `127.0.0.1:${port}`, borrower }
}

async function sourceOf({ store }: CachedLake, cache: ColumnCache, folder: string): Promise<FileSource> {
  return new FileSource(new Map([['prod', store]]), cache, await CarriedFiles.open(folder))
}

function openCache(folder: string, ask: AskPeer): Promise<ColumnCache> {
  let names = 0
  return ColumnCache.open({
    folder: join(folder, 'cache'), budgetBytes: 1e9, processId: process.pid, clock: systemClock, random: () => 0.5,
    newName: () => `b-${names++}`, peers: new PeerReader(ask, { clock: systemClock, random: mulberry32(1) }),
  })
}

/** What `cache` reads of the file by way of `peer`. */
async function read({ lake }: Two, cache: ColumnCache, file: FileKey, peer: string | null) {
  const { files: [opened], release } = await cache.open([lake.want(file, ['a', 'c'], { peer })], never)
  try {
    const rows = await lake.rows(SQL.replace('$file', `read_parquet('${opened?.path ?? ''}')`))
    return { bytesFetched: opened?.bytesFetched ?? 0, bytesCached: opened?.bytesCached ?? 0, rows }
  } finally {
    await release()
  }
}

/** To the one that asks. */
async function bringFooter({ lake, borrower }: Two, file: FileKey): Promise<void> {
  const { release } = await borrower.open([lake.want(file, ['b'])], never)
  await release()
}

/** Of the two columns. */
async function chunkBytes({ lake }: Two, file: FileKey): Promise<number> {
  const [[bytes] = []] = await lake.oracle(file, `SELECT sum(total_compressed_size)::DOUBLE FROM parquet_metadata($file)
    WHERE path_in_schema IN ('a', 'c')`)
  return Number(bytes)
}

t.test('what both read leaves the store once, and is counted once', async t => {
  const two = await openTwo(t)
  const { lake, address, borrower } = two
  const file = await lake.write('x', SELECT, OPTIONS)
  const rows = await lake.oracle(file, SQL)
  const needed = await chunkBytes(two, file)
  const results = await Promise.all([read(two, borrower, file, address), read(two, lake.cache, file, null)])
  for (const each of results) t.strictSame(each.rows, rows)
  const sent = lake.server.traffic('get').bytes
  t.equal(results.reduce((sum, { bytesFetched }) => sum + bytesFetched, 0), sent)
  t.ok(sent < 1.1 * needed, `${sent} for ${needed}`)
  t.equal(borrower.status().bytesFromPeers, needed)
  t.equal(borrower.status().bytesFetched + lake.cache.status().bytesFetched, sent)
  t.strictSame(await read(two, borrower, file, null), { bytesFetched: 0, bytesCached: needed, rows })
})

t.test('what nobody has the other brings, and whoever asked counts it; what is there costs nothing', async t => {
  const two = await openTwo(t)
  const { lake, address, borrower } = two
  const [first, second] = [await lake.write('x', SELECT, OPTIONS), await lake.write('y', SELECT, OPTIONS)]
  const needed = await chunkBytes(two, first)
  const asked = await read(two, borrower, first, address)
  t.equal(asked.bytesFetched, lake.server.traffic('get').bytes)
  t.strictSame([asked.bytesCached, asked.rows], [0, await lake.oracle(first, SQL)])
  await read(two, lake.cache, second, null)
  lake.server.forget()
  const cached = await read(two, borrower, second, address)
  t.equal(cached.bytesFetched, lake.server.traffic('get').bytes, 'its own footer')
  t.equal(cached.bytesCached, needed)
  await borrower.evict(() => true)
  lake.server.forget()
  await borrower.prefetch([lake.want(second, ['a', 'c'], { peer: address })], never)
  const ahead = await read(two, borrower, second, address)
  t.strictSame([ahead.bytesFetched, ahead.bytesCached], [lake.server.traffic('get').bytes, needed], 'ahead of a task')
})

t.test('two that ask each other for the same chunks', async t => {
  const [one, two] = [await openTwo(t), await openTwo(t)]
  const folder = mkdtempSync(join(tmpdir(), 'skein-peers-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = await one.lake.write('x', SELECT, OPTIONS)
  // the caches that ask, as services that are asked
  const serve = async (cache: ColumnCache, name: string): Promise<string> => {
    const server = nodeServer(auth)
    server.addService(CacheService, cacheHandlers({
      clock: systemClock, reads: new TableReads(), kept: new KeptResults(join(folder, name), 0),
      files: { cache, source: await sourceOf(one.lake, cache, join(folder, `${name}-carried`)) },
    }))
    t.teardown(() => server.close())
    return `127.0.0.1:${await server.listen('127.0.0.1', 0)}`
  }
  const [a, b] = [await serve(one.borrower, 'a'), await serve(two.borrower, 'b')]
  const rows = await one.lake.oracle(file, SQL)
  const results = await Promise.all([read(one, one.borrower, file, b), read(one, two.borrower, file, a)])
  for (const each of results) t.strictSame(each.rows, rows)
  t.equal(results.reduce((sum, { bytesFetched }) => sum + bytesFetched, 0), one.lake.server.traffic('get').bytes)
})

t.test('one that is gone, silent, or does not know the caller: the store is asked', async t => {
  const sockets: Socket[] = []
  const silent = createServer(socket => { sockets.push(socket.on('error', () => undefined)) })
  const port = await new Promise<number>(resolve => {
    silent.listen(0, '127.0.0.1', () => resolve((silent.address() as AddressInfo).port))
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
  const two = await openTwo(t, { secret: 'another' })
  const { lake, address, borrower } = two
  for (const [key, peer] of [['x', '127.0.0.1:1'], ['y', `127.0.0.1:${port}`], ['z', address]] as const) {
    const file = await lake.write(key, SELECT, OPTIONS)
    lake.server.forget()
    const asked = await read(two, borrower, file, peer)
    t.strictSame(asked.rows, await lake.oracle(file, SQL), key)
    t.equal(asked.bytesFetched, lake.server.traffic('get').bytes)
  }
  t.strictSame([borrower.status().bytesFromPeers, lake.cache.status().files], [0, 0])
  const channel = nodeChannel(address, { ...auth, secret: 'another' })
  t.teardown(() => channel.close())
  const call = channel.service(CacheService).fetchChunks({ bucket: 'prod', key: 'x', chunks: [0] })
  await t.rejects(call[Symbol.asyncIterator]().next(), { code: 'UNAUTHENTICATED' })
})

t.test('bytes that are not what they were, or not those asked for, are not taken', async t => {
  let [turn, changed] = [0, 0]
  const two = await openTwo(t, { change: news => {
    if (news.kind !== 'piece' || turn++ % 2 === 0) return news
    changed++
    const data = Buffer.from(news.data)
    data.writeUInt8(data.readUInt8(9) ^ 1, 9)
    return { ...news, data }
  } })
  const { lake, address, borrower } = two
  const file = await lake.write('x', SELECT, OPTIONS)
  t.strictSame((await read(two, borrower, file, address)).rows, await lake.oracle(file, SQL))
  t.equal(changed, 1, 'after it nothing more is taken')
  const short = await openTwo(t, { change: news => news.kind === 'piece' ? { ...news, from: news.from + 1 } : news })
  const other = await short.lake.write('x', SELECT, OPTIONS)
  t.strictSame((await read(short, short.borrower, other, short.address)).rows, await short.lake.oracle(other, SQL))
  t.equal(short.borrower.status().bytesFromPeers, 0)
})

t.test('a file that changed is told as such, and one of no remote bucket is not lent', async t => {
  const two = await openTwo(t)
  const { lake, address, borrower } = two
  const file = await lake.write('x', SELECT, OPTIONS)
  await bringFooter(two, file)
  await lake.write('x', SELECT.replace('60000', '60001'), OPTIONS)
  await t.rejects(read(two, borrower, file, address), { code: 'FILE_CHANGED' })
  const channel = nodeChannel(address, auth)
  t.teardown(() => channel.close())
  const first = async (bucket: string, chunks: number[]): Promise<unknown> => {
    const call = channel.service(CacheService).fetchChunks({ bucket, key: 'x', parquet: true, chunks })
    const { value } = await call[Symbol.asyncIterator]().next()
    return value
  }
  t.match(await first('elsewhere', [0]), { news: { case: 'refused', value: { code: 'FILE_NOT_FOUND' } } })
  t.match(await first('prod', [1, 1]), { news: { case: 'refused', value: { code: 'INVALID_REQUEST' } } })
})

t.test('when the store does not answer the one that is asked, it is not waited for again', async t => {
  const two = await openTwo(t)
  const { lake, address, borrower } = two
  const file = await lake.write('x', SELECT, OPTIONS)
  await bringFooter(two, file)
  const down = lake.open({}, { deadlineMs: 700, attemptMs: 700, pauseMs: 1, maxPauseMs: 1 })
  const folder = mkdtempSync(join(tmpdir(), 'skein-peers-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const server = nodeServer(auth)
  const source = new FileSource(new Map([['prod', down]]), lake.cache, await CarriedFiles.open(join(folder, 'carried')))
  server.addService(CacheService, cacheHandlers({
    clock: systemClock, reads: new TableReads(), kept: new KeptResults(join(folder, 'kept'), 0),
    files: { cache: lake.cache, source },
  }))
  t.teardown(() => server.close())
  const port = await server.listen('127.0.0.1', 0)
  lake.server.faults.spread({ seed: 1, share: 1, faults: ['silence'] })
  await t.rejects(read(two, borrower, file, `127.0.0.1:${port}`), { code: 'UNAVAILABLE', message: /no answer within/ })
  lake.server.faults.spread(undefined)
  t.strictSame((await read(two, borrower, file, address)).rows, await lake.oracle(file, SQL))
})
