/** Streams of FlightData between processes of a cluster: beside HTTP/2 on its port, with its TLS, and nobody else's. */

import { connect, type Socket } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { QueryError } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { FrameClient } from '../../proto/frame-client.ts'
import { MAGIC } from '../../proto/frame-link.ts'
import { ExecutorService } from '../../proto/gen/executor_pb.js'
import { nodeChannel, nodeServer, type NodeAuth } from '../../proto/node-auth.ts'
import { releaseFrame } from '../../proto/wire-frame.ts'
import { Certificates, pem } from '../certificates.ts'
import { TcpProxy } from '../tcp-proxy.ts'

const never = new AbortController().signal
const MIB = 1024 * 1024
const method = ExecutorService.method.fetchResult
const PATH = `/${method.parent.typeName}/${method.name}`

/** Each frame tells its number by all of its bytes. */
async function* numbered(count: number): AsyncGenerator<RawFlightData> {
  for (let i = 0; i < count; i++) yield { dataHeader: Uint8Array.of(i), dataBody: new Uint8Array(MIB).fill(i) }
}

function isWhole({ dataHeader: [number = -1], dataBody }: RawFlightData): boolean {
  return dataBody.length === MIB && dataBody.every(byte => byte === number)
}

async function served(t: Test, auth: NodeAuth, failing = false): Promise<number> {
  const server = nodeServer(auth)
  const refused = (): never => { throw new QueryError('NOT_FOUND', 'not here') }
  server.addService(ExecutorService, {
    fetchResult: ({ fromFrame }) => failing ? refused() : numbered(Number(fromFrame)),
    identify: () => ({ executorId: 'me' }), watchTasks: refused, fetchExchange: refused, control: refused,
  })
  t.teardown(() => server.close())
  return server.listen('127.0.0.1', 0)
}

function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined).on('data', () => undefined)
  return new Promise(resolve => { socket.once('close', resolve) })
}

t.test('with TLS too it shares the port with gRPC, for nodes alone', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'skein-link-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const certificates = new Certificates(folder)
  const tls = pem(certificates.make('node', 'a'))
  const port = await served(t, { secret: 's', tls })
  const readBy = async (auth: NodeAuth): Promise<number> => {
    const channel = nodeChannel(`127.0.0.1:${port}`, auth)
    t.teardown(() => channel.close())
    let count = 0
    for await (const frame of channel.frames(method, { fromFrame: 9n }, never)) if (isWhole(frame)) count++
    t.match(await channel.service(ExecutorService).identify({}), { executorId: 'me' })
    return count
  }
  t.equal(await readBy({ secret: 's', tls }), 9)
  const operator = pem(certificates.make('operator', 'o'))
  await t.rejects(readBy({ secret: 's', tls: operator }), { code: 'UNAUTHENTICATED' })
  await t.rejects(readBy({ secret: 'another', tls }), { code: 'UNAUTHENTICATED' })
  await t.rejects(readBy({ secret: 's', tls: null }), { code: 'UNAVAILABLE' })
  const stranger = new Certificates(mkdtempSync(join(folder, 'other-')))
  const unknown = { ...pem(stranger.make('node', 'a')), ca: tls.ca }
  await t.rejects(readBy({ secret: 's', tls: unknown }), { code: 'UNAVAILABLE' })
})

t.test('a frame stays as it is until it is released, and its memory serves the next one then', async t => {
  const port = await served(t, { secret: 's', tls: null })
  const client = new FrameClient(`127.0.0.1:${port}`, { authorization: 'Bearer s' })
  t.teardown(() => client.close())
  const request = Uint8Array.of(0x10, 40) // field 2: from frame 40
  const held: RawFlightData[] = []
  for await (const frame of client.read(PATH, request, never)) held.push(frame)
  t.equal(held.filter(isWhole).length, 40, 'all are held at once')
  const memory = new Set(held.map(({ dataBody }) => dataBody.buffer))
  t.equal(memory.size, 40)
  for (const frame of held) releaseFrame(frame)
  let again = 0
  for await (const frame of client.read(PATH, request, never)) {
    t.ok(isWhole(frame))
    if (memory.has(frame.dataBody.buffer)) again++
    releaseFrame(frame)
  }
  t.equal(again, 40)
})

t.test('a connection serves one stream after another, also after an error', async t => {
  let connections = 0
  for (const failing of [false, true]) {
    const port = await served(t, { secret: 's', tls: null }, failing)
    const proxy = await TcpProxy.start(() => {
      connections++
      return { host: '127.0.0.1', port }
    })
    const client = new FrameClient(`127.0.0.1:${proxy.port}`, { authorization: 'Bearer s' })
    t.teardown(async () => {
      client.close()
      await proxy.close()
    })
    const read = async (): Promise<number> => {
      let count = 0
      for await (const _ of client.read(PATH, Uint8Array.of(0x10, 5), never)) count++
      return count
    }
    for (let i = 0; i < 3; i++) {
      if (failing) await t.rejects(read(), { code: 'NOT_FOUND', message: 'not here' })
      else t.equal(await read(), 5)
    }
    t.equal(connections, 1, 'one connection')
    connections = 0
    if (!failing) {
      proxy.breakAll()
      while ((await read().catch(() => 0)) !== 5) continue // it is noticed, and a new one made
      t.equal(connections, 1, 'and another one when it breaks')
      connections = 0
    }
  }
})

t.test('a reader that goes away while it holds everything up ends the handler', async t => {
  const server = nodeServer({ secret: 's', tls: null })
  const refused = (): never => { throw new QueryError('NOT_FOUND', 'not here') }
  let [aborted, ended] = [0, 0]
  server.addService(ExecutorService, {
    fetchResult: async function* (_, { signal }) {
      signal.addEventListener('abort', () => { aborted++ })
      try {
        yield* numbered(100)
      } finally {
        ended++
      }
    },
    identify: refused, watchTasks: refused, fetchExchange: refused, control: refused,
  })
  const port = await server.listen('127.0.0.1', 0)
  const client = new FrameClient(`127.0.0.1:${port}`, { authorization: 'Bearer s' })
  t.teardown(() => {
    client.close()
    server.close()
  })
  const frames = client.read(PATH, new Uint8Array(0), never)
  for (let i = 0; i < 3; i++) await frames.next()
  await new Promise(resolve => { setImmediate(resolve) })
  await frames.return(undefined)
  while (aborted + ended < 2) await new Promise(resolve => { setImmediate(resolve) })
  t.strictSame([aborted, ended], [1, 1])
})

t.test('who speaks another protocol is cut off, and disturbs nobody', async t => {
  const port = await served(t, { secret: 's', tls: null })
  const sayings = [
    Buffer.from('SSH-2.0-other\r\n\r\n\r\n\r\n'), Buffer.concat([MAGIC, Buffer.from([1, 0, 0, 0, 0])]),
    Buffer.concat([MAGIC, Buffer.from([0, 0xff, 0xff, 0xff, 0xff])]),
    Buffer.concat([MAGIC, Buffer.from([0, 0, 0, 0, 4]), Buffer.from('null')]),
    Buffer.concat([MAGIC, Buffer.from([0, 0, 0, 0, 2]), Buffer.from('{}')]),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  ]
  for (const saying of sayings) {
    const socket = connect(port, '127.0.0.1')
    socket.write(saying)
    await closed(socket)
  }
  const channel = nodeChannel(`127.0.0.1:${port}`, { secret: 's', tls: null })
  t.teardown(() => channel.close())
  t.match(await channel.service(ExecutorService).identify({}), { executorId: 'me' })
})
