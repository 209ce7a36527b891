/** The runtime of actors, and the simulation's own promises. */

import t from 'tap'
import { Simulation } from './simulation.ts'

/** Ten actors each send one digit to a recorder; returns the order of arrival. */
async function interleaving(seed: number): Promise<string> {
  const simulation = new Simulation(seed)
  let order = ''
  const recorder = simulation.universe.spawn<string>('recorder', { receive: digit => { order += digit } })
  for (const digit of '0123456789') {
    simulation.universe.spawn(digit, { receive: () => { recorder.send(digit) } }).send('go')
  }
  await simulation.run(0)
  return order
}

t.test('the seed alone decides the order of messages', async t => {
  const [first, again, other] = await Promise.all([1, 1, 2].map(interleaving))
  t.equal(again, first)
  t.not(other, first)
})

t.test('an actor that throws is stopped, its heir is told, and the others go on', async t => {
  const simulation = new Simulation(7)
  const bug = new Error('off by one')
  const [received, told]: [string[], string[]] = [[], []]
  const bad = simulation.universe.spawn<string>('bad', { receive: () => { throw bug } }, {
    heir: cause => { told.push(`${cause.code} ${cause.message}`) },
  })
  const good = simulation.universe.spawn<string>('good', { receive: line => { received.push(line) } })
  bad.send('x')
  good.send('y')
  await simulation.run(0)
  t.strictSame([simulation.crashes, received, told], [[bug], ['y'], ['INTERNAL bad stopped: off by one']])
  t.equal(bad.send('z'), false)
  t.strictSame(simulation.universe.running(), ['good'])
})

t.test('a full mailbox refuses others, but not the actor itself', async t => {
  const simulation = new Simulation(1)
  const received: string[] = []
  const actor = simulation.universe.spawn<string>('slow', {
    receive: (message, context) => {
      received.push(message)
      if (message === 'first') context.schedule(0, 'own timer')
    },
  }, { capacity: 2 })
  t.strictSame(['first', 'second', 'third'].map(message => actor.send(message)), [true, true, false])
  await simulation.run(0)
  t.strictSame(received, ['first', 'second', 'own timer'])
})

t.test('timers fire in order of due time, then of setting; a cancelled one never', async t => {
  const simulation = new Simulation(1)
  const fired: string[] = []
  simulation.clock.after(20, () => fired.push('late'))
  simulation.clock.after(10, () => fired.push('a'))
  simulation.clock.after(10, () => fired.push('b'))
  simulation.clock.after(15, () => fired.push('never'))()
  await simulation.run(15)
  t.strictSame([fired, simulation.clock.nowMs()], [['a', 'b'], 15])
})

t.test('a message sees one time, whatever passes meanwhile', async t => {
  const simulation = new Simulation(1, 0, 1)
  const seen: number[] = []
  const actor = simulation.universe.spawn<string>('watcher', {
    receive: (_, context) => { seen.push(context.nowMs() - context.nowMs()) },
  })
  actor.send('now')
  await simulation.run(0)
  t.strictSame(seen, [0])
})
