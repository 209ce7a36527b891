/** An executor that is slow, and not lost: what it holds up is done elsewhere too, and the answer is right. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { systemClock } from '../../proto/clock.ts'
import { faultConfig, writeFaultTables } from './fault-tables.ts'
import { Skein, type SkeinOutcome } from './skein.ts'
import { Operator, until } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-stragglers-'))
await writeFaultTables(folder)
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: 3, config: faultConfig(folder),
  environment: { SKEIN_WHOLE_BYTES: '0', SKEIN_BROADCAST_ROWS: '0' },
})
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

/** It is heard in time, and does next to nothing. */
const [FROZEN_MS, THAWED_MS] = [600, 20]
const WITHIN_MS = 60_000
const SLOW = `SELECT /* slow */ grp, sum(hash(md5(md5(md5(md5(md5(md5(word || id)))))))) AS s FROM rows
  GROUP BY grp ORDER BY grp`
const SLOW_RESULT = `SELECT /* slow */ id, word FROM rows
  WHERE hash(md5(md5(md5(md5(md5(md5(word || id))))))) % 100 = 7`

/** Freezes it again and again; the returned function ends that. */
function slowDown(pid: number): () => void {
  let cancel = (): void => undefined
  const freeze = (): void => {
    process.kill(pid, 'SIGSTOP')
    cancel = systemClock.after(FROZEN_MS, () => {
      process.kill(pid, 'SIGCONT')
      cancel = systemClock.after(THAWED_MS, freeze)
    })
  }
  freeze()
  return () => {
    cancel()
    process.kill(pid, 'SIGCONT')
  }
}

/** With an executor that is frozen most of the time; the other executor's second attempt has succeeded. */
async function whileFrozen(t: Test, sql: string): Promise<SkeinOutcome> {
  const [victim] = await operator.executors()
  const thaw = slowDown(victim?.pid ?? 0)
  const states = new Set<string>()
  let asked: Promise<SkeinOutcome> | undefined
  try {
    asked = skein.query(sql)
    await until('a second attempt has succeeded', WITHIN_MS, async () => {
      for (const { id, state } of await operator.executors()) if (id === victim?.id) states.add(state)
      const [query] = await operator.queries()
      return query !== undefined && (await operator.tasks(query.id)).some(({ attempt, state, executor }) =>
        attempt > 0 && state === 'succeeded' && executor !== victim?.id)
    })
  } finally {
    thaw()
  }
  t.strictSame([...states], ['active'], 'it was never lost')
  return asked
}

async function oneAttemptCounted(t: Test, outcome: SkeinOutcome): Promise<number> {
  const { task_reports: reports } = await skein.report(outcome.kind === 'rows' ? outcome.queryId : '')
  const counted = reports.filter(({ state }) => state === 'succeeded')
  const places = counted.map(({ stage, partition }) => `${stage}.${partition}`)
  t.equal(new Set(places).size, places.length, 'one attempt of each task')
  return counted.filter(({ attempt }) => attempt > 0).length
}

t.test('a task of a frozen executor is run a second time, and counts once', async t => {
  const reference = await skein.query(SLOW)
  const outcome = await whileFrozen(t, SLOW)
  if (outcome.kind !== 'rows' || reference.kind !== 'rows') throw new Error(JSON.stringify([outcome, reference]))
  t.strictSame(outcome.answer, reference.answer)
  await oneAttemptCounted(t, outcome)
  t.match(await skein.query(SLOW), { kind: 'rows' }, 'it works again')
})

t.test('so is one that makes a part of the result, and each row comes once', async t => {
  const reference = await skein.query(SLOW_RESULT)
  const outcome = await whileFrozen(t, SLOW_RESULT)
  if (outcome.kind !== 'rows' || reference.kind !== 'rows') throw new Error(JSON.stringify([outcome, reference]))
  t.match(outcome, { stats: { stages: 1 } }, 'there are no other tasks')
  const sorted = ({ answer: { rows } }: typeof outcome): string[] => rows.map(row => JSON.stringify(row)).sort()
  t.ok(reference.answer.rows.length > 100)
  t.strictSame(sorted(outcome), sorted(reference))
  t.ok(await oneAttemptCounted(t, outcome) > 0)
})
