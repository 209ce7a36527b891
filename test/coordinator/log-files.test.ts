/** The log of queries on disk: what a crash leaves at any moment, the limits, and a disk that does not take it. */

import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Row } from '../../catalog/row-file.ts'
import { LogFiles } from '../../coordinator/system/log-files.ts'

const columns = [{ name: 'id', type: 'VARCHAR' }, { name: 'state', type: 'VARCHAR' }] as const

async function folderOf(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-log-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function open(folder: string, limits: { logBytes?: number; rowsOfFile?: number } = {}, faults: unknown[] = []) {
  return LogFiles.open({
    folder, columns, id: 0, limits, onFault: reason => faults.push(reason),
    died: ([id]) => [id ?? null, 'died'],
  })
}

async function ended(files: LogFiles): Promise<Row[]> {
  const all: Row[] = []
  for await (const rows of files.ended()) all.push(...rows)
  return all
}

async function numbered(files: LogFiles, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    files.start([`q${i}`, 'running'])
    files.end([`q${i}`, 'finished'])
    await files.flush()
  }
}

t.test('what has ended is there after a restart, once, and what has not has died', async t => {
  const folder = await folderOf(t)
  const files = await open(folder)
  files.start(['a', 'running'])
  files.start(['b', 'running'])
  files.end(['a', 'finished'])
  t.strictSame(await ended(files), [['a', 'finished']], 'before it is on disk')
  await files.flush()
  const again = await open(folder)
  t.strictSame(await ended(again), [['a', 'finished'], ['b', 'died']])
  t.strictSame(await ended(await open(folder)), [['a', 'finished'], ['b', 'died']], 'and after another')
})

t.test('a journal that a crash has cut loses its last line and nothing else', async t => {
  const folder = await folderOf(t)
  const files = await open(folder)
  await numbered(files, 0, 2)
  const [journal = ''] = (await readdir(folder)).filter(name => name.startsWith('journal'))
  const text = await readFile(join(folder, journal), 'utf8')
  await writeFile(join(folder, journal), text.slice(0, -4))
  t.strictSame(await ended(await open(folder)), [['q0', 'finished'], ['q1', 'died']])
})

t.test('a crash between the steps of a new file doubles nothing and loses nothing', async t => {
  const folder = await folderOf(t)
  const files = await open(folder, { rowsOfFile: 3 })
  files.start(['long', 'running'])
  await numbered(files, 0, 2)
  const [journal = ''] = (await readdir(folder)).filter(name => name.startsWith('journal'))
  await copyFile(join(folder, journal), join(folder, 'kept'))
  await numbered(files, 2, 3) // the journal becomes a file
  t.match(await readdir(folder), [/^journal-\d+2$/, 'kept', 'queries-00000001.parquet'])
  await copyFile(join(folder, 'kept'), join(folder, journal)) // as if it had not been removed yet
  const expected = [['q0', 'finished'], ['q1', 'finished'], ['q2', 'finished'], ['long', 'died']]
  t.strictSame(await ended(await open(folder)), expected)
  await rm(join(folder, 'queries-00000001.parquet'))
  const fresh = await folderOf(t)
  await copyFile(join(folder, 'kept'), join(fresh, 'journal-00000001'))
  await writeFile(join(fresh, 'journal-00000002'), '{"start":["long","running"]}\n') // the file was not written yet
  t.strictSame(await ended(await open(fresh)), [['q0', 'finished'], ['q1', 'finished'], ['long', 'died']])
})

t.test('the oldest go when all files together are too large', async t => {
  const folder = await folderOf(t)
  const files = await open(folder, { rowsOfFile: 10, logBytes: 1_500 })
  await numbered(files, 0, 100)
  const left = await ended(files)
  t.ok(left.length < 60 && left.length >= 10, `${left.length} are left`)
  t.strictSame(left.at(-1), ['q99', 'finished'])
})

t.test('a file of another version is read by the names of its columns', async t => {
  const folder = await folderOf(t)
  const files = await open(folder)
  await numbered(files, 0, 1)
  await open(folder) // now it is a Parquet file
  const more = [{ name: 'user', type: 'VARCHAR' }, ...columns] as const
  const later = await LogFiles.open({
    folder, columns: more, id: 1, onFault: reason => { throw reason }, died: start => start,
  })
  t.strictSame(await ended(later), [[null, 'q0', 'finished']])
})

t.test('what the disk does not take is counted, and no query fails for it', async t => {
  const folder = await folderOf(t)
  const faults: unknown[] = []
  const files = await open(folder, {}, faults)
  const [journal = ''] = await readdir(folder)
  await rm(join(folder, journal))
  await rm(folder, { recursive: true })
  await numbered(files, 0, 1)
  t.equal(files.lost, 2)
  t.equal(faults.length, 1)
  const crowded = await open(await folderOf(t))
  for (let i = 0; i < 5; i++) crowded.start([`q${i}`, 'x'.repeat(1_000_000)])
  t.equal(crowded.lost, 1, 'nor do records wait without end')
  await crowded.flush()
})

t.test('a damaged file is told of, and the others are read', async t => {
  const folder = await folderOf(t)
  const faults: unknown[] = []
  const files = await open(folder, { rowsOfFile: 1 }, faults)
  await numbered(files, 0, 2)
  const [first = ''] = (await readdir(folder)).filter(name => name.endsWith('.parquet'))
  await writeFile(join(folder, first), 'not Parquet')
  t.strictSame(await ended(files), [['q1', 'finished']])
  t.equal(faults.length, 1)
})
