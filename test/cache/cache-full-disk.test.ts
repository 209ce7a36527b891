/**
 * A disk that is full before the cache's budget is: a file system of a few megabytes, which only root may mount; who is
 * not is told so.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, statfsSync, writeFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { FileKey } from '../../cache/key.ts'
import { QueryError } from '../../proto/errors.ts'
import { openCachedLake } from './cached-lake.ts'

const SIZE_BYTES = 6 * 1024 * 1024

const disk = mkdtempSync(join(tmpdir(), 'skein-disk-'))
const refusal = mount(disk)

function mount(folder: string): string | false {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_BYTES}`, 'skein', folder], { stdio: 'pipe' })
    return false
  } catch (error) {
    return `a small file system cannot be mounted: ${error instanceof Error ? error.message : String(error)}`
  }
}

t.teardown(() => {
  if (refusal === false) execFileSync('umount', [disk])
  rmdirSync(disk)
})

const free = (): number => {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}

t.test('what does not fit drives others out, a disk without room is a typed error, and it heals', {
  skip: refusal,
}, async t => {
  const lake = await openCachedLake(t, 1e9, disk)
  const columns = ['a', 'b', 'c']
  const files: FileKey[] = []
  for (let i = 0; i < 6; i++) {
    files.push(await lake.write(`f${i}`, `SELECT hash(i) AS a, hash(i + 1) AS b, hash(i + 2) AS c
      FROM range(${80_000 + i}) t(i)`, ', COMPRESSION uncompressed, ROW_GROUP_SIZE 8192'))
  }
  const sql = 'SELECT count(*), sum(a % 1000), sum(b % 1000), sum(c % 1000) FROM $file'
  const right = await Promise.all(files.map(file => lake.oracle(file, sql)))
  const wrong: string[] = []
  let full = 0
  const askAll = async (): Promise<void> => {
    for (const [i, file] of files.entries()) {
      try {
        const { rows } = await lake.ask(file, columns, sql)
        if (JSON.stringify(rows.map(String)) !== JSON.stringify(right[i]?.map(String))) wrong.push(`file ${i}`)
      } catch (error) {
        if (!(error instanceof QueryError) || error.code !== 'DISK_FULL') throw error
        full++
      }
    }
  }
  await askAll()
  await askAll()
  t.strictSame([wrong, full], [[], 0], 'three times the disk passes through it')
  const filler = join(disk, 'filler')
  await lake.cache.evict(() => true)
  writeFileSync(filler, Buffer.alloc(Math.max(0, free() - 400_000), 1))
  await askAll()
  t.strictSame(wrong, [])
  t.equal(full, files.length, 'no file fits any more')
  rmSync(filler)
  full = 0
  await askAll()
  t.strictSame([wrong, full], [[], 0], 'and with room again all is well')
  await lake.restart()
  await askAll()
  t.strictSame([wrong, full], [[], 0], 'after a restart too')
})
