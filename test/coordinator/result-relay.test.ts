/** A result on its way to the client: held back, streamed, broken, made again. */

import t from 'tap'
import { ResultRelay, type Fetch, type RelayEvent } from '../../coordinator/result-relay.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { Simulation } from '../sim/simulation.ts'

const frame = (byte: number): RawFlightData => ({ dataHeader: new Uint8Array([byte]), dataBody: new Uint8Array(9) })
const lost = new QueryError('EXECUTOR_LOST', 'gone')

function relayed(holdBytes: number) {
  const simulation = new Simulation(1)
  const events: string[] = []
  const tell = (event: RelayEvent): void => {
    events.push(event.kind === 'relay-broken' ? `broken ${event.cause.code}` : event.kind)
  }
  const relay = new ResultRelay({ clock: simulation.clock, holdBytes, tell })
  return { simulation, events, relay }
}

/** Frames 0.. up to `count`; each try to read breaks after as many as `breaks` says for it. */
function source(
  count: number, breaks: (number | QueryError)[] = [],
): { fetch: Fetch; from: number[]; given: () => number } {
  const from: number[] = []
  let given = 0
  const fetch: Fetch = async function* (first) {
    const limit = breaks[from.length]
    from.push(first)
    if (limit instanceof QueryError) throw limit
    for (let i = first; i < count; i++) {
      if (limit !== undefined && i - first >= limit) throw new QueryError('UNAVAILABLE', 'reset')
      given++
      yield frame(i)
    }
  }
  return { fetch, from, given: () => given }
}

async function read(frames: AsyncIterable<RawFlightData>, into: (number | string)[]): Promise<void> {
  try {
    for await (const { dataHeader } of frames) into.push(dataHeader[0] ?? -1)
    into.push('end')
  } catch (error) {
    into.push((error as QueryError).code)
  }
}

t.test('a small result is given once it is complete, and again', async t => {
  const { simulation, events, relay } = relayed(1000)
  const [early, late]: [(number | string)[], (number | string)[]] = [[], []]
  void read(relay.frames(), early)
  await simulation.run(10)
  t.strictSame(early, [])
  relay.begin(0, source(3).fetch)
  await simulation.run(10)
  relay.fail(lost)
  await read(relay.frames(), late)
  t.strictSame([early, late, events], [[0, 1, 2, 'end'], [0, 1, 2, 'end'], ['relay-complete']])
})

t.test('nothing of an attempt that is held back goes out when another begins', async t => {
  const { simulation, relay } = relayed(1000)
  const rows: (number | string)[] = []
  void read(relay.frames(), rows)
  relay.begin(0, async function* () {
    yield frame(7)
    await new Promise(() => undefined)
  })
  await simulation.run(10)
  t.equal(relay.begin(1, source(2).fetch), true)
  await simulation.run(10)
  t.strictSame(rows, [0, 1, 'end'])
})

t.test('a large result goes out as it comes, at the pace of its reader, and cannot begin anew', async t => {
  const { simulation, events, relay } = relayed(35)
  const { fetch, given } = source(50)
  relay.begin(0, fetch)
  await simulation.run(10)
  t.strictSame([events, given()], [['relay-outgrown'], 4], 'the executor waits')
  t.equal(relay.begin(1, fetch), false)
  await simulation.run(400)
  t.equal(given(), 4)
  const rows: (number | string)[] = []
  await read(relay.frames(), rows)
  t.strictSame([rows.length, rows.at(-1), events], [51, 'end', ['relay-outgrown', 'relay-delivered']])
  const again: (number | string)[] = []
  await read(relay.frames(), again)
  t.equal(again.length, 51, 'a second reader reads from the executor')
})

t.test('a stream that breaks goes on where it broke; one that always breaks is lost', async t => {
  const { simulation, events, relay } = relayed(1000)
  const { fetch, from } = source(5, [2, 0, 1])
  relay.begin(0, fetch)
  await simulation.run(2_000)
  t.strictSame([from, events], [[0, 2, 2, 3], ['relay-complete']])
  const other = relayed(1000)
  other.relay.begin(0, source(5, Array.from({ length: 100 }, () => 0)).fetch)
  await other.simulation.run(60_000)
  t.strictSame(other.events, ['broken EXECUTOR_LOST'])
})

t.test('an error of the query is not tried again', async t => {
  const { simulation, events, relay } = relayed(1000)
  const { fetch, from } = source(5, [new QueryError('EXECUTION_ERROR', 'x')])
  relay.begin(0, fetch)
  await simulation.run(10_000)
  t.strictSame([from, events], [[0], ['broken EXECUTION_ERROR']])
})

t.test('readers in the middle get the failure, never an early end', async t => {
  const { simulation, relay } = relayed(35)
  relay.begin(0, source(50).fetch)
  await simulation.run(10)
  const frames = relay.frames()[Symbol.asyncIterator]()
  await frames.next()
  relay.fail(lost)
  await t.rejects(frames.next(), { code: 'EXECUTOR_LOST' })
  relay.release(new QueryError('NOT_FOUND', 'released'))
  const rows: (number | string)[] = []
  await read(relay.frames(), rows)
  t.strictSame(rows, ['NOT_FOUND'])
})

t.test('of a reader that is slow little is held; what it did not take is read again, once', async t => {
  const { simulation, events, relay } = relayed(5_000_000)
  const from: number[] = []
  const big = (byte: number): RawFlightData => ({ ...frame(byte), dataBody: new Uint8Array(500_000) })
  relay.begin(0, async function* (first, signal) {
    from.push(first)
    for (let i = first; i < 30 && !signal.aborted; i++) yield big(i)
  })
  await simulation.run(400)
  t.ok(relay.heldBytes > 5_000_000)
  await simulation.run(200)
  t.ok(relay.heldBytes <= 1_500_000, `${relay.heldBytes}`)
  const rows: (number | string)[] = []
  let most = 0
  for await (const { dataHeader } of relay.frames()) {
    rows.push(dataHeader[0] ?? -1)
    most = Math.max(most, relay.heldBytes)
  }
  t.strictSame(rows, Array.from({ length: 30 }, (_, i) => i))
  t.ok(most <= 1_500_000, `${most} bytes at most`)
  t.strictSame([from, events], [[0, 2], ['relay-outgrown', 'relay-delivered']])
})

t.test('a slow reader of a result that had just come to its end gets all of it', async t => {
  const { simulation, events, relay } = relayed(35)
  const { fetch, from } = source(4)
  relay.begin(0, fetch)
  await simulation.run(1_000)
  const rows: (number | string)[] = []
  const reading = read(relay.frames(), rows)
  await simulation.run(1_000)
  await reading
  t.strictSame([rows, from, events], [[0, 1, 2, 3, 'end'], [0, 3], ['relay-outgrown', 'relay-delivered']])
})
