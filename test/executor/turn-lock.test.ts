/** Who reads and who writes, in the order in which they came, by a clock that stands still until it is moved. */

import t from 'tap'
import { TurnLock, type Turn } from '../../executor/session/turn-lock.ts'
import { asQueryError } from '../../proto/errors.ts'
import { Simulation } from '../sim/simulation.ts'

const WAIT_MS = 1_000

function begin() {
  const simulation = new Simulation(1)
  const lock = new TurnLock('catalog work', simulation.clock)
  const log: string[] = []
  const take = (name: string, turn: Turn, signal = new AbortController().signal) => {
    const taken = lock.take(turn, WAIT_MS, signal)
    taken.then(() => log.push(name), (thrown: unknown) => log.push(`${name} ${asQueryError(thrown).code}`))
    return { free: async () => { (await taken)() } }
  }
  const turn = async (): Promise<string[]> => {
    await new Promise(resolve => setImmediate(resolve))
    return log.splice(0)
  }
  return { simulation, lock, take, turn }
}

t.test('readers share it, a writer has it alone, and nobody is passed', async t => {
  const { lock, take, turn } = begin()
  const [a, b] = [take('a', 'read'), take('b', 'read')]
  const writer = take('w', 'write')
  const late = take('late', 'read')
  t.strictSame(await turn(), ['a', 'b'])
  await a.free()
  t.strictSame(await turn(), [])
  await b.free()
  await b.free() // once is enough
  t.strictSame(await turn(), ['w'])
  await writer.free()
  t.strictSame(await turn(), ['late'])
  t.notOk(lock.isFree)
  await late.free()
  t.ok(lock.isFree)
})

t.test('who waits for too long, or is not wanted any more, leaves and lets others go on', async t => {
  const { simulation, lock, take, turn } = begin()
  const first = take('first', 'read')
  const gone = new AbortController()
  take('gone', 'write', gone.signal)
  const second = take('second', 'read')
  t.strictSame(await turn(), ['first'])
  gone.abort()
  t.strictSame(await turn(), ['gone CANCELLED', 'second'])
  take('slow', 'write')
  await simulation.run(WAIT_MS + 1)
  t.strictSame(await turn(), ['slow CATALOG_BUSY'])
  await first.free()
  await second.free()
  t.ok(lock.isFree)
})
