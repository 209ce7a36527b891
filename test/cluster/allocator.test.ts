/** What executors tell DuckDB's allocator, by its own report of what it took. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Skein } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-allocator-'))
t.teardown(() => rm(folder, { recursive: true }))

const EXECUTORS = 2

/** What the allocators of all processes were told, and what of it they took, each in lines of its own. */
async function heard(name: string, configuration: string): Promise<{ told: string[]; taken: string[] }> {
  const skein = await Skein.start({
    folder: join(folder, name), executors: EXECUTORS, config: {},
    environment: { DUCKDB_JE_MALLOC_CONF: configuration },
  })
  await skein.stop()
  const all = (pattern: RegExp): string[] => [...skein.errors.matchAll(pattern)].map(([, text = '']) => text)
  return { told: all(/environment variable \w+\): "(.*)"$/gm), taken: all(/ -- Set conf value: (.*)$/gm) }
}

t.test('executors, and they alone, keep free memory for a while', async t => {
  const { told, taken } = await heard('default', 'confirm_conf:true')
  for (const value of ['dirty_decay_ms:10000', 'muzzy_decay_ms:60000']) {
    t.equal(taken.filter(one => one === value).length, EXECUTORS, value)
  }
  t.ok(told.length > EXECUTORS, 'other processes tell of theirs too')
})

t.test('who starts them has the last word', async t => {
  const own = 'muzzy_decay_ms:5000,confirm_conf:true'
  const { told, taken } = await heard('own', own)
  const longer = told.filter(text => text !== own)
  t.same(longer, Array.from({ length: EXECUTORS }, () => `dirty_decay_ms:10000,muzzy_decay_ms:60000,${own}`))
  t.equal(taken.filter(value => value === 'muzzy_decay_ms:5000').length, told.length)
})
