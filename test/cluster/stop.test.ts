/** The end of a cluster: by SIGTERM, by the death of one of its processes; and what the next start finds. */

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { descendants } from '../../bench/processes.ts'
import { systemClock } from '../../proto/clock.ts'
import { startCommand } from './command.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { Operator, processesWith, until, workFiles } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-stop-'))
await writeFaultTables(folder)
t.teardown(() => rm(folder, { recursive: true }))

const STOPPED_WITHIN_MS = 10_000
const GONE_WITHIN_MS = 10_000
const BUSY_WITHIN_MS = 20_000

const endless = 'SELECT sum(hash(a.id, b.id, c.id)) FROM rows a JOIN rows b USING (grp) JOIN rows c USING (grp)'
const flowing = 'SELECT i FROM range(1000000000000) numbers(i)'

/** With a mark in the environment of all its processes. */
async function start(name: string): Promise<{ skein: Skein; data: string; mark: string }> {
  const mark = `${name} of ${folder}`
  const environment = { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0', MARK: mark }
  const skein = await Skein.start({
    folder: join(folder, name), executors: 2, config: faultConfig(folder), environment,
  })
  return { skein, data: join(folder, name, 'data'), mark }
}

/** Two queries that do not end, one that computes and has exchange files, and one whose rows have begun to flow. */
async function keepBusy(skein: Skein, data: string): Promise<Promise<string>[]> {
  let flows = false
  const outcomes = [endless, flowing].map(async sql => {
    try {
      const format = sql === flowing ? 'csv' : 'default'
      const response = await skein.request('POST', '/query', { statement: sql, format })
      for await (const _ of response) flows ||= sql === flowing && response.statusCode === 200
      return response.complete ? 'complete' : 'broken'
    } catch {
      return 'broken'
    }
  })
  await until('it is busy', BUSY_WITHIN_MS, () => flows && workFiles(data).some(file => file.endsWith('.parquet')))
  return outcomes
}

t.test('SIGTERM ends everything within ten seconds while queries run', async t => {
  const { skein, data, mark } = await start('terminated')
  const outcomes = await keepBusy(skein, data)
  const startMs = systemClock.nowMs()
  await skein.stop() // fails if a process of the tree is left, or if the status is not 0
  const ms = systemClock.nowMs() - startMs
  t.ok(ms < STOPPED_WITHIN_MS, `${Math.round(ms)} ms`)
  t.strictSame(processesWith(mark), [])
  t.strictSame(workFiles(data), [])
  t.notOk(existsSync(join(data, 'skein.pid')), 'no lock')
  const ends = await Promise.all(outcomes)
  t.equal(ends[1], 'broken', 'no shortened answer looks complete')
})

t.test('SIGTERM while it starts', async t => {
  const [file, mark] = [join(folder, 'early.yaml'), `early of ${folder}`]
  const listen = { http: '127.0.0.1:0', flight: '127.0.0.1:0', admin: '127.0.0.1:0' }
  await writeFile(file, JSON.stringify({ data_dir: 'early', listen }))
  const command = startCommand(['start', '--config', file, '--executors', '2'], { environment: { MARK: mark } })
  await until('a child is there', BUSY_WITHIN_MS, () => descendants(command.process.pid ?? 0).length > 0)
  command.process.kill('SIGTERM')
  const { status, stdout, stderr } = await command.ended
  t.strictSame({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' })
  t.strictSame(processesWith(mark), [])
})

t.test('the parent is killed: its children end by themselves', async t => {
  const { skein, data, mark } = await start('orphaned')
  const outcomes = await keepBusy(skein, data)
  process.kill(skein.pid, 'SIGKILL')
  const ms = await until('all are gone', GONE_WITHIN_MS, () => processesWith(mark).length === 0)
  t.ok(ms < GONE_WITHIN_MS, `${Math.round(ms)} ms`)
  t.equal((await Promise.all(outcomes))[1], 'broken')
})

t.test('the coordinator is killed: start ends with an error, and takes the executors with it', async t => {
  const { skein, mark } = await start('headless')
  const tree = skein.processes()
  const executors = await executorPids(skein)
  const [coordinator = 0] = tree.filter(pid => !executors.includes(pid) && descendants(skein.pid).includes(pid))
  process.kill(coordinator, 'SIGKILL')
  const end = await skein.ended
  t.equal(end, 1)
  t.equal(skein.errors, 'error: UNAVAILABLE: the coordinator ended: signal SIGKILL\n')
  await until('all are gone', GONE_WITHIN_MS, () => processesWith(mark).length === 0)
})

t.test('all are killed: the next start removes what they left', async t => {
  const { skein, data, mark } = await start('crashed')
  const outcomes = await keepBusy(skein, data)
  const operator = new Operator(skein.doors)
  const before = (await operator.executors()).map(({ id }) => id).sort()
  operator.close()
  // the parent last: children that lose it tidy up
  for (const pid of [...skein.processes(), skein.pid]) process.kill(pid, 'SIGKILL')
  await until('all are gone', GONE_WITHIN_MS, () => processesWith(mark).length === 0)
  await Promise.all(outcomes)
  t.ok(workFiles(data).length > 0, 'files were left')
  await mkdir(join(data, 'executor-1', 'spool', 'old'), { recursive: true })
  await writeFile(join(data, 'executor-1', 'spool', 'old', 'frames'), 'frames')
  const { skein: next } = await start('crashed')
  t.strictSame(workFiles(data), [])
  t.match(await next.query('SELECT count(*) FROM small'), { answer: { rows: [['300']] } })
  const again = new Operator(next.doors)
  t.strictSame((await again.executors()).map(({ id }) => id).sort(), before, 'executors keep their ids')
  again.close()
  await next.stop()
  t.strictSame(workFiles(data), [])
})

async function executorPids(skein: Skein): Promise<number[]> {
  const operator = new Operator(skein.doors)
  const pids = (await operator.executors()).map(({ pid }) => pid)
  operator.close()
  return pids
}
