/** What happens to the files of a cache, by others and by restarts: never a wrong answer, and it heals itself. */

import { appendFileSync, closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync,
  writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parquetLayout } from '../../cache/column-chunks.ts'
import type { FileKey } from '../../cache/key.ts'
import { openCachedLake } from './cached-lake.ts'

const columns = ['a', 'b', 'c']
const sql = 'SELECT count(*), sum(a), sum(b), sum(c % 1000) FROM $file'

/** A file of random values without compression, of which every wrong byte is a wrong answer without an error. */
async function open(t: Test) {
  const lake = await openCachedLake(t)
  const file = await lake.write('a.parquet',
    'SELECT hash(i) % 100000 AS a, hash(i + 1) % 77777 AS b, hash(i + 2) AS c, i AS d FROM range(40000) t(i)',
    ', COMPRESSION uncompressed, ROW_GROUP_SIZE 10240')
  const right = await lake.oracle(file, sql)
  t.strictSame((await lake.ask(file, columns, sql)).rows, right)
  const name = (suffix: string): string => {
    const found = readdirSync(lake.cacheFolder).find(each => each.includes(suffix))
    if (found === undefined) throw new Error(`no ${suffix}`)
    return join(lake.cacheFolder, found)
  }
  /** Asks again; the bytes that had to be fetched. */
  const heals = async (what: string): Promise<number> => {
    lake.server.forget()
    t.strictSame((await lake.ask(file, columns, sql)).rows, right, what)
    const { bytes } = lake.server.traffic('get')
    lake.server.forget()
    t.strictSame((await lake.ask(file, columns, sql)).rows, right)
    t.equal(lake.server.requests, 0, `${what}: once`)
    return bytes
  }
  return { lake, file, name, heals, data: () => name('.data'), presence: () => name('.idx') }
}

/** The middle of the first chunk of column b. */
function inside(file: FileKey, path: string): number {
  const bytes = readFileSync(path)
  const footer = bytes.subarray(bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8), -8)
  const [{ from, to } = { from: 0, to: 0 }] = parquetLayout(footer, file).chunks[1] ?? []
  return Math.floor((from + to) / 2)
}

function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

t.test('a flipped byte, a hole, a file cut short: what is damaged is fetched again, and no more', async t => {
  const { lake, file, heals, data } = await open(t)
  const at = inside(file, data())
  const before = readFileSync(data())
  overwrite(data(), at, Buffer.from([before.readUInt8(at) ^ 0xff]))
  const chunkBytes = await heals('a flipped byte')
  t.ok(chunkBytes > 0 && chunkBytes < file.sizeBytes / 10, `${chunkBytes}`)
  overwrite(data(), at - 2048, Buffer.alloc(4096))
  t.equal(await heals('a hole'), chunkBytes)
  truncateSync(data(), at)
  t.ok(await heals('cut short') > chunkBytes)
  truncateSync(data(), 0)
  await heals('emptied')
  t.equal(lake.cache.status().damaged, 2, 'and without its footer a file is given up')
})

t.test('the same over a restart', async t => {
  const { lake, file, heals, data, presence } = await open(t)
  await lake.restart()
  t.equal(await heals('nothing'), 0)
  truncateSync(presence(), statSync(presence()).size - 7)
  await lake.restart()
  const lost = await heals('the last record torn')
  t.ok(lost > 0 && lost < file.sizeBytes / 5)
  appendFileSync(presence(), Buffer.alloc(33, 7))
  await lake.restart()
  t.equal(await heals('something behind the records'), 0)
  const at = inside(file, data())
  overwrite(data(), at, Buffer.alloc(8))
  await lake.restart()
  const chunkBytes = await heals('a hole')
  t.ok(chunkBytes > 0 && chunkBytes < file.sizeBytes / 10)
  rmSync(presence())
  await lake.restart()
  t.match(lake.cache.status(), { files: 0, usedBytes: 0 })
  t.ok(await heals('no presence record') > file.sizeBytes / 2)
  writeFileSync(presence(), 'not ours')
  await lake.restart()
  await heals('another presence record')
  rmSync(data())
  await lake.restart()
  await heals('no data')
  t.equal(readdirSync(lake.cacheFolder).length, 3, 'and nothing is left over')
})

t.test('a damaged footer, or a file that is gone, is made anew under another name', async t => {
  const { file, heals, data } = await open(t)
  const first = data()
  overwrite(first, file.sizeBytes - 40, Buffer.alloc(8, 9))
  await heals('footer')
  t.not(data(), first)
  rmSync(data())
  await heals('gone')
})

t.test('what DuckDB stumbles over is brought anew, with all columns, once', async t => {
  const { lake, file, data } = await open(t)
  const path = data()
  t.equal(await lake.cache.distrust([path]), true)
  const again = await lake.ask(file, ['a'], 'SELECT sum(d) FROM $file')
  t.strictSame(again.rows, await lake.oracle(file, 'SELECT sum(d) FROM $file'), 'a column that was not asked for')
  t.not(again.path, path)
  t.equal(await lake.cache.distrust([again.path]), false)
  t.equal(await lake.cache.distrust(['elsewhere']), false)
})
