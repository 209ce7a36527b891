/** Readers that take nothing, and when what is held for them is let go of. */

import t from 'tap'
import { ResultRelay } from '../../coordinator/result-relay.ts'
import { SlowReaders } from '../../coordinator/slow-readers.ts'
import { Simulation } from '../sim/simulation.ts'

const MIB = 1024 * 1024
const HELD = 30 * MIB
const MUCH = 20 * MIB
const all = Array.from({ length: 40 }, (_, i) => i)
const body = new Uint8Array(MIB)

/** Each call: a result of 40 frames of 1 MiB, more than is held back, on its way. */
function results() {
  const simulation = new Simulation(1)
  const { clock } = simulation
  const slowReaders = new SlowReaders(clock)
  const next = (): ResultRelay => {
    const relay = new ResultRelay({ clock, holdBytes: HELD, slowReaders, tell: () => undefined })
    relay.begin(0, 0, async function* (first, signal) {
      for (let i = first; i < all.length && !signal.aborted; i++) yield { dataHeader: Uint8Array.of(i), dataBody: body }
    })
    return relay
  }
  return { simulation, next }
}

const holds = (...relays: readonly ResultRelay[]): boolean[] => relays.map(({ heldBytes }) => heldBytes > MUCH)

async function read(frames: AsyncIterable<{ readonly dataHeader: Uint8Array }>): Promise<(number | undefined)[]> {
  const seen: (number | undefined)[] = []
  for await (const { dataHeader } of frames) seen.push(dataHeader[0])
  return seen
}

t.test('what is held is let go of half a second after it was last read from', async t => {
  const { simulation, next } = results()
  const relay = next()
  await simulation.run(300)
  const frames = relay.frames()
  t.strictSame((await frames.next()).value?.dataHeader, Uint8Array.of(0))
  await simulation.run(490)
  t.strictSame(holds(relay), [true])
  await simulation.run(20)
  t.ok(relay.heldBytes < 2 * MIB, `${relay.heldBytes}`)
  t.strictSame(await read(frames), all.slice(1))
})

t.test('while all hold too much together, the one that has not been read for longest does not wait', async t => {
  const { simulation, next } = results()
  const [oldest, second] = [next(), next()]
  await simulation.run(50)
  const frames = oldest.frames()
  await frames.next()
  await simulation.run(150)
  const third = next()
  await simulation.run(10)
  t.strictSame(holds(oldest, second, third), [true, false, true], 'of the second nothing was read')
  const fourth = next()
  await simulation.run(10)
  t.strictSame(holds(oldest, third, fourth), [false, true, true])
  t.strictSame(await read(frames), all.slice(1))
  for (const relay of [second, third, fourth]) t.strictSame(await read(relay.frames()), all)
})

t.test('who has just read keeps what is held, however much all hold', async t => {
  const { simulation, next } = results()
  const relays = [next(), next(), next(), next()]
  await simulation.run(90)
  t.strictSame(holds(...relays), [true, true, true, true])
  await simulation.run(420)
  t.strictSame(holds(...relays), [false, false, false, false])
})
