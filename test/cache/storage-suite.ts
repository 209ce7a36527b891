/**
 * What any server of the S3 protocol must do for us: ranges, conditions, lists, refusals, and the column cache on top,
 * with DuckDB over the same bytes as the judge. Run against our own server and, in the interop run, a foreign one.
 */

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { ColumnCache } from '../../cache/column-cache.ts'
import type { FileKey } from '../../cache/key.ts'
import { RequestLimit } from '../../cache/request-limit.ts'
import { S3Store } from '../../cache/s3-store.ts'
import { systemClock } from '../../proto/clock.ts'
import { DuckDBInstance } from '../duckdb.ts'
import { mulberry32 } from '../random.ts'
import { noPeers } from './no-peers.ts'
import { patient } from './remote-bucket.ts'

const never = new AbortController().signal

/** `endpoint`: of a server that lets test/testsecret make a bucket and fill it. */
export async function storageSuite(t: Test, endpoint: string): Promise<void> {
  const client = new S3Client({
    endpoint, region: 'us-east-1', forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: 'test', secretAccessKey: 'testsecret' },
  })
  t.teardown(() => client.destroy())
  await client.send(new CreateBucketCommand({ Bucket: 'suite' })).catch(() => undefined) // it may be there
  const put = async (key: string, body: Buffer | string): Promise<void> => {
    await client.send(new PutObjectCommand({ Bucket: 'suite', Key: key, Body: body }))
  }
  const open = (bucket = 'suite'): S3Store => {
    const store = new S3Store({
      name: 'prod', limit: new RequestLimit(16), clock: systemClock, random: mulberry32(1), policy: patient,
      config: {
        provider: 'custom', bucket, region: 'us-east-1', endpoint, pathStyle: true,
        credentials: { accessKeyId: 'test', secretAccessKey: 'testsecret', sessionToken: null },
      },
    })
    t.teardown(() => store.close())
    return store
  }
  await stores(t, open, put)
  await caches(t, open(), put)
}

type Put = (key: string, body: Buffer | string) => Promise<void>

async function stores(t: Test, open: (bucket?: string) => S3Store, put: Put): Promise<void> {
  const store = open()

  await t.test('a bucket that is there answers, one that is not is named', async t => {
    await store.check()
    await t.rejects(open('no-such-bucket').check(), { code: 'FILE_NOT_FOUND' })
  })

  await t.test('ranges are exactly the bytes asked for, at both ends and over several parts', async t => {
    const body = randomBytes(9 * 1024 * 1024)
    await put('ranges/k', body)
    const { etag, sizeBytes } = await store.head('ranges/k')
    t.equal(sizeBytes, body.length)
    for (const [from, to] of [[0, 1], [5, 4096], [body.length - 3, body.length], [100, body.length]] as const) {
      const read = Buffer.from(await store.readRange('ranges/k', from, to, etag))
      t.ok(read.equals(body.subarray(from, to)), `${from} to ${to}`)
    }
    await t.rejects(store.readRange('ranges/none', 0, 1, etag), { code: 'FILE_NOT_FOUND' })
    await t.rejects(store.head('ranges/none'), { code: 'FILE_NOT_FOUND' })
  })

  await t.test('a file that was replaced is FILE_CHANGED', async t => {
    await put('changed', 'one and two')
    const { etag } = await store.head('changed')
    await put('changed', 'two and one')
    await t.rejects(store.readRange('changed', 0, 3, etag), { code: 'FILE_CHANGED' })
    const now = await store.head('changed')
    t.equal(Buffer.from(await store.readRange('changed', 0, 3, now.etag)).toString(), 'two')
  })

  await t.test('a list gives every object of a prefix, over pages and with odd names', async t => {
    const keys = Array.from({ length: 1100 }, (_, i) => `list/${String(i).padStart(4, '0')}`)
    const odd = ['list/year=2026/a b.parquet', 'list/é+&.parquet']
    for (let at = 0; at < keys.length; at += 50) await Promise.all(keys.slice(at, at + 50).map(key => put(key, 'x')))
    for (const key of [...odd, 'listed']) await put(key, 'xyz')
    const found = new Map<string, number>()
    for await (const { key, sizeBytes, etag } of store.list('list/')) {
      found.set(key, sizeBytes)
      if (odd.includes(key)) t.equal(Buffer.from(await store.readRange(key, 0, 3, etag)).toString(), 'xyz', key)
    }
    t.strictSame([...found.keys()].sort(), [...keys, ...odd].sort())
    t.strictSame(odd.map(key => found.get(key)), [3, 3])
  })
}

async function caches(t: Test, store: S3Store, put: Put): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-suite-'))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run('SET enable_external_file_cache = false')
  let names = 0
  const cache = await ColumnCache.open({
    folder: join(folder, 'cache'), budgetBytes: 1e9, processId: process.pid, clock: systemClock, random: () => 0.5,
    newName: () => String(names++),
    peers: noPeers,
  })
  t.teardown(() => {
    cache.close()
    connection.closeSync()
    instance.closeSync()
    rmSync(folder, { recursive: true })
  })
  const rows = async (sql: string): Promise<unknown> => (await connection.runAndReadAll(sql)).getRowsJS()
  const write = async (key: string, select: string, options: string): Promise<{ file: FileKey; path: string }> => {
    const path = join(folder, key)
    await connection.run(`COPY (${select}) TO '${path}' (${options})`)
    await put(key, readFileSync(path))
    return { file: { bucket: 'prod', ...await store.head(key) }, path }
  }
  const ask = async (file: FileKey, columns: readonly string[] | null, sql: (path: string) => string) => {
    const wanted = { file, columns, store, isParquet: columns !== null, rows: null, passing: false, peer: null }
    const { files: [opened], release } = await cache.open([wanted], never)
    try {
      return { rows: await rows(sql(opened?.path ?? '')), fetched: opened?.bytesFetched ?? 0 }
    } finally {
      await release()
    }
  }

  await t.test('columns of a Parquet file come once, and no others', async t => {
    const columns = Array.from({ length: 20 }, (_, i) => `hash(i * 20 + ${i}) AS c${i}`).join(', ')
    const { file, path } = await write(
      'wide.parquet', `SELECT ${columns} FROM range(40000) t(i)`, 'FORMAT parquet, ROW_GROUP_SIZE 8192')
    const sql = (from: string): string => `SELECT count(*), sum(c3 % 1000), sum(c17 % 1000) FROM '${from}'`
    const first = await ask(file, ['c3', 'c17'], sql)
    t.strictSame(first.rows, await rows(sql(path)))
    t.ok(first.fetched > 0 && first.fetched < 0.15 * file.sizeBytes, `${first.fetched} of ${file.sizeBytes}`)
    t.strictSame(await ask(file, ['c3', 'c17'], sql), { rows: first.rows, fetched: 0 })
  })

  await t.test('CSV and JSON come whole', async t => {
    const select = `SELECT i, 'word ' || i AS w FROM range(5000) t(i)`
    for (const format of ['csv', 'json']) {
      const { file, path } = await write(`a.${format}`, select, `FORMAT ${format}`)
      const sql = (from: string): string => `SELECT count(*), sum(i), max(w) FROM read_${format}('${from}')`
      const asked = await ask(file, null, sql)
      t.strictSame([asked.rows, asked.fetched], [await rows(sql(path)), file.sizeBytes], format)
    }
  })
}
