/** Results that outlive their queries: what is given back, what goes, and what is not whole. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ByteBudget } from '../../executor/byte-budget.ts'
import { SpoolMemory } from '../../executor/spool-memory.ts'
import { KeptResults } from '../../executor/kept-results.ts'
import { ResultSpool } from '../../executor/result-spool.ts'
import { systemClock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import type { CoordinatorId, QueryId, TaskId } from '../../proto/ids.ts'

const coordinator = 'c' as CoordinatorId
const task = (query: string) => `${query}.0.0.0` as TaskId

function open(t: Test, budgetBytes: number) {
  const folder = mkdtempSync(join(tmpdir(), 'skein-kept-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const kept = new KeptResults(join(folder, 'results'), budgetBytes)
  /** Frames of these sizes, each of its own byte. */
  const spool = async (...sizes: number[]): Promise<ResultSpool> => {
    const made = new ResultSpool({
      folder: join(folder, 'spool'), memory: new SpoolMemory(1e9), disk: new ByteBudget(1e9), clock: systemClock,
    })
    for (const [i, size] of sizes.entries()) {
      await made.append(new Uint8Array([i]), { bytes: new Uint8Array(size).fill(i + 1), release: () => undefined })
    }
    made.complete()
    return made
  }
  const keep = async (query: string, ...sizes: number[]): Promise<void> => {
    const made = await spool(...sizes)
    await kept.keep(coordinator, query as QueryId, task(query), made)
    made.fail(new QueryError('CANCELLED', 'the query was released'))
    await made.remove()
  }
  /** Sizes of what is there, or undefined; every byte is looked at. */
  const read = async (query: string, from = 0): Promise<number[] | undefined> => {
    const frames = kept.read(query as QueryId, task(query), from)
    if (frames === undefined) return undefined
    const sizes = []
    for await (const { dataHeader, dataBody } of frames) {
      const expected = (dataHeader[0] ?? 0) + 1
      if (!dataBody.every(byte => byte === expected)) throw new Error('other bytes')
      sizes.push(dataBody.length)
    }
    return sizes
  }
  return { kept, spool, keep, read, folder: join(folder, 'results') }
}

t.test('small ones are in memory, others in a file each; both are read from any frame on', async t => {
  const { keep, read, kept, folder } = open(t, 100e6)
  await keep('small', 0, 10, 20)
  await keep('large', 0, 1e6, 2e6)
  t.strictSame(readdirSync(folder), ['large.0.0.0'])
  for (const [query, sizes] of [['small', [0, 10, 20]], ['large', [0, 1e6, 2e6]]] as const) {
    t.strictSame(await read(query), sizes)
    t.strictSame(await read(query, 2), sizes.slice(2))
  }
  t.equal(kept.read('small' as QueryId, task('other'), 0), undefined)
  t.match(kept.status(), { results: 2, resultHits: 4 }, 'each was read to its end twice')
})

t.test('the longest unread makes room, and nothing of it is left', async t => {
  const { keep, read, kept, folder } = open(t, 10e6)
  for (const query of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) await keep(query, 1e6)
  await read('a')
  await keep('j', 1e6)
  const there = []
  for (const query of 'abcdefghij') if (await read(query) !== undefined) there.push(query)
  t.strictSame(there.join(''), 'acdefghij')
  t.ok(kept.status().resultBytes <= 10e6)
  await keep('k', 1.3e6)
  t.equal(await read('k'), undefined, 'an eighth of the budget at most')
  kept.forget(null)
  await new Promise(resolve => { setImmediate(resolve) })
  t.match(kept.status(), { results: 0, resultBytes: 0 })
  t.equal(await read('a'), undefined)
  t.ok(readdirSync(folder).length <= 10)
})

t.test('who reads one that has to go reads it to its end', async t => {
  const { keep, kept } = open(t, 100e6)
  await keep('q', 1e6, 1e6, 1e6)
  const frames = kept.read('q' as QueryId, task('q'), 0)
  await frames?.next()
  kept.forget(coordinator)
  let count = 1
  for await (const { dataBody } of frames ?? []) count += dataBody.length === 1e6 ? 1 : 0
  t.equal(count, 3)
})

t.test('bytes that have changed on disk are given to nobody', async t => {
  const { keep, read, kept, folder } = open(t, 100e6)
  await keep('q', 1e6, 1e6)
  const path = join(folder, 'q.0.0.0')
  const bytes = readFileSync(path)
  bytes.writeUInt8(99, 1_500_000)
  writeFileSync(path, bytes)
  await t.rejects(read('q'), { code: 'NOT_FOUND' })
  t.equal(await read('q'), undefined)
  await keep('r', 1e6)
  rmSync(join(folder, 'r.0.0.0'))
  await t.rejects(read('r'), { code: 'NOT_FOUND' })
  t.equal(kept.status().results, 0)
})

t.test('what is not complete is not kept', async t => {
  const { spool, kept } = open(t, 100e6)
  const failed = await spool(10)
  failed.fail(new QueryError('EXECUTION_ERROR', 'x'))
  await kept.keep(coordinator, 'q' as QueryId, task('q'), failed)
  t.equal(kept.read('q' as QueryId, task('q'), 0), undefined)
  const none = open(t, 0)
  await none.keep('q', 10)
  t.equal(none.kept.status().results, 0)
})
