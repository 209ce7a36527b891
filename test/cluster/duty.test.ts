/** Whether an executor, or a coordinator, takes new queries. */

import t from 'tap'
import { advance, DutyKeeper, type Duty, type DutyEvent } from '../../cluster/duty.ts'

const duties: readonly Duty[] = ['active', 'draining', 'drained']
const events: readonly DutyEvent[] = ['drain', 'undrain', 'idle', 'busy']

t.test('every state takes every event as the table says', async t => {
  t.strictSame(duties.map(duty => events.map(event => advance(duty, event))), [
    // drain       undrain   idle       busy
    ['draining', 'active', 'active', 'active'], // active
    ['draining', 'active', 'drained', 'draining'], // draining
    ['drained', 'active', 'drained', 'draining'], // drained
  ])
})

t.test('it is drained once the last query has gone, and tells each change once', async t => {
  const told: Duty[] = []
  const keeper = new DutyKeeper('executor')
  keeper.follow(duty => { told.push(duty) })
  keeper.held(2)
  keeper.drain()
  keeper.drain()
  t.throws(() => keeper.check(), { code: 'UNAVAILABLE', message: 'the executor is draining' })
  keeper.held(1)
  keeper.held(0)
  await keeper.whenDrained()
  keeper.held(1)
  keeper.held(0)
  keeper.undrain()
  keeper.check()
  t.strictSame(told, ['draining', 'drained', 'draining', 'drained', 'active'])
})

t.test('without queries it is drained at once', async t => {
  const keeper = new DutyKeeper('executor')
  keeper.drain()
  await keeper.whenDrained()
  t.equal(keeper.duty, 'drained')
})
