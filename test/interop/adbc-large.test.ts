/** 10 million rows through the ADBC driver: the coordinator holds none of them, and a killed client leaves nothing. */

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Skein } from '../cluster/skein.ts'
import { Operator, until } from '../cluster/watch.ts'
import { delay, systemClock } from '../../proto/clock.ts'
import { pythonClient, run } from './clients.ts'
import { scriptPath } from './python.ts'

const ROWS = 10_000_000
/** What is held back before the first row goes out (32 MiB), what four parts have under way, and V8's own slack. */
const MAX_GROWTH_BYTES = 128 * 1024 * 1024
const SAMPLE_MS = 100
const FREED_WITHIN_MS = 1_000

const client = await pythonClient()

t.test('ADBC reads a large result', { skip: 'missing' in client ? client.missing : false }, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'skein-large-'))
  const skein = await Skein.start({ folder, executors: 2, config: {} })
  const operator = new Operator(skein.doors)
  t.teardown(async () => {
    operator.close()
    await skein.stop()
    await rm(folder, { recursive: true })
  })
  const python = 'path' in client ? client.path : ''
  const address = new URL(skein.doors.flight ?? '').host
  const read = (rows: number) => run(python, [scriptPath('adbc_large.py'), address, String(rows)])
  const residentBytes = async (): Promise<number> => {
    const text = await (await fetch(new URL('/metrics', skein.doors.http))).text()
    return Number(/^skein_process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]
      ?? /^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1])
  }

  await t.test('the memory of the coordinator does not grow with it', async t => {
    await read(ROWS / 10)
    const before = await residentBytes()
    t.ok(before > 0)
    let [peak, isDone] = [before, false]
    const reading = read(ROWS).finally(() => { isDone = true })
    while (!isDone) {
      peak = Math.max(peak, await residentBytes())
      await delay(systemClock, SAMPLE_MS)
    }
    const { output } = await reading
    t.equal(output.trim(), `rows ${ROWS} sum ${BigInt(ROWS) * BigInt(ROWS - 1) / 2n}`)
    t.comment(`${before} bytes before, ${peak} at most`)
    t.ok(peak - before < MAX_GROWTH_BYTES, `${peak - before} bytes more`)
  })

  await t.test('a client that is killed in the middle leaves nothing that runs', async t => {
    const child = spawn(python, [scriptPath('adbc_large.py'), address, String(ROWS), 'hold'])
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve())
      child.once('exit', () => reject(new Error('it ended by itself')))
    })
    const running = async () => (await operator.queries()).filter(({ state }) => state === 'running').length
    t.equal(await running(), 1)
    child.kill('SIGKILL')
    const elapsedMs = await until('nothing runs', FREED_WITHIN_MS, async () => await running() === 0
      && (await operator.executors()).every(({ runningTasks }) => runningTasks === 0))
    t.comment(`${Math.round(elapsedMs)} ms`)
    t.equal((await operator.query('AS text FROM range'))?.state, 'cancelled')
  })
})
