/** Exchange files of another host: fetched byte for byte, on over breaks of the way, within the disk, or lost. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { ByteBudget } from '../../executor/byte-budget.ts'
import { ExchangeFiles } from '../../executor/exchange-files.ts'
import { ExchangeReader, type ExchangeRequest } from '../../executor/exchange-reader.ts'
import { serveExchange } from '../../executor/exchange-server.ts'
import { QueryError } from '../../proto/errors.ts'
import type { QueryId } from '../../proto/ids.ts'
import type { Input } from '../../proto/gen/executor_pb.js'
import { HandClock } from './hand-clock.ts'
import { temporaryFolder } from './workbench.ts'

const MIB = 1024 * 1024
const queryId = 'q' as QueryId
const place = { queryId, stage: 1, partition: 0, attempt: 0 }
const never = new AbortController().signal

/** Two executors on two disks: the files of one, with `sizes`, and the reader of the other. */
async function hosts(t: Test, sizes: readonly number[], breakAfter: (request: ExchangeRequest) => number | QueryError) {
  const folder = temporaryFolder(t)
  const far = await ExchangeFiles.open(join(folder, 'far'), 'far', new ByteBudget(1000 * MIB))
  const disk = new ByteBudget(20 * MIB)
  const near = await ExchangeFiles.open(join(folder, 'near'), 'near', disk)
  const files = sizes.map((size, i) => ({ path: `q/0/${i}.0/rows.parquet`, bytes: Buffer.alloc(size, i + 1) }))
  for (const { path, bytes } of files) {
    await mkdir(dirname(join(far.root, path)), { recursive: true })
    for (let at = 0; at + 4 <= bytes.length; at += 4096) bytes.writeUInt32LE(at, at)
    writeFileSync(join(far.root, path), bytes)
  }
  const asked: ExchangeRequest[] = []
  const clock = new HandClock()
  const reader = new ExchangeReader(near, async function* (request) {
    asked.push(request)
    const limit = breakAfter(request)
    if (limit instanceof QueryError) throw limit
    let given = 0
    const { path, offset } = request
    for await (const message of serveExchange(far, { queryId, path, offset: BigInt(offset) } as never)) {
      if (given++ >= limit) throw new QueryError('UNAVAILABLE', 'the connection broke')
      yield message
    }
  }, clock)
  const source = { executorId: 'e9', address: 'far:1', folder: '/nowhere', markerPath: '/nowhere', markerToken: 'far' }
  const inputs = [{
    name: 'ex0', columns: [],
    files: files.map(({ path, bytes }) => ({ source, path, sizeBytes: BigInt(bytes.length), rowCount: 1n })),
  }] as unknown as readonly Input[]
  const locate = async (): Promise<string[]> => {
    const located = reader.locate(inputs, place, never).then(([paths = []]) => paths)
    let ended = false
    void located.then(() => { ended = true }, () => { ended = true })
    while (!ended) await clock.pass(50)
    return located
  }
  return { near, disk, asked, files, reader, locate, inputs }
}

t.test('a fetch goes on where it broke, as often as bytes came', async t => {
  const { locate, files, asked, reader, near, disk } = await hosts(t, [3 * MIB + 5, 0, 1], () => 1)
  const paths = await locate()
  t.strictSame(paths.map(path => readFileSync(path)), files.map(({ bytes }) => bytes))
  const first = asked.filter(({ path }) => path === files[0]?.path).map(({ offset }) => offset)
  t.strictSame(first, [0, MIB, 2 * MIB, 3 * MIB])
  t.equal(disk.totalBytes - disk.freeBytes, 3 * MIB + 6, 'what was fetched counts')
  await reader.release(place)
  t.equal(disk.freeBytes, disk.totalBytes)
  t.strictSame(readdirSync(join(near.root, 'q')), [])
})

t.test('a way that stays broken is INPUT_LOST soon, however many files there are', async t => {
  const gone = new QueryError('UNAVAILABLE', 'refused')
  const { locate, asked } = await hosts(t, Array.from({ length: 40 }, () => 10), () => gone)
  await t.rejects(locate(), { code: 'INPUT_LOST', executors: ['e9'] })
  t.ok(asked.length < 40 + 4 * 6, `${asked.length} tries`)
})

t.test('a file that is gone is not asked for again', async t => {
  const { locate, asked } = await hosts(t, [10], () => new QueryError('NOT_FOUND', 'gone'))
  await t.rejects(locate(), { code: 'INPUT_LOST' })
  t.equal(asked.length, 1)
})

t.test('what has no room on this disk is DISK_FULL, before a byte of it came', async t => {
  const { locate, asked, reader, disk } = await hosts(t, [21 * MIB], () => Infinity)
  await t.rejects(locate(), { code: 'DISK_FULL' })
  t.equal(asked.length, 0)
  await reader.release(place)
  t.equal(disk.freeBytes, disk.totalBytes)
})
