/** A result on its way to the client: held back, streamed, broken, made again. */

import t from 'tap'
import type { Fetch } from '../../coordinator/result-part.ts'
import type { RelayEvent } from '../../coordinator/relay-event.ts'
import { ResultRelay } from '../../coordinator/result-relay.ts'
import { SlowReaders } from '../../coordinator/slow-readers.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { Simulation } from '../sim/simulation.ts'

const frame = (byte: number): RawFlightData => ({ dataHeader: new Uint8Array([byte]), dataBody: new Uint8Array(9) })
const lost = new QueryError('EXECUTOR_LOST', 'gone')

function relayed(holdBytes: number) {
  const simulation = new Simulation(1)
  const events: string[] = []
  const given: string[] = []
  const tell = (event: RelayEvent): void => {
    if (event.kind === 'relay-given') given.push(`${event.part}.${event.attempt}`)
    else events.push(event.kind === 'relay-broken' ? `broken ${event.cause.code}` : event.kind)
  }
  const { clock } = simulation
  const relay = new ResultRelay({ clock, holdBytes, slowReaders: new SlowReaders(clock), tell })
  return { simulation, events, given, relay }
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
  relay.begin(0, 0, source(3).fetch)
  await simulation.run(10)
  relay.fail(lost)
  await read(relay.frames(), late)
  t.strictSame([early, late, events], [[0, 1, 2, 'end'], [0, 1, 2, 'end'], ['relay-complete']])
})

t.test('nothing of an attempt that is held back goes out when another begins', async t => {
  const { simulation, relay } = relayed(1000)
  const rows: (number | string)[] = []
  void read(relay.frames(), rows)
  relay.begin(0, 0, async function* () {
    yield frame(7)
    await new Promise(() => undefined)
  })
  await simulation.run(10)
  t.equal(relay.begin(0, 1, source(2).fetch), true)
  await simulation.run(10)
  t.strictSame(rows, [0, 1, 'end'])
})

t.test('a large result goes out as it comes, at the pace of its reader, and cannot begin anew', async t => {
  const { simulation, events, relay } = relayed(35)
  const { fetch, given } = source(50)
  relay.begin(0, 0, fetch)
  await simulation.run(10)
  t.strictSame([events, given()], [['relay-outgrown'], 4], 'the executor waits')
  await simulation.run(400)
  t.equal(given(), 4)
  const rows: (number | string)[] = []
  const frames = relay.frames()
  await frames.next()
  t.equal(relay.begin(0, 1, fetch), false)
  await read(frames, rows)
  t.strictSame([rows.length, rows.at(-1), events], [50, 'end', ['relay-outgrown', 'relay-delivered']])
  const again: (number | string)[] = []
  await read(relay.frames(), again)
  t.equal(again.length, 51, 'a second reader reads from the executor')
})

t.test('a stream that breaks goes on where it broke; one that always breaks is lost', async t => {
  const { simulation, events, relay } = relayed(1000)
  const { fetch, from } = source(5, [2, 0, 1])
  relay.begin(0, 0, fetch)
  await simulation.run(2_000)
  t.strictSame([from, events], [[0, 2, 2, 3], ['relay-complete']])
  const other = relayed(1000)
  other.relay.begin(0, 0, source(5, Array.from({ length: 100 }, () => 0)).fetch)
  await other.simulation.run(60_000)
  t.strictSame(other.events, ['broken EXECUTOR_LOST'])
})

t.test('an error of the query is not tried again', async t => {
  const { simulation, events, relay } = relayed(1000)
  const { fetch, from } = source(5, [new QueryError('EXECUTION_ERROR', 'x')])
  relay.begin(0, 0, fetch)
  await simulation.run(10_000)
  t.strictSame([from, events], [[0], ['broken EXECUTION_ERROR']])
})

t.test('readers in the middle get the failure, never an early end', async t => {
  const { simulation, relay } = relayed(35)
  relay.begin(0, 0, source(50).fetch)
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
  relay.begin(0, 0, async function* (first, signal) {
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
  relay.begin(0, 0, fetch)
  await simulation.run(1_000)
  const rows: (number | string)[] = []
  const reading = read(relay.frames(), rows)
  await simulation.run(1_000)
  await reading
  t.strictSame([rows, from, events], [[0, 1, 2, 3, 'end'], [0, 3], ['relay-outgrown', 'relay-delivered']])
})

/** Frames of one part: its lead, frame 0, and those up to `count`, each `part * 10 + i`; what was asked for. */
function partOf(part: number, count: number, asked: string[] = []): Fetch {
  return async function* (first) {
    asked.push(`${part} from ${first}`)
    for (let i = first; i <= count; i++) yield frame(i === 0 ? 0 : part * 10 + i)
    await Promise.resolve()
  }
}

t.test('parts come interleaved behind one lead, and are complete when each of them is', async t => {
  const { simulation, events, relay } = relayed(1000)
  const asked: string[] = []
  const rows: (number | string)[] = []
  relay.expect(3, [frame(0)])
  void read(relay.frames(), rows)
  relay.begin(2, 0, partOf(2, 2, asked))
  relay.begin(0, 0, partOf(0, 2, asked))
  await simulation.run(10)
  t.strictSame([relay.isReadable, relay.has(0), relay.has(1)], [false, true, false])
  relay.give(1, 0, [frame(0), frame(11)])
  await simulation.run(10)
  t.strictSame([rows[0], rows.slice(1, -1).sort(), rows.at(-1)], [0, [1, 11, 2, 21, 22], 'end'])
  t.strictSame([asked, events], [['2 from 1', '0 from 1'], ['relay-complete']])
})

t.test('a part that is all here stays though it is made again, until it is dropped', async t => {
  const { simulation, relay } = relayed(1000)
  const rows: (number | string)[] = []
  relay.expect(2, [frame(0)])
  relay.begin(0, 0, partOf(1, 1))
  await simulation.run(10)
  t.equal(relay.begin(0, 1, partOf(5, 1)), true)
  t.equal(relay.drop(0), true)
  relay.begin(0, 2, partOf(7, 1))
  relay.begin(1, 0, partOf(2, 1))
  await simulation.run(10)
  await read(relay.frames(), rows)
  t.strictSame(rows, [0, 71, 21, 'end'])
})

t.test('once rows go out a part of which none has gone out may be made anew, and no other', async t => {
  const { simulation, relay } = relayed(15)
  relay.expect(2, [frame(0)])
  relay.begin(0, 0, partOf(1, 3))
  await simulation.run(10)
  relay.begin(1, 0, async function* () { throw lost })
  const frames = relay.frames()
  t.strictSame([(await frames.next()).value?.dataHeader[0], (await frames.next()).value?.dataHeader[0]], [0, 11])
  t.strictSame([relay.drop(0), relay.drop(1)], [false, true])
  relay.begin(1, 1, partOf(2, 2))
  const rows: (number | string)[] = []
  await read(frames, rows)
  t.strictSame([rows.slice(0, -1).sort(), rows.at(-1)], [[12, 13, 21, 22], 'end'])
})

t.test('of many parts a few are read at once, the others when those have ended; a second reader reads all', async t => {
  const { simulation, relay, events } = relayed(15)
  const asked: string[] = []
  relay.expect(9, [frame(0)])
  for (let part = 0; part < 9; part++) relay.begin(part, 0, partOf(part, 3, asked))
  await simulation.run(10)
  t.ok(asked.length <= 4, asked.join())
  const all = [...Array.from({ length: 9 }, (_, part) => [1, 2, 3].map(i => part * 10 + i)).flat()]
  const rows: (number | string)[] = []
  let most = 0
  for await (const { dataHeader } of relay.frames()) {
    rows.push(dataHeader[0] ?? -1)
    most = Math.max(most, relay.heldBytes)
    await simulation.run(1)
  }
  t.strictSame([rows[0], rows.slice(1).sort((a, b) => Number(a) - Number(b))], [0, all])
  t.ok(most <= 40, `${most} bytes are held`)
  const again: (number | string)[] = []
  await read(relay.frames(), again)
  t.strictSame(again, [0, ...all, 'end'])
  t.strictSame(events, ['relay-outgrown', 'relay-delivered'])
})

t.test('parts of a reader that is slow are let go of and read again, each from where it was', async t => {
  const { simulation, relay, events } = relayed(65)
  const asked: string[] = []
  relay.expect(3, [frame(0)])
  for (let part = 0; part < 3; part++) relay.begin(part, 0, partOf(part, 3, asked))
  await simulation.run(1_000)
  t.ok(relay.heldBytes <= 65, `${relay.heldBytes}`)
  const rows: (number | string)[] = []
  const reading = read(relay.frames(), rows)
  await simulation.run(1_000)
  await reading
  t.strictSame(rows.slice(1, -1).map(Number).sort((a, b) => a - b), [1, 2, 3, 11, 12, 13, 21, 22, 23])
  t.strictSame([rows.at(-1), events], ['end', ['relay-outgrown', 'relay-delivered']])
  t.ok(asked.length > 3, asked.join())
})

t.test('a reader that stalls in the middle holds a frame and no stream, and still gets all of it', async t => {
  const { simulation, relay, events } = relayed(15)
  let [open, most] = [0, 0]
  const counted = (part: number): Fetch => async function* (first, signal) {
    most = Math.max(most, ++open)
    try {
      for (let i = first; i <= 6 && !signal.aborted; i++) yield frame(part * 10 + i)
    } finally {
      open--
    }
  }
  relay.expect(3, [frame(0)])
  for (let part = 0; part < 3; part++) relay.begin(part, 0, counted(part))
  const frames = relay.frames()
  const rows: (number | string)[] = []
  for (let i = 0; i < 8; i++) {
    await simulation.run(10)
    rows.push((await frames.next()).value?.dataHeader[0] ?? -1)
  }
  await simulation.run(10)
  t.ok(open > 1 && most > 1, `${open} streams are open`)
  await simulation.run(60_000)
  t.strictSame([open, relay.heldBytes], [0, 10])
  await read(frames, rows)
  const all = [0, 1, 2].flatMap(part => [1, 2, 3, 4, 5, 6].map(i => part * 10 + i))
  t.strictSame(rows.slice(1, -1).map(Number).sort((a, b) => a - b), all)
  t.strictSame([rows.at(-1), events], ['end', ['relay-outgrown', 'relay-delivered']])
})

t.test('in order, part after part goes out, whichever is there first', async t => {
  for (const holdBytes of [1_000, 15]) {
    const { simulation, relay, events } = relayed(holdBytes)
    relay.expect(4, [frame(0)], true)
    const rows: (number | string)[] = []
    const reading = read(relay.frames(), rows)
    relay.give(2, 0, [frame(0), frame(21), frame(22)], partOf(2, 2))
    relay.begin(3, 0, partOf(3, 2))
    await simulation.run(10)
    relay.begin(1, 0, partOf(1, 1))
    await simulation.run(10)
    t.strictSame(rows.filter(row => row !== 0), [], 'the first part is missing')
    relay.begin(0, 0, partOf(0, 2))
    await simulation.run(10)
    await reading
    t.strictSame(rows, [0, 1, 2, 11, 21, 22, 31, 32, 'end'], `${holdBytes} held back`)
    const again: (number | string)[] = []
    await read(relay.frames(), again)
    t.strictSame(again, rows)
    t.equal(events.at(-1), holdBytes === 15 ? 'relay-delivered' : 'relay-complete')
  }
})

t.test('in order, one part is read at a time, and a slow reader still gets them so', async t => {
  const { simulation, relay } = relayed(65)
  const asked: string[] = []
  relay.expect(5, [frame(0)], true)
  for (const part of [4, 2, 0, 3, 1]) relay.begin(part, 0, partOf(part, 3, asked))
  await simulation.run(1_000)
  t.ok(relay.heldBytes <= 65, `${relay.heldBytes}`)
  const rows: (number | string)[] = []
  const frames = relay.frames()
  for (let i = 0; i < 4; i++) {
    await simulation.run(1_000)
    rows.push((await frames.next()).value?.dataHeader[0] ?? -1)
  }
  await read(frames, rows)
  t.strictSame(rows, [0, 1, 2, 3, 11, 12, 13, 21, 22, 23, 31, 32, 33, 41, 42, 43, 'end'])
})

t.test('in order, a part that is made anew takes its place', async t => {
  const { simulation, relay } = relayed(15)
  relay.expect(3, [frame(0)], true)
  relay.begin(0, 0, partOf(0, 2))
  relay.begin(1, 0, async function* () { throw lost })
  relay.begin(2, 0, partOf(2, 2))
  const frames = relay.frames()
  const rows = [(await frames.next()).value?.dataHeader[0], (await frames.next()).value?.dataHeader[0]]
  await simulation.run(10)
  t.strictSame([rows, relay.drop(1), relay.drop(0)], [[0, 1], true, false])
  relay.begin(1, 1, partOf(1, 1))
  const more: (number | string)[] = []
  await read(frames, more)
  t.strictSame(more, [2, 11, 21, 22, 'end'])
})

t.test('any attempt at a part may count until a row of one has gone out, or all of one is here', async t => {
  const { simulation, relay, given } = relayed(15)
  relay.expect(3, [frame(0)])
  relay.begin(0, 4, partOf(1, 3))
  relay.begin(1, 5, async function* () { throw lost })
  await simulation.run(10)
  t.strictSame([0, 1, 2].map(part => relay.settledOn(part)), [null, null, null])
  const frames = relay.frames()
  await frames.next()
  t.strictSame([relay.settledOn(0), given], [null, []], 'the lead is of none')
  await frames.next()
  t.strictSame([relay.settledOn(0), given], [4, ['0.4']])
  relay.give(2, 6, [frame(0), frame(31)])
  t.equal(relay.settledOn(2), 6)
  await frames.next()
  t.strictSame(given.slice(0, 1), ['0.4'], 'it is told once')
})
