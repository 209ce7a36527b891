/** The result spool: tailing, ends, bounds. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ResultSpool } from '../../executor/result-spool.ts'
import { ByteBudget } from '../../executor/byte-budget.ts'
import { SpoolMemory } from '../../executor/spool-memory.ts'
import { systemClock, type Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import { HandClock } from './hand-clock.ts'
import { temporaryFolder } from './workbench.ts'

const never = new AbortController().signal

/** A frame whose header is its number and whose body repeats it. */
function frame(n: number, byteCount: number) {
  let released = 0
  const bytes = Buffer.alloc(byteCount, n)
  return { header: Uint8Array.of(n), body: { bytes, release: () => { released++ } }, released: () => released }
}

function spool(t: Test, memoryBytes: number, diskBytes: number, clock: Clock = systemClock) {
  const folder = join(temporaryFolder(t), 'spool')
  const [memory, disk] = [new SpoolMemory(memoryBytes), new ByteBudget(diskBytes)]
  const result = new ResultSpool({ folder, memory, disk, clock })
  t.teardown(() => result.remove())
  return { result, folder }
}

async function read(from: AsyncIterable<{ dataHeader: Uint8Array; dataBody: Uint8Array }>): Promise<string[]> {
  const seen: string[] = []
  for await (const { dataHeader, dataBody } of from) {
    seen.push(`${dataHeader[0]}:${dataBody.length}${dataBody.every(byte => byte === dataHeader[0]) ? '' : ' damaged'}`)
  }
  return seen
}

t.test('readers tail it, from any frame, from memory and from disk alike', async t => {
  const { result, folder } = spool(t, 250, 10_000)
  const early = [read(result.read(0, never)), read(result.read(4, never))]
  for (let n = 0; n < 6; n++) {
    const { header, body } = frame(n, 100)
    await result.append(header, body)
  }
  t.ok(existsSync(folder), 'some frames are on disk')
  result.complete()
  const all = Array.from({ length: 6 }, (_, n) => `${n}:100`)
  t.strictSame(await Promise.all(early), [all, all.slice(4)])
  t.strictSame(await read(result.read(1, never)), all.slice(1), 'again')
  result.fail(new QueryError('CANCELLED', 'released'))
  await result.remove()
  t.notOk(existsSync(folder))
})

t.test('a reader that keeps up reads from memory; what it has passed goes to disk, also of another spool', async t => {
  const folder = join(temporaryFolder(t), 'spool')
  const [memory, disk] = [new SpoolMemory(250), new ByteBudget(10_000)]
  const family = new Set<ResultSpool>()
  const [one, other] = ['one', 'other'].map(name =>
    new ResultSpool({ folder: join(folder, name), memory, disk, clock: systemClock, family }))
  if (one === undefined || other === undefined) throw new Error('two spools')
  t.teardown(() => Promise.all([one.remove(), other.remove()]))
  const frames = Array.from({ length: 8 }, (_, n) => frame(n, 100))
  for (const [i, spool] of [one, other].entries()) {
    const reading = spool.read(0, never)
    for (const { header, body } of frames.slice(4 * i, 4 * i + 4)) {
      await spool.append(header, body)
      t.equal((await reading.next()).value?.dataBody, body.bytes, 'the very bytes that were made')
    }
    spool.complete()
    t.strictSame(await reading.next(), { done: true, value: undefined })
  }
  t.strictSame(frames.map(({ released }) => released()), [1, 1, 1, 1, 1, 1, 0, 0], 'two of eight fit')
  t.strictSame(await read(one.read(0, never)), ['0:100', '1:100', '2:100', '3:100'], 'read again')
  t.strictSame(await read(other.read(0, never)), ['4:100', '5:100', '6:100', '7:100'])
  t.equal(disk.freeBytes, 9_400)
  await Promise.all([one.remove(), other.remove()])
  t.strictSame([memory.freeBytes, disk.freeBytes], [250, 10_000])
})

t.test('a failure ends readers with its cause, also those that have read everything', async t => {
  const { result } = spool(t, 1000, 1000)
  const { header, body } = frame(1, 10)
  await result.append(header, body)
  const reading = read(result.read(0, never))
  await new Promise(resolve => { setImmediate(resolve) })
  result.fail(new QueryError('EXECUTION_ERROR', 'boom'))
  await t.rejects(reading, { code: 'EXECUTION_ERROR', message: 'boom' })
  await t.rejects(result.append(header, body), { code: 'EXECUTION_ERROR' })
})

t.test('a reader that goes away ends without waiting for a frame', async t => {
  const { result } = spool(t, 1000, 1000)
  const controller = new AbortController()
  const reading = read(result.read(0, controller.signal))
  controller.abort()
  await t.rejects(reading, { code: 'CANCELLED' })
})

t.test('a full spool waits for its slowest reader, and drops what was read', async t => {
  const { result } = spool(t, 100, 200)
  const frames = Array.from({ length: 8 }, (_, n) => frame(n, 100))
  const reader = result.read(0, never)[Symbol.asyncIterator]()
  const writing = (async () => {
    for (const { header, body } of frames) await result.append(header, body)
    result.complete()
  })()
  const seen: number[] = []
  for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
    seen.push(next.value.dataBody[0] ?? -1)
    await new Promise(resolve => { setImmediate(resolve) })
  }
  await writing
  t.strictSame(seen, [0, 1, 2, 3, 4, 5, 6, 7])
  t.equal(frames[0]?.released(), 1, 'its memory was given back')
  await t.rejects(read(result.read(0, never)), { code: 'NOT_FOUND' }, 'what is dropped cannot be read again')
})

t.test('a full spool that nobody reads is RESULT_TOO_LARGE after a while', async t => {
  let [nowMs, ring] = [0, (): void => undefined]
  const after = (_: number, callback: () => void) => {
    ring = callback
    return () => undefined
  }
  const clock: Clock = { nowMs: () => nowMs, wallMs: () => nowMs, after }
  const { result } = spool(t, 100, 100, clock)
  for (let n = 0; n < 2; n++) {
    const { header, body } = frame(n, 100)
    await result.append(header, body)
  }
  const { header, body } = frame(2, 100)
  const late = result.append(header, body)
  await new Promise(resolve => { setImmediate(resolve) })
  nowMs = 60_000
  ring()
  await t.rejects(late, { code: 'RESULT_TOO_LARGE' })
})

t.test('spools of a family make room for each other, and one that nobody has read waits for its turn', async t => {
  let [nowMs, ring] = [0, (): void => undefined]
  const after = (_: number, callback: () => void) => {
    ring = callback
    return () => undefined
  }
  const clock: Clock = { nowMs: () => nowMs, wallMs: () => nowMs, after }
  const [memory, disk] = [new SpoolMemory(300), new ByteBudget(140)]
  const family = new Set<ResultSpool>()
  const [first, second] = ['a', 'b'].map(name =>
    new ResultSpool({ folder: join(temporaryFolder(t), name), memory, disk, clock, family }))
  if (first === undefined || second === undefined) throw new Error('two spools')
  const put = async (into: ResultSpool, n: number): Promise<void> => {
    const { header, body } = frame(n, 100)
    await into.append(header, body)
  }
  for (let n = 0; n < 4; n++) await put(first, n)
  first.complete()
  let isStored = false
  const storing = put(second, 7).then(() => { isStored = true })
  for (let i = 0; i < 5; i++) {
    nowMs += 100_000
    ring()
    await new Promise(resolve => { setImmediate(resolve) })
  }
  t.equal(isStored, false, 'there is no room, and no end to its waiting')
  t.equal((await read(first.read(0, never))).length, 4)
  await storing
  second.complete()
  t.strictSame(await read(second.read(0, never)), ['7:100'])
  await Promise.all([first.remove(), second.remove()])
  t.equal(family.size, 0)
})

t.test('what waits for its turn leaves room to the one that is read, however much it has to store', async t => {
  const [memory, disk] = [new SpoolMemory(0), new ByteBudget(1_000)]
  const family = new Set<ResultSpool>()
  const [read, waiting] = ['a', 'b'].map(name =>
    new ResultSpool({ folder: join(temporaryFolder(t), name), memory, disk, clock: systemClock, family }))
  if (read === undefined || waiting === undefined) throw new Error('two spools')
  const put = async (into: ResultSpool, n: number): Promise<void> => {
    const { header, body } = frame(n, 100)
    await into.append(header, body)
  }
  const reader = read.read(0, never)
  const first = reader.next()
  let stored = 0
  const filling = (async () => {
    for (let n = 0; n < 20; n++, stored++) await put(waiting, n)
  })()
  while (disk.freeBytes > 300) await new Promise(resolve => { setImmediate(resolve) })
  for (let n = 0; n < 9; n++) {
    await put(read, n)
    t.equal((await (n === 0 ? first : reader.next())).value?.dataHeader[0], n)
  }
  t.equal(stored, 7, 'of the disk a quarter is left')
  const cause = new QueryError('CANCELLED', 'the test is over')
  read.fail(cause)
  waiting.fail(cause)
  await t.rejects(filling, { code: 'CANCELLED' })
  await Promise.all([read.remove(), waiting.remove()])
})

t.test('what nobody reads leaves its memory to a result that is read, and is whole', async t => {
  let nowMs = 0
  const clock: Clock = { ...systemClock, nowMs: () => nowMs }
  const MIB = 1024 * 1024
  const [memory, disk] = [new SpoolMemory(4 * MIB), new ByteBudget(100 * MIB)]
  const [stalled, fast] = ['a', 'b'].map(name =>
    new ResultSpool({ folder: join(temporaryFolder(t), name), memory, disk, clock }))
  if (stalled === undefined || fast === undefined) throw new Error('two spools')
  const frames = Array.from({ length: 10 }, (_, n) => frame(n, MIB))
  const put = async (into: ResultSpool, n: number): Promise<void> => {
    const { header, body } = frames[n] ?? frame(n, MIB)
    await into.append(header, body)
  }
  const slow = stalled.read(0, never)
  for (let n = 0; n < 4; n++) await put(stalled, n)
  stalled.complete()
  const first = await slow.next()
  const reader = fast.read(0, never)
  await put(fast, 4)
  t.equal(disk.freeBytes, 99 * MIB, 'nothing is taken from who has just been read')
  t.strictSame((await reader.next()).value?.dataHeader, Uint8Array.of(4))
  nowMs = 500
  for (let n = 5; n < 9; n++) {
    const next = reader.next()
    await put(fast, n)
    t.equal((await next).value?.dataBody, frames[n]?.body.bytes, 'the very bytes that were made')
  }
  fast.complete()
  t.equal((await reader.next()).done, true)
  t.equal(frames[0]?.released(), 0, 'its reader still has it')
  t.equal(first.value?.dataBody[0], 0)
  t.strictSame(await read(slow), ['1:1048576', '2:1048576', '3:1048576'])
  t.strictSame(frames.slice(0, 4).map(({ released }) => released()), [0, 1, 1, 1])
  await Promise.all([stalled.remove(), fast.remove()])
  t.strictSame([memory.freeBytes, disk.freeBytes], [4 * MIB, 100 * MIB])
})

t.test('writers that wait for room end with their spool, whenever it fails', async t => {
  for (let turns = 0; turns < 6; turns++) {
    const { result } = spool(t, 100, 100, new HandClock())
    const [first, second, ...others] = [0, 1, 2, 3].map(n => frame(n, 100))
    for (const each of [first, second]) if (each !== undefined) await result.append(each.header, each.body)
    const refused = others.map(({ header, body }) => t.rejects(result.append(header, body), { code: 'CANCELLED' }))
    for (let i = 0; i < turns; i++) await Promise.resolve()
    result.fail(new QueryError('CANCELLED', 'released'))
    await Promise.all(refused)
  }
})

t.test('a spool tells once when there is no room for all that it is given', async t => {
  let told = 0
  const folder = join(temporaryFolder(t), 'spool')
  const [memory, disk] = [new SpoolMemory(100), new ByteBudget(100)]
  const result = new ResultSpool({ folder, memory, disk, clock: systemClock, onOutgrown: () => { told++ } })
  t.teardown(() => result.remove())
  const [first, second, ...others] = [0, 1, 2, 3].map(n => frame(n, 100))
  for (const each of [first, second]) if (each !== undefined) await result.append(each.header, each.body)
  t.strictSame([told, result.hasOutgrown], [0, false], 'memory and disk have room for all')
  const waiting = others.map(({ header, body }) => result.append(header, body))
  while (!result.hasOutgrown) await new Promise(resolve => { setImmediate(resolve) })
  const refused = waiting.map(each => t.rejects(each, { code: 'CANCELLED' }))
  result.fail(new QueryError('CANCELLED', 'released'))
  await Promise.all(refused)
  t.equal(told, 1)
})
