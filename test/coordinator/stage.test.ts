/** The life of a stage, as a table, and its attempts. */

import { AssertionError } from 'node:assert/strict'
import t from 'tap'
import type { MemberKey } from '../../coordinator/member.ts'
import {
  advance, MAX_ATTEMPTS, MAX_FAILURES, MAX_LOSSES, planned, UNAVAILABLE_FOR_MS, type Attempt, type PartitionState,
  type Stage, type StageEvent,
} from '../../coordinator/stage.ts'
import { QueryError } from '../../proto/errors.ts'

const e1 = 'e1/a/1' as MemberKey
const e2 = 'e2/a/1' as MemberKey
const cause = new QueryError('EXECUTOR_LOST', 'no word from e1 for 3000 ms')
const retry = {
  kind: 'attempt-failed', partition: 0, attempt: 0, cause, retry: true, nowMs: 4, notBeforeMs: 5,
} as const

const after = (stage: Stage, ...events: StageEvent[]): Stage => events.reduce(advance, stage)
const ready: StageEvent = { kind: 'inputs-ready' }
const launched = (partition: number, member = e1): StageEvent => ({ kind: 'launched', partition, member })
const done = (partition: number, attempt = 0): StageEvent => ({ kind: 'attempt-done', partition, attempt })

const running = after(planned(2), ready, launched(0), launched(1), done(1))
const stages: readonly Stage[] = [
  after(running, { kind: 'again', partitions: new Set() }),
  running,
  after(running, done(0)),
  after(running, { ...retry, retry: false }),
]
const events: readonly StageEvent[] = [
  ready, { kind: 'again', partitions: new Set([1]) }, launched(0), done(0), { ...retry, retry: false },
  { kind: 'executor-lost', member: e1, cause }, { kind: 'launched-second', partition: 0, member: e2 },
  { kind: 'attempt-ended', partition: 0, attempt: 0 }, { kind: 'attempt-settled', partition: 0, attempt: 0 },
  { kind: 'enough' },
]
/** Every state, with an attempt at partition 0 under way, against every event; a new one must add its row or column. */
const expected = [
  // inputs-ready  again  launched  attempt-done  -failed  executor-lost  launched-second  -ended  -settled  enough
  ['running', 'planned', 'bug', 'finished', 'failed', 'planned', 'bug', 'planned', 'planned', 'finished'],
  ['running', 'planned', 'bug', 'finished', 'failed', 'running', 'running', 'running', 'running', 'finished'],
  ['finished', 'planned', 'bug', 'finished', 'finished', 'finished', 'bug', 'finished', 'finished', 'finished'],
  ['failed', 'failed', 'failed', 'failed', 'failed', 'failed', 'failed', 'failed', 'failed', 'failed'],
]

t.test('every stage takes every event as the table says', async t => {
  const actual = stages.map(stage => events.map(event => {
    try {
      return advance(stage, event).life.state
    } catch (error) {
      return error instanceof AssertionError ? 'bug' : error
    }
  }))
  t.strictSame(actual, expected)
})

t.test('only the current attempt of a partition counts', async t => {
  const second = after(planned(1), ready, launched(0), retry, launched(0, e2))
  t.equal(advance(second, done(0, 0)), second, 'the first attempt is late')
  t.equal(advance(second, retry), second)
  t.equal(advance(second, { kind: 'executor-lost', member: e1, cause }), second, 'it ran elsewhere')
  t.equal(advance(second, done(0, 1)).life.state, 'finished')
})

const second: StageEvent = { kind: 'launched-second', partition: 0, member: e2 }
const both = after(planned(1), ready, launched(0), second)
const first: Attempt = { attempt: 0, member: e1, phase: 'runs' }
const other: Attempt = { attempt: 1, member: e2, phase: 'runs' }

t.test('of two attempts the first that ends counts; one that fails, or is lost, leaves the other', async t => {
  t.strictSame(both.partitions[0]?.now, { state: 'running', first, second: other })
  t.strictSame(after(both, done(0, 1), done(0, 0)).partitions[0]?.now, { state: 'done', attempt: 1, member: e2 })
  t.strictSame(after(both, done(0, 0), done(0, 1)).partitions[0]?.now, { state: 'done', attempt: 0, member: e1 })
  const alone = { state: 'running', first: other, second: null }
  t.strictSame(after(both, { kind: 'executor-lost', member: e1, cause }).partitions[0]?.now, alone)
  t.strictSame(after(both, retry).partitions[0]?.now, alone)
  t.strictSame(after(both, { kind: 'executor-lost', member: e2, cause }).partitions[0]?.now, { ...alone, first })
  t.strictSame(after(both, { ...retry, retry: false }).life.state, 'failed', 'what is wrong with the statement')
  const again = after(both, { kind: 'again', partitions: new Set([0]) }, ready, launched(0))
  t.match(again.partitions[0]?.now, { state: 'running', first: { attempt: 2 }, second: null })
  t.equal(after(again, done(0, 1)), again, 'both are late')
  t.throws(() => after(both, second), /cannot be launched a second time/)
  t.throws(() => after(planned(1), ready, launched(0), { ...second, member: e1 }), /a second time/, 'not there')
})

t.test('an attempt that failed is tried elsewhere and later, a few times', async t => {
  let stage = advance(planned(1), ready)
  for (let attempt = 0; attempt < MAX_FAILURES; attempt++) {
    t.equal(stage.life.state, 'running')
    stage = after(stage, launched(0, `e${attempt}/a/1` as MemberKey), { ...retry, attempt })
  }
  t.strictSame(stage.life, { state: 'failed', cause })
  const once = after(planned(1), ready, launched(0), retry).partitions[0]
  t.strictSame([once?.avoid, once?.now], [new Set([e1]), { state: 'waiting', notBeforeMs: 5 }])
})

t.test('what does not answer for long is not tried again and again', async t => {
  const unavailable = new QueryError('UNAVAILABLE', 'bucket b: no answer')
  const fails = (attempt: number, nowMs: number): StageEvent => ({ ...retry, attempt, cause: unavailable, nowMs })
  const once = after(planned(1), ready, launched(0), fails(0, 7_000), launched(0, e2))
  t.equal(advance(once, fails(1, 6_999 + UNAVAILABLE_FOR_MS)).life.state, 'running')
  t.strictSame(advance(once, fails(1, 7_000 + UNAVAILABLE_FOR_MS)).life, { state: 'failed', cause: unavailable })
  t.equal(advance(once, { ...retry, attempt: 1, nowMs: 60_000 }).life.state, 'running', 'for another reason it is')
})

t.test('lost executors are no failures of the task, but have an end too, and that is not tried again', async t => {
  let stage = advance(planned(1), ready)
  const gone: StageEvent = { kind: 'executor-lost', member: e1, cause }
  for (let i = 0; i < MAX_LOSSES - 1; i++) stage = after(stage, launched(0), gone)
  t.strictSame([stage.life.state, stage.partitions[0]?.failures], ['running', 0])
  const { life } = after(stage, launched(0), gone)
  t.match(life, { state: 'failed', cause: { code: 'INTERNAL', message: /^6 executors were lost while they ran/ } })
  t.equal(life.state === 'failed' && life.cause.class.retryable, false)
})

t.test('inputs that others lost are no failures of the task, but have an end too', async t => {
  let stage = advance(planned(1), ready)
  const lost = new QueryError('INPUT_LOST', 'could not read')
  const again: StageEvent[] = [{ kind: 'again', partitions: new Set() }, ready]
  for (let attempt = 0; attempt < MAX_ATTEMPTS - 1; attempt++) {
    stage = after(stage, launched(0), { ...retry, attempt, cause: lost }, ...again)
    t.strictSame([stage.life.state, stage.partitions[0]?.failures], ['running', 0])
  }
  const { life } = after(stage, launched(0), { ...retry, attempt: MAX_ATTEMPTS - 1, cause: lost })
  t.match(life, { state: 'failed', cause: { code: 'EXECUTOR_LOST', message: /partition 0 reads was lost in 20/ } })
})

t.test('a partition taken back runs again with a new attempt, the others stay', async t => {
  const finished = after(planned(2), ready, launched(0), launched(1), done(0), done(1))
  const again = after(finished, { kind: 'again', partitions: new Set([1]) }, ready, launched(1))
  t.strictSame(again.partitions.map(({ now }) => now), [
    { state: 'done', attempt: 0, member: e1 }, { state: 'running', first: { ...other, member: e1 }, second: null },
  ])
})

t.test('what is not needed does not run, and does again once what was enough is taken back', async t => {
  const started = after(planned(3), ready, launched(0), launched(1), done(1), { kind: 'enough' })
  t.equal(started.life.state, 'finished')
  t.strictSame(started.partitions.map(({ now }) => now.state), ['spared', 'done', 'spared'])
  t.equal(after(started, done(0)), started, 'it is late')
  t.equal(after(started, retry), started)
  const again = after(started, { kind: 'again', partitions: new Set([0, 1, 2]) }, ready, launched(0))
  const begun = [{ first: { attempt: 1 } }, { state: 'waiting' }, { state: 'waiting' }]
  t.match(again.partitions.map(({ now }) => now), begun)
})

/** A partition with two attempts, in each pair of phases that there is: as a text. */
const pairs: readonly (readonly [string, readonly StageEvent[]])[] = [
  ['0 runs', [{ kind: 'executor-lost', member: e2, cause }]],
  ['0 settled', [{ kind: 'attempt-settled', partition: 0, attempt: 0 }]],
  ['0 offered', [{ kind: 'executor-lost', member: e2, cause }, { kind: 'attempt-ended', partition: 0, attempt: 0 }]],
  ['0 runs, 1 runs', []],
  ['0 offered, 1 runs', [{ kind: 'attempt-ended', partition: 0, attempt: 0 }]],
  ['0 runs, 1 offered', [{ kind: 'attempt-ended', partition: 0, attempt: 1 }]],
  ['0 offered, 1 offered', [
    { kind: 'attempt-ended', partition: 0, attempt: 0 }, { kind: 'attempt-ended', partition: 0, attempt: 1 },
  ]],
]
const ofResults: readonly StageEvent[] = [
  { kind: 'attempt-ended', partition: 0, attempt: 0 }, { kind: 'attempt-settled', partition: 0, attempt: 0 },
  { kind: 'attempt-settled', partition: 0, attempt: 1 }, done(0), retry, { kind: 'executor-lost', member: e1, cause },
  { kind: 'launched-second', partition: 0, member: 'e3/a/1' as MemberKey },
]
const [set, two] = ['0 offered, 1 runs', '0 offered, 1 offered']
/** Every pair of phases against every event of a result: what it is then. */
const phases = [
  // 0 ended    0 settled    1 settled    0 done  0 failed      e1 lost       launched-second
  ['0 offered', '0 settled', '0 runs',    'done', 'waiting',    'waiting',    '0 runs, 2 runs'], // 0 runs
  ['0 offered', '0 settled', '0 settled', 'done', 'waiting',    'waiting',    'bug'],            // 0 settled
  ['0 offered', '0 offered', 'waiting',   'done', '0 offered',  'waiting',    'bug'],            // 0 offered
  [set,         '0 settled', '1 settled', 'done', '1 runs',     '1 runs',     'bug'],            // 0 runs, 1 runs
  [set,         '0 offered', '1 settled', 'done', set,          '1 runs',     'bug'],            // 0 offered, 1 runs
  [two,         '0 settled', '1 offered', 'done', '1 offered',  '1 offered',  'bug'],            // 0 runs, 1 offered
  [two,         '0 offered', '1 offered', 'done', two,          '1 offered',  'bug'],            // 0 and 1 offered
]

function phasesOf(now?: PartitionState): string | undefined {
  if (now?.state !== 'running') return now?.state
  const attempts = [now.first, ...(now.second === null ? [] : [now.second])]
  return attempts.map(({ attempt, phase }) => `${attempt} ${phase}`).join(', ')
}

t.test('of a part of the result every pair of attempts takes every event as the table says', async t => {
  const actual = pairs.map(([text, events]) => {
    const stage = after(both, ...events)
    t.equal(phasesOf(stage.partitions[0]?.now), text)
    return ofResults.map(event => {
      try {
        return phasesOf(advance(stage, event).partitions[0]?.now)
      } catch (error) {
        return error instanceof AssertionError ? 'bug' : error
      }
    })
  })
  t.strictSame(actual, phases)
})

t.test('a part that can be made no more, because what was offered does not count, fails its query', async t => {
  let stage = advance(planned(1), ready)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    t.equal(stage.life.state, 'running')
    const ended: StageEvent = { kind: 'attempt-ended', partition: 0, attempt }
    stage = after(stage, launched(0), ended, { kind: 'attempt-settled', partition: 0, attempt: 99 })
  }
  t.match(stage.life, { state: 'failed', cause: { code: 'EXECUTOR_LOST' } })
})
