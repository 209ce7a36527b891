/** Parts that are read by themselves: breaks of the way, parts that are made again, and the end of it all. */

import t from 'tap'
import { OfferedParts } from '../../coordinator/offered-parts.ts'
import type { RelayEvent } from '../../coordinator/relay-event.ts'
import type { Fetch } from '../../coordinator/result-part.ts'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { HandClock } from '../executor/hand-clock.ts'

const frame = (n: number): RawFlightData => ({ dataHeader: Uint8Array.of(n), dataBody: new Uint8Array(0) })
/** The lead is frame 0 of each part. */
const lead = [frame(0)]
const broken = (): never => { throw new QueryError('UNAVAILABLE', 'the connection broke') }

/** Frames 1 to `count`, numbered from `from` on; breaks before the frames of `breaks`, once each. */
function source(from: number, count: number, breaks: readonly number[] = []): Fetch {
  const left = new Set(breaks)
  return async function* (at) {
    for (let i = at; i <= count; i++) {
      if (left.delete(i)) broken()
      yield frame(from + i)
    }
  }
}

function setUp(fetch: Fetch) {
  const clock = new HandClock()
  const told: RelayEvent[] = []
  const parts = new OfferedParts({ clock, tell: event => told.push(event) }, lead, [{ attempt: 0, fetch }])
  return { clock, parts, told }
}

async function read(frames: AsyncIterable<RawFlightData>): Promise<number[]> {
  const seen: number[] = []
  for await (const { dataHeader } of frames) seen.push(dataHeader[0] ?? -1)
  return seen
}

t.test('a part is read as often as one likes, with the lead; a break is mended where it was', async t => {
  const { clock, parts } = setUp(source(10, 3, [1, 3]))
  const reading = read(parts.read(0))
  await clock.pass(1_000)
  t.strictSame(await reading, [0, 11, 12, 13])
  t.strictSame(await read(parts.read(0)), [0, 11, 12, 13])
  t.strictSame(await read(setUp(source(10, 0)).parts.read(0)), [0], 'without a row it has its lead')
})

t.test('a part that is lost before a row has gone out is waited for', async t => {
  const { clock, parts } = setUp(broken)
  const reading = read(parts.read(0))
  await clock.pass(500)
  parts.drop(0)
  await clock.pass(500)
  parts.begin(0, 1, source(20, 2))
  await clock.pass(500)
  t.strictSame(await reading, [0, 21, 22])
})

t.test('two attempts are never mixed', async t => {
  const { clock, parts } = setUp(source(10, 3, [3]))
  const reading = t.rejects(read(parts.read(0)), {
    code: 'EXECUTOR_LOST', message: 'the part was lost while it was read: read it again',
  })
  await clock.pass(0)
  parts.begin(0, 1, source(20, 3))
  await clock.pass(500)
  await reading
  t.strictSame(await read(parts.read(0)), [0, 21, 22, 23])
})

t.test('what does not mend ends with its error, and so does a result that is given up', async t => {
  const { clock, parts, told } = setUp(broken)
  const reading = t.rejects(read(parts.read(0)), { code: 'UNAVAILABLE' })
  await clock.pass(60_000)
  await reading
  parts.drop(0)
  const waiting = t.rejects(read(parts.read(0)), { code: 'CANCELLED' })
  parts.delivered()
  parts.delivered()
  t.strictSame(told, [{ kind: 'relay-delivered' }])
  parts.close(new QueryError('CANCELLED', 'the client went away'))
  await waiting
})
