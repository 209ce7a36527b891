/** Files that came along: there while somebody reads them, once however many do. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CarriedFiles } from '../../cache/carried-files.ts'
import { ColumnCache } from '../../cache/column-cache.ts'
import { FileSource } from '../../cache/file-source.ts'
import { CARRIED, type CarriedFile } from '../../cache/key.ts'
import { LocalStore } from '../../cache/local-store.ts'
import { systemClock } from '../../proto/clock.ts'
import { noPeers } from './no-peers.ts'

const file = (text: string): CarriedFile =>
  ({ bucket: CARRIED, key: text, etag: text, sizeBytes: text.length, content: Buffer.from(text) })

async function folderOf(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-carried-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

t.test('a file is written once, and goes with its last reader', async t => {
  const folder = join(await folderOf(t), 'carried')
  const files = await CarriedFiles.open(folder)
  const [first, second] = await Promise.all([files.open([file('a'), file('b'), file('a')]), files.open([file('a')])])
  t.equal(first.paths[0], first.paths[2])
  t.equal(first.paths[0], second.paths[0])
  t.equal(await readFile(first.paths[1] ?? '', 'utf8'), 'b')
  await first.release()
  await first.release()
  t.equal(await readFile(second.paths[0] ?? '', 'utf8'), 'a')
  await second.release()
  t.strictSame(await readdir(folder), [])
  const again = await files.open([file('a')])
  t.not(again.paths[0], second.paths[0], 'no path is used twice')
  await writeFile(join(folder, 'left'), '')
  await CarriedFiles.open(folder)
  t.strictSame(await readdir(folder), [], 'a start begins with none')
})

t.test('they are opened among others in their places, and go if one of those is missing', async t => {
  const folder = await folderOf(t)
  await writeFile(join(folder, 'x'), 'local')
  const store = new LocalStore('lake', folder)
  const cache = await ColumnCache.open({
    folder: join(folder, 'cache'), budgetBytes: 1e6, processId: process.pid, clock: systemClock, random: () => 0.5,
    newName: () => 'x', peers: noPeers,
  })
  t.teardown(() => cache.close())
  const source = new FileSource(new Map([['lake', store]]), cache, await CarriedFiles.open(join(folder, 'carried')))
  const local = { bucket: 'lake', ...await store.head('x') }
  const wanted = [file('a'), local, file('b')].map(file =>
    ({ file, isParquet: true, columns: null, rows: null, passing: false, peer: null }))
  const signal = new AbortController().signal
  const opened = await source.open(wanted, signal)
  const texts = await Promise.all(opened.files.map(({ path }) => readFile(path, 'utf8')))
  t.strictSame(texts, ['a', 'local', 'b'])
  await opened.release()
  const missing = { ...local, etag: 'old' }
  await t.rejects(source.open([...wanted, { ...wanted[1], file: missing } as typeof wanted[0] & object], signal),
    { code: 'FILE_CHANGED' })
  t.strictSame(await readdir(join(folder, 'carried')), [])
})
