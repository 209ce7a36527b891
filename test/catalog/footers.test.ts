/** Footers that are kept, in memory and on disk, when there are more files than either holds. */

import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { FileKey } from '../../cache/key.ts'
import { FooterFiles } from '../../catalog/footer-files.ts'
import { FooterCache } from '../../catalog/footers.ts'
import { openRemoteBucket } from '../cache/remote-bucket.ts'
import { DuckDBInstance } from '../duckdb.ts'

const FILES = 15
const folder = mkdtempSync(join(tmpdir(), 'skein-footers-'))
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
const bodies: Buffer[] = []
for (let i = 0; i < 2; i++) {
  await connection.run(`COPY (SELECT ${i} AS i FROM range(${i + 1})) TO '${join(folder, 'x.parquet')}'`)
  bodies.push(readFileSync(join(folder, 'x.parquet')))
}
t.teardown(() => {
  connection.closeSync()
  instance.closeSync()
  rmSync(folder, { recursive: true })
})

t.test('of more files than are kept in memory, those that stay are not read again', async t => {
  const bucket = await openRemoteBucket(t)
  const { server, store } = bucket
  const put = (key: string, rows: number): FileKey => ({ bucket: 'prod', ...bucket.put(key, bodies[rows - 1] ?? '') })
  const files = Array.from({ length: FILES }, (_, i) => put(`f${i}`, 1))
  const nowhere = join(folder, 'a file')
  writeFileSync(nowhere, '') // nothing can be kept below it
  const footers = new FooterCache(new FooterFiles(nowhere), 10)
  const requests = async (): Promise<number> => {
    server.forget()
    const read = await footers.read(() => store, files)
    t.strictSame(read.map(({ rowCount }) => rowCount), files.map(({ key }) => key === 'f3' && replaced ? 2 : 1))
    return server.traffic('get').requests
  }
  let replaced = false
  t.strictSame([await requests(), await requests(), await requests()], [FILES, FILES - 10, FILES - 10])
  files[3] = put('f3', 2)
  replaced = true
  t.equal(await requests(), FILES - 10 + 1)
  const others = [put('other', 2)]
  await footers.read(() => store, others)
  server.forget()
  await footers.read(() => store, others)
  t.equal(server.requests, 0, 'another table has its place all the same')
})

t.test('a folder on disk is full by files or by bytes, and the oldest go', async t => {
  const keys = inOneFolder(20)
  const content = (i: number): Buffer => Buffer.alloc(1000, i)
  for (const limit of [{ files: 8, bytes: 1e9 }, { files: 1e9, bytes: 8 * 1004 }]) {
    const place = join(folder, `disk-${limit.files}`)
    const files = new FooterFiles(place, limit)
    for (const [i, key] of keys.entries()) await files.put(key, content(i))
    const own = join(place, readdirSync(place)[0] ?? '')
    t.ok(readdirSync(own).length <= 8)
    t.strictSame(await files.get(keys[19] ?? keyOf(0)), content(19))
    t.equal(await files.get(keys[0] ?? keyOf(0)), undefined)
    const again = new FooterFiles(place, limit) // it has to look what is there
    for (const key of keys.slice(0, 3)) await again.put(key, content(0))
    t.ok(readdirSync(own).length <= 8)
  }
})

function keyOf(i: number): FileKey {
  return { bucket: 'b', key: `k${i}`, etag: '"e"', sizeBytes: 1 }
}

/** Of which the footers lie in one folder. */
function inOneFolder(count: number): FileKey[] {
  const found: FileKey[] = []
  for (let i = 0; found.length < count; i++) {
    const { bucket, key, etag } = keyOf(i)
    if (createHash('sha256').update([bucket, key, etag].join('\0')).digest()[0] === 7) found.push(keyOf(i))
  }
  return found
}
