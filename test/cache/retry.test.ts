/** Attempts, pauses and deadlines, by a clock that the test moves. */

import t from 'tap'
import { Again, retry } from '../../cache/retry.ts'
import { QueryError } from '../../proto/errors.ts'
import { HandClock } from '../executor/hand-clock.ts'

const policy = { deadlineMs: 1000, attemptMs: 300, pauseMs: 100, maxPauseMs: 300 }
const busy = (attempts?: number) => new Again(new QueryError('UNAVAILABLE', 'b: busy'), attempts)

/** Runs `attempt` with the longest pauses; tells when each attempt began. */
function run(
  attempt: (made: number, signal: AbortSignal, heard: () => void, clock: HandClock) => Promise<string>,
  signal?: AbortSignal,
) {
  const clock = new HandClock()
  const begun: number[] = []
  const outcome = retry('b', (ends, heard) => attempt(begun.push(clock.nowMs()), ends, heard, clock), policy,
    { clock, random: () => 1 }, signal)
  outcome.catch(() => undefined) // looked at below
  return { clock, begun, outcome }
}

t.test('it is tried again after pauses that double up to the longest', async t => {
  const { clock, begun, outcome } = run(made => made < 4 ? Promise.reject(busy()) : Promise.resolve('x'))
  await clock.pass(1000)
  t.equal(await outcome, 'x')
  t.strictSame(begun, [0, 100, 300, 600])
})

t.test('what is final is not tried again', async t => {
  const { clock, begun, outcome } = run(() => Promise.reject(new QueryError('FILE_CHANGED', 'x')))
  await clock.pass(1000)
  await t.rejects(outcome, { code: 'FILE_CHANGED' })
  t.equal(begun.length, 1)
})

t.test('the deadline ends it with the last reason', async t => {
  const { clock, begun, outcome } = run(() => Promise.reject(busy()))
  await clock.pass(1000)
  await t.rejects(outcome, { code: 'UNAVAILABLE', message: 'b: busy (5 attempts)' })
  t.strictSame(begun, [0, 100, 300, 600, 900])
})

t.test('a reason that does not pass has its own number of attempts', async t => {
  const { clock, begun, outcome } = run(() => Promise.reject(busy(2)))
  await clock.pass(1000)
  await t.rejects(outcome, { code: 'UNAVAILABLE' })
  t.equal(begun.length, 2)
})

t.test('an attempt without an answer is ended, and counts as failed', async t => {
  const { clock, begun, outcome } = run((_, signal) => new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')))
  }))
  await clock.pass(1000)
  await t.rejects(outcome, { code: 'UNAVAILABLE', message: /^b: no answer within \d+ ms \(3 attempts\)$/ })
  t.strictSame(begun, [0, 400, 900])
})

t.test('who does not want it any more ends it at once', async t => {
  const controller = new AbortController()
  const { begun, outcome } = run((_, signal) => new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')))
  }), controller.signal)
  controller.abort()
  await t.rejects(outcome, { code: 'CANCELLED' })
  t.equal(begun.length, 1)
})

t.test('an attempt that does not end when it is told to is not waited for', async t => {
  const never = (): Promise<string> => new Promise(() => undefined)
  const { clock, begun, outcome } = run(never)
  await clock.pass(1000)
  await t.rejects(outcome, { code: 'UNAVAILABLE', message: /^b: no answer within \d+ ms \(3 attempts\)$/ })
  t.strictSame(begun, [0, 400, 900])
  const controller = new AbortController()
  const unwanted = run(never, controller.signal)
  controller.abort()
  await t.rejects(unwanted.outcome, { code: 'CANCELLED' })
})

t.test('an attempt may last as long as it gives signs of life, for a minute', async t => {
  const alive = (endMs: number) => (_: number, __: AbortSignal, heard: () => void, clock: HandClock) =>
    new Promise<string>(resolve => {
      const beat = (): void => {
        heard()
        if (clock.nowMs() >= endMs) resolve('x')
        else clock.after(250, beat)
      }
      beat()
    })
  const slow = run(alive(50_000))
  await slow.clock.pass(50_000)
  t.equal(await slow.outcome, 'x')
  t.equal(slow.begun.length, 1)
  const endless = run(alive(Infinity))
  await endless.clock.pass(60_000)
  await t.rejects(endless.outcome, { code: 'UNAVAILABLE' })
})

t.test('an answer that came while the process was held up counts, though its time was over first', async t => {
  const { clock, outcome } = run((_, __, heard, clock) => new Promise(resolve => {
    clock.after(300, () => { heard(); resolve('x') }) // behind the timer of the attempt, in the same moment
  }))
  await clock.pass(1000)
  t.equal(await outcome, 'x')
})

t.test('who does not want it any more begins no attempt', async t => {
  const { begun, outcome } = run(() => Promise.resolve('x'), AbortSignal.abort())
  await t.rejects(outcome, { code: 'CANCELLED' })
  t.strictSame(begun, [])
})
