/** A folder as a bucket: etags, ranges, lists, and no way out. */

import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CarriedFiles } from '../../cache/carried-files.ts'
import { ColumnCache } from '../../cache/column-cache.ts'
import { FileSource } from '../../cache/file-source.ts'
import { LocalStore } from '../../cache/local-store.ts'
import type { ListOptions } from '../../cache/object-store.ts'
import { systemClock } from '../../proto/clock.ts'
import { noPeers } from './no-peers.ts'

function bucket(t: Test) {
  const root = mkdtempSync(join(tmpdir(), 'skein-bucket-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const folder = join(root, 'lake')
  for (const name of ['lake/a/b', 'lake/c', 'outside']) mkdirSync(join(root, name), { recursive: true })
  const put = (key: string, text = key) => writeFileSync(join(folder, key), text)
  put('top'), put('a/x'), put('a/b/y'), put('c/z')
  writeFileSync(join(root, 'outside/secret'), 'secret')
  const store = new LocalStore('lake', folder)
  const list = async (prefix = '', options?: ListOptions) => {
    const keys: string[] = []
    for await (const { key } of store.list(prefix, options)) keys.push(key)
    return keys.sort()
  }
  return { root, folder, put, store, list }
}

t.test('objects are listed under a prefix, without entering folders that are not wanted', async t => {
  const { list } = bucket(t)
  t.strictSame(await list(), ['a/b/y', 'a/x', 'c/z', 'top'])
  t.strictSame(await list('a/'), ['a/b/y', 'a/x'])
  t.strictSame(await list('a'), ['a/b/y', 'a/x'])
  t.strictSame(await list('a/b/y'), ['a/b/y'])
  t.strictSame(await list('none/'), [])
  const asked: string[] = []
  t.strictSame(await list('', { wants: path => (asked.push(path), path !== 'a/') }), ['c/z', 'top'])
  t.notOk(asked.includes('a/b/'))
})

t.test('a range is exactly the bytes asked for', async t => {
  const { store } = bucket(t)
  const { etag, sizeBytes } = await store.head('a/b/y')
  t.equal(sizeBytes, 5)
  t.strictSame(Buffer.from(await store.readRange('a/b/y', 1, 4, etag)).toString(), '/b/')
  await t.rejects(store.readRange('a/b/y', 3, 9, etag), { code: 'FILE_CHANGED' })
})

t.test('a file that was written, touched or replaced has another etag', async t => {
  const { store, put, folder } = bucket(t)
  const { etag } = await store.head('top')
  const changed = async (what: string) => {
    const expected = { code: 'FILE_CHANGED', message: /'top' in bucket lake has changed/ }
    await t.rejects(store.readRange('top', 0, 1, etag), expected, what)
    await t.rejects(store.localPath('top', etag), { code: 'FILE_CHANGED' }, what)
  }
  put('top', 'longer text')
  await changed('written')
  put('top')
  utimesSync(join(folder, 'top'), 1, 2)
  await changed('touched')
  put('new')
  renameSync(join(folder, 'new'), join(folder, 'top'))
  await changed('replaced')
  rmSync(join(folder, 'top'))
  await t.rejects(store.readRange('top', 0, 1, etag), { code: 'FILE_NOT_FOUND' })
})

t.test('no key leaves the folder', async t => {
  const { store, root, folder, list } = bucket(t)
  symlinkSync(join(root, 'outside/secret'), join(folder, 'c/link'))
  symlinkSync(join(root, 'outside'), join(folder, 'c/folder'))
  const keys = [
    '../outside/secret', 'a/../../outside/secret', '/etc/passwd', 'c/link', 'c/folder/secret', '', '.', 'a//x', 'a\0',
  ]
  for (const key of keys) {
    await t.rejects(store.head(key), { code: 'PERMISSION_DENIED' }, key)
    await t.rejects(store.localPath(key, 'e'), { code: 'PERMISSION_DENIED' }, key)
    await t.rejects(store.readRange(key, 0, 1, 'e'), { code: 'PERMISSION_DENIED' }, key)
  }
  await t.rejects(list('c/'), { code: 'PERMISSION_DENIED' })
  await t.rejects(list('../outside/'), { code: 'PERMISSION_DENIED' })
  t.strictSame(await list('a/'), ['a/b/y', 'a/x'], 'a link elsewhere does not matter')
})

t.test('links inside the folder are followed, links to nothing are not there', async t => {
  const { store, folder, list } = bucket(t)
  symlinkSync(join(folder, 'a/b'), join(folder, 'c/inside'))
  symlinkSync(join(folder, 'gone'), join(folder, 'c/nothing'))
  t.strictSame(await list('c/'), ['c/inside/y', 'c/z'])
  t.equal((await store.head('c/inside/y')).etag, (await store.head('a/b/y')).etag)
  symlinkSync('..', join(folder, 'a/b/loop'))
  await t.rejects(list('a/'), { code: 'INVALID_REQUEST' }, 'a loop of links ends')
})

t.test('what is missing is named', async t => {
  const { store, root } = bucket(t)
  await t.rejects(store.head('a/none'), { code: 'FILE_NOT_FOUND', message: `no file 'a/none' in bucket lake` })
  await t.rejects(store.head('a'), { code: 'FILE_NOT_FOUND' }, 'a folder is no file')
  const nowhere = new LocalStore('lake', join(root, 'none'))
  await t.rejects(nowhere.head('x'), { code: 'FILE_NOT_FOUND', message: /^bucket lake: no folder / })
})

t.test('an executor gets the path of a local file, checked', async t => {
  const { store, folder } = bucket(t)
  const cache = await ColumnCache.open({
    folder: join(folder, 'cache'), budgetBytes: 1e6, processId: process.pid, clock: systemClock, random: () => 0.5,
    newName: () => 'x', peers: noPeers,
  })
  t.teardown(() => cache.close())
  const source = new FileSource(new Map([['lake', store]]), cache, await CarriedFiles.open(join(folder, 'carried')))
  const file = { bucket: 'lake', ...await store.head('a/x') }
  const open = (changes: Partial<typeof file>) => source.open(
    [{ file: { ...file, ...changes }, isParquet: true, columns: null, rows: null, passing: false, peer: null }],
    new AbortController().signal)
  t.strictSame((await open({})).files, [{ path: join(folder, 'a/x'), bytesFetched: 0, bytesCached: 0 }])
  await t.rejects(open({ etag: 'old' }), { code: 'FILE_CHANGED' })
  await t.rejects(open({ bucket: 'none' }), { code: 'FILE_NOT_FOUND' })
})
