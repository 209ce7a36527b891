/** When sessions begin and end, and who may use them. */

import t from 'tap'
import { nextTransaction } from '../../coordinator/session/session.ts'
import { Sessions, type SessionLimits } from '../../coordinator/session/sessions.ts'
import type { Clock } from '../../proto/clock.ts'
import { asQueryError } from '../../proto/errors.ts'
import type { SessionId } from '../../proto/ids.ts'

const id = (name: string): SessionId => name as SessionId

/** A clock that a test moves; timers run when they are due. */
function handClock(): { clock: Clock; pass: (ms: number) => void } {
  let nowMs = 0
  const timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>()
  const clock: Clock = {
    nowMs: () => nowMs, wallMs: () => nowMs,
    after: (delayMs, callback) => {
      const timer = { dueMs: nowMs + delayMs, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  const pass = (ms: number): void => {
    nowMs += ms
    for (const timer of [...timers]) {
      if (timer.dueMs > nowMs) continue
      timers.delete(timer)
      timer.callback()
    }
  }
  return { clock, pass }
}

function open(limits: Partial<SessionLimits>) {
  const { clock, pass } = handClock()
  const sessions = new Sessions({ clock, defaults: () => ({ catalog: 'lake', schema: 'main' }), limits })
  const ended: string[] = []
  const held = new Set<string>()
  sessions.attach(session => ended.push(session.id), session => held.has(session.id))
  return { sessions, pass, ended, held }
}

const failure = (call: () => unknown): string => {
  try {
    call()
    return 'none'
  } catch (error) {
    return asQueryError(error).code
  }
}

t.test('a session ends when it was not used for long enough, unless a statement runs', async t => {
  const { sessions, pass, ended } = open({ idleMs: 60_000 })
  sessions.use(id('a'), 'ann')
  sessions.use(id('b'), 'ann').running++
  pass(40_000)
  sessions.use(id('c'), 'ann')
  pass(40_000)
  t.strictSame(ended, ['a'])
  t.equal(sessions.size, 2)
  t.ok(sessions.close(id('c'), 'ann'))
  t.notOk(sessions.close(id('c'), 'ann'), 'only once')
  t.strictSame(ended, ['a', 'c'])
})

t.test('a session is its principal\'s alone', async t => {
  const { sessions } = open({})
  t.equal(sessions.use(id('a'), 'ann'), sessions.use(id('a'), 'ann'))
  t.equal(failure(() => sessions.use(id('a'), 'bob')), 'PERMISSION_DENIED')
  t.equal(failure(() => sessions.close(id('a'), 'bob')), 'PERMISSION_DENIED')
})

t.test('at the limit, who was used least recently and holds nothing makes room', async t => {
  const { sessions, ended, held } = open({ maxSessions: 3, maxOfPrincipal: 2 })
  for (const name of ['a', 'b', 'c']) sessions.use(id(name), name === 'c' ? 'bob' : 'ann')
  held.add('a')
  sessions.use(id('d'), 'ann')
  t.strictSame(ended, ['b'])
  sessions.use(id('d'), 'ann').transaction = 'open'
  t.equal(failure(() => sessions.use(id('e'), 'ann')), 'SESSION_LIMIT')
})

t.test('every state of a transaction takes every statement as the table says', async t => {
  const actions = ['begin', 'commit', 'rollback'] as const
  const after = (['none', 'open'] as const).map(state => actions.map(action => {
    let next: string = 'bug'
    const code = failure(() => { next = nextTransaction(state, action) })
    return code === 'none' ? next : code
  }))
  t.strictSame(after, [
    // begin             commit               rollback
    ['open',             'TRANSACTION_ERROR', 'TRANSACTION_ERROR'], // none
    ['TRANSACTION_ERROR', 'none',             'none'],              // open
  ])
})
