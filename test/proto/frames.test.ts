/** Streams of FlightData over bare HTTP/2, beside grpc-js on one port: whole, in order, at their reader's pace. */

import v8 from 'node:v8'
import vm from 'node:vm'
import t, { type Test } from 'tap'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { ExecutorService, type FetchResultRequest } from '../../proto/gen/executor_pb.js'
import { GrpcChannel } from '../../proto/grpc-channel.ts'
import { GrpcServer, type Call } from '../../proto/grpc-server.ts'
import { FrameSplitter, piecesOf, type WireFrame } from '../../proto/wire-frame.ts'

const MIB = 1024 * 1024
const never = new AbortController().signal

type Serve = (request: FetchResultRequest, call: Call) => AsyncIterable<RawFlightData>

async function served(t: Test, serve: Serve, authenticate: (call: Call) => void = () => undefined) {
  const server = new GrpcServer({ authenticate, links: true })
  const refused = (): never => { throw new QueryError('NOT_FOUND', 'not here') }
  server.addService(ExecutorService, {
    fetchResult: serve, watchTasks: refused, fetchExchange: refused, control: refused, identify: refused,
  })
  const port = await server.listen('127.0.0.1', 0)
  const channel = new GrpcChannel(`127.0.0.1:${port}`, { authorization: 'Bearer me' })
  t.teardown(() => {
    channel.close()
    server.close()
  })
  const read = (queryId: string, signal = never) =>
    channel.frames(ExecutorService.method.fetchResult, { queryId, fromFrame: 7n, taskId: 't' }, signal)
  return { channel, read }
}

function frame(byte: number, byteCount: number): RawFlightData {
  return { dataHeader: new Uint8Array([byte, 1, 2]), dataBody: new Uint8Array(byteCount).fill(byte) }
}

/** Lets what is on its way arrive. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise(resolve => { setImmediate(resolve) })
}

t.test('frames come as they were, of every size, to both kinds of clients', async t => {
  const sizes = [0, 1, 100, 16_383, 16_384, 70_000, MIB, 3 * MIB + 1, 0]
  const { read, channel } = await served(t, async function* ({ queryId, fromFrame, taskId }, call) {
    t.strictSame([queryId, fromFrame, taskId, call.header('authorization')], ['q', 7n, 't', 'Bearer me'])
    for (const [i, size] of sizes.entries()) yield frame(i, size)
  })
  const request = { queryId: 'q', fromFrame: 7n, taskId: 't' }
  for (const frames of [read('q'), channel.service(ExecutorService).fetchResult(request)]) {
    let i = 0
    for await (const { dataHeader, dataBody } of frames) {
      const wanted = frame(i, sizes[i] ?? -1)
      t.ok(Buffer.compare(dataHeader, wanted.dataHeader) === 0 && Buffer.compare(dataBody, wanted.dataBody) === 0)
      i++
    }
    t.equal(i, sizes.length)
  }
})

t.test('an error, before the first frame or after some, comes with code, text and place', async t => {
  const message = 'Binder Error: "é%20"\n\nLINE 1: ^ 100%'
  const { read } = await served(t, async function* ({ queryId }) {
    if (queryId === 'late') yield frame(1, 2 * MIB)
    throw new QueryError('EXECUTION_ERROR', message, { position: 41 })
  })
  for (const [id, count] of [['early', 0], ['late', 1]] as const) {
    let seen = 0
    const reading = (async () => { for await (const _ of read(id)) seen++ })()
    await t.rejects(reading, { code: 'EXECUTION_ERROR', message, position: 41 })
    t.equal(seen, count)
  }
})

t.test('who is not known gets nothing; a server that is gone is UNAVAILABLE, also in the middle', async t => {
  const { read, channel } = await served(t, async function* ({ queryId }) {
    yield frame(1, 10)
    if (queryId === 'cut') channel.close()
    await new Promise(() => undefined)
  }, call => {
    if (call.header('authorization') !== 'Bearer me') throw new QueryError('UNAUTHENTICATED', 'who?')
  })
  await t.rejects((async () => { for await (const _ of read('cut')) continue })(), { code: 'UNAVAILABLE' })
  const nowhere = new GrpcChannel('127.0.0.1:1')
  const frames = nowhere.frames(ExecutorService.method.fetchResult, { queryId: 'q' }, never)
  await t.rejects((async () => { for await (const _ of frames) continue })(), { code: 'UNAVAILABLE' })
  const stranger = await served(t, async function* () { yield frame(1, 1) }, () => {
    throw new QueryError('UNAUTHENTICATED', 'who?')
  })
  await t.rejects((async () => { for await (const _ of stranger.read('q')) continue })(), { code: 'UNAUTHENTICATED' })
})

t.test('a reader that goes ends the handler; one that stops holds little, and up nobody', async t => {
  let [made, ended] = [0, 0]
  const { read } = await served(t, async function* ({ queryId }) {
    try {
      for (let i = 0; queryId === 'stalled' || i < 20; i++) {
        if (queryId === 'stalled') made++
        yield frame(i, MIB)
      }
    } finally {
      ended++
    }
  })
  const controllers = Array.from({ length: 16 }, () => new AbortController())
  const stalled = controllers.map(({ signal }) => read('stalled', signal)[Symbol.asyncIterator]())
  await Promise.all(stalled.map(each => each.next()))
  await turns()
  t.ok(made <= 16 * 5, `${made} frames were made for readers of 16`)
  let count = 0
  for await (const _ of read('fast')) count++
  t.equal(count, 20, 'another one reads to its end on the same connection')
  const left = stalled.map(each => each.return?.())
  for (const controller of controllers) controller.abort()
  for (const each of left) await each
  while (ended < 17) await turns()
  t.pass('every handler has ended')
})

t.test('what has been read can be freed while the stream goes on', async t => {
  v8.setFlagsFromString('--expose-gc')
  const gc = vm.runInNewContext('gc') as () => void
  const given: WeakRef<RawFlightData>[] = []
  const { read } = await served(t, async function* () {
    for (let i = 0; i < 30; i++) {
      const one = frame(i, 100_000)
      given.push(new WeakRef(one))
      yield one
    }
    await new Promise(() => undefined)
  })
  const controller = new AbortController()
  const frames = read('q', controller.signal)[Symbol.asyncIterator]()
  for (let i = 0; i < 30; i++) await frames.next()
  await turns()
  gc()
  const held = given.filter(ref => ref.deref() !== undefined).length
  t.ok(held < 5, `${held} of 30 are held`)
  controller.abort()
  await t.rejects(frames.next(), { code: 'CANCELLED' })
})

t.test('messages are cut from pieces of any size, and large or compressed ones refused', async t => {
  const frames = [frame(1, 0), frame(2, 3), frame(3, 70_000), frame(4, 0)]
  const bytes = Buffer.concat(frames.flatMap(piecesOf))
  for (const step of [1, 2, 3, 7, 1000, 16_384, bytes.length]) {
    const splitter = new FrameSplitter(MIB)
    const found: WireFrame[] = []
    for (let at = 0; at < bytes.length; at += step) found.push(...splitter.push(bytes.subarray(at, at + step)))
    t.ok(splitter.clean)
    t.strictSame(found.map(({ dataHeader, dataBody }) => [dataHeader[0], dataBody.length]),
      frames.map(({ dataHeader, dataBody }) => [dataHeader[0], dataBody.length]), `in steps of ${step}`)
    t.strictSame(Buffer.concat(found.flatMap(piecesOf)), bytes, 'and go on as they came')
  }
  t.throws(() => new FrameSplitter(100).push(bytes.subarray(0)), { code: 'RESULT_TOO_LARGE' })
  t.throws(() => new FrameSplitter(MIB).push(Buffer.from([1, 0, 0, 0, 0])), { code: 'INTERNAL' })
})
