/** Executors that drain, and are restarted one after another, under clients that do not notice. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from './command.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein, type SkeinOutcome } from './skein.ts'
import { Operator, until } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-drain-'))
await writeFaultTables(folder)
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: 3, config: { ...faultConfig(folder), node: { drain_timeout: '30s' } },
  environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
})
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

const CLIENTS = 4
const SHUFFLE = `SELECT grp, count(*) AS n, sum(a.id) AS s
  FROM rows a JOIN rows b USING (id, grp) GROUP BY grp ORDER BY grp`
const LONG = `SELECT sum(hash(a.id, b.id)) AS long FROM rows a JOIN rows b USING (grp) WHERE a.id % 2 = 0`
const admin = (...words: string[]) => runCommand(['admin', ...words, '--url', skein.doors.admin ?? ''])

async function stateOf(id: string): Promise<string | undefined> {
  return (await operator.executors()).find(executor => executor.id === id)?.state
}

t.test('an executor that drains finishes what it has, and takes nothing new until it is told', async t => {
  const [first] = await operator.executors()
  const id = first?.id ?? ''
  const long = skein.query(LONG)
  await until('the query runs', 20_000, async () => {
    const query = await operator.query('long')
    return query?.state === 'running' && query.tasks > query.finishedTasks
  })
  t.match((await admin('drain', id)).stdout, /drains; 0 cached files were moved/)
  await until('all see that it drains', 5_000, async () => ['draining', 'drained'].includes(await stateOf(id) ?? ''))
  t.match(await skein.query(SHUFFLE), { kind: 'rows' }, 'others serve')
  t.match(await long, { kind: 'rows' }, 'what it had has ended well')
  t.match((await admin('drain', id, '--wait')).stdout, /is drained/)
  const outcome = await skein.query(SHUFFLE)
  const reports = outcome.kind === 'rows' ? (await skein.report(outcome.queryId)).task_reports : []
  t.ok(reports.length > 0 && reports.every(({ executor }) => executor !== id), 'it has no task')
  await admin('undrain', id)
  await until('it takes work again', 5_000, async () => await stateOf(id) === 'active')
  const missing = await admin('drain', 'nobody')
  t.match(missing.stderr, /NOT_FOUND: no executor nobody is heard/)
})

t.test('every executor is restarted under load, and no query fails', async t => {
  const reference = await skein.query(SHUFFLE)
  const failures: SkeinOutcome[] = []
  let [answers, isOver] = [0, false]
  const client = async (): Promise<void> => {
    while (!isOver) {
      const outcome = await skein.query(SHUFFLE)
      answers++
      const same = outcome.kind === 'rows' && reference.kind === 'rows'
        && JSON.stringify(outcome.answer.rows, big) === JSON.stringify(reference.answer.rows, big)
      if (!same) failures.push(outcome)
    }
  }
  const clients = Promise.all(Array.from({ length: CLIENTS }, client))
  const before = await operator.executors()
  for (const [i, { id, pid }] of before.entries()) {
    if (i % 2 === 0) t.match((await admin('drain', id, '--wait')).stdout, /is drained/)
    process.kill(pid, 'SIGTERM') // of those that do not drain yet, it drains itself
    await until(`${id} is back`, 60_000, async () => {
      const now = (await operator.executors()).find(executor => executor.id === id)
      return now?.state === 'active' && now.pid !== pid
    })
  }
  isOver = true
  await clients
  t.comment(`${answers} answers`)
  t.strictSame(failures, [])
  t.ok(answers >= CLIENTS * before.length, `${answers} answers`)
})

function big(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
