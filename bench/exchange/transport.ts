/**
 * One exchange file from host to host: by the executor's own server and reader over gRPC, by a plain TCP copy, and by a
 * hard link. Server and reader are processes of their own; run as a program, with its role, this is one of them.
 */

import { fork, type ChildProcess } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { link, mkdir, rm, stat } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { create } from '@bufbuild/protobuf'
import { ByteBudget } from '../../executor/byte-budget.ts'
import { ExchangeFiles } from '../../executor/exchange-files.ts'
import { ExchangeReader } from '../../executor/exchange-reader.ts'
import { serveExchange } from '../../executor/exchange-server.ts'
import type { DuckConnection } from '../../executor/instances.ts'
import { PeerChannels } from '../../executor/peer-channels.ts'
import { systemClock } from '../../proto/clock.ts'
import { ExecutorService, InputSchema, type Input } from '../../proto/gen/executor_pb.js'
import { GrpcServer } from '../../proto/grpc-server.ts'
import type { QueryId } from '../../proto/ids.ts'
import { quoteText } from '../../proto/sql-text.ts'
import type { Table } from '../family.ts'
import { compare, measuredOf } from '../harness.ts'
import { ownCpuMs } from '../processes.ts'
import { ratio, whole } from '../report.ts'

export interface TransportResult {
  readonly table: Table
  readonly checks: number
  readonly faults: readonly string[]
}

const QUERY = 'bench' as QueryId
const FILE = 'bench/0/0.0/rows.parquet'
const GRPC = 'gRPC, server and reader of the executor'
const TCP = 'TCP into a file'
const LINK = 'hard link'
/** Of random numbers, 8 bytes each, which do not compress. */
const ROWS = 32 * 1024 * 1024
const SMOKE_ROWS = 1024 * 1024
/** No reader has read this marker: it must fetch. */
const FOREIGN_MARKER = 'a disk of another host'

type Way = typeof GRPC | typeof TCP | typeof LINK

export async function compareTransport(
  connection: DuckConnection, folder: string, { smoke, rounds }: { readonly smoke: boolean; readonly rounds: number },
): Promise<TransportResult> {
  const server = await Peer.start('server', join(folder, 'sent'))
  const reader = await Peer.start('reader', join(folder, 'received'))
  try {
    const path = join(folder, 'sent', FILE)
    await mkdir(dirname(path), { recursive: true })
    const rows = smoke ? SMOKE_ROWS : ROWS
    await connection.run(`COPY (SELECT (hash(i) >> 1)::BIGINT AS c0 FROM range(${rows}) t(i)) TO ${quoteText(path)}
      (FORMAT parquet, COMPRESSION uncompressed)`)
    const sizeBytes = (await stat(path)).size
    const got: Partial<Record<Way, number>> = {}
    const side = (name: Way) => ({
      name, cpuMs: () => ownCpuMs(server.pid) + ownCpuMs(reader.pid),
      run: async () => { got[name] = await reader.fetch({ way: name, ports: server.ports, path, sizeBytes }) },
    })
    const sides = await compare([side(TCP), side(GRPC), side(LINK)], { rounds, maxRuns: 3 }, systemClock)
    const names: readonly Way[] = [GRPC, TCP, LINK]
    return {
      table: {
        title: `A file of ${whole(sizeBytes / 1e6)} MB between hosts`, heads: ['way', 'CPU s/GB', 'over TCP', 'MB/s'],
        rows: names.map(name => {
          const { cpuMs, cpuRatio, wallMs } = measuredOf(sides, name)
          const megabytes = sizeBytes / 1e6
          return [name, ratio(cpuMs / megabytes), ratio(cpuRatio), whole(megabytes / (wallMs / 1000))]
        }),
      },
      checks: names.length,
      faults: names.filter(name => got[name] !== sizeBytes)
        .map(name => `${name}: ${got[name]} bytes came instead of ${sizeBytes}`),
    }
  } finally {
    server.stop()
    reader.stop()
  }
}

interface Ports {
  readonly grpc: number
  readonly tcp: number
}

interface FetchRequest {
  readonly way: Way
  readonly ports: Ports
  /** On this machine, for links. */
  readonly path: string
  readonly sizeBytes: number
}

class Peer {
  readonly ports: Ports
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, ports: Ports) {
    this.#process = process
    this.ports = ports
  }

  static async start(role: 'server' | 'reader', folder: string): Promise<Peer> {
    const child = fork(fileURLToPath(import.meta.url), [role, folder])
    return new Peer(child, await answerOf<Ports>(child))
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** The bytes that have come. */
  fetch(request: FetchRequest): Promise<number> {
    this.#process.send(request)
    return answerOf<number>(this.#process)
  }

  stop(): void {
    this.#process.disconnect()
  }
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a process of the transport bench ended'))
    child.once('exit', ended)
    child.once('message', answer => {
      child.off('exit', ended)
      resolve(answer as T)
    })
  })
}

async function serve(folder: string): Promise<Ports> {
  const files = await ExchangeFiles.open(folder, FOREIGN_MARKER, new ByteBudget(Infinity))
  const grpc = new GrpcServer({ authenticate: () => undefined })
  const none = (): never => { throw new Error('not served here') }
  grpc.addService(ExecutorService, {
    identify: none, control: none, watchTasks: none, fetchResult: none,
    fetchExchange: request => serveExchange(files, request),
  })
  const tcp = createServer(socket => { void pipeline(createReadStream(files.pathOf(QUERY, FILE)), socket) })
  await new Promise<void>(resolve => { tcp.listen(0, '127.0.0.1', resolve) })
  return { grpc: await grpc.listen('127.0.0.1', 0), tcp: (tcp.address() as AddressInfo).port }
}

/** A task of its own each time, which gives back what it has fetched. */
async function openReader(folder: string): Promise<(request: FetchRequest) => Promise<number>> {
  const files = await ExchangeFiles.open(folder, 'the disk of this host', new ByteBudget(Infinity))
  const peers = new PeerChannels({ secret: '', tls: null })
  const reader = new ExchangeReader(files, ({ address, queryId, path, offset }, signal) =>
    peers.to(address).tasks.fetchExchange({ queryId, path, offset: BigInt(offset) }, { signal }), systemClock)
  let partition = 0
  return async ({ way, ports, path, sizeBytes }) => {
    const place = { queryId: QUERY, stage: 1, partition: partition++, attempt: 0 }
    if (way === GRPC) {
      const { signal } = new AbortController()
      const [[fetched = ''] = []] = await reader.locate([inputOf(ports.grpc, sizeBytes)], place, signal)
      const { size } = await stat(fetched)
      await reader.release(place)
      return size
    }
    const target = join(folder, 'copy.parquet')
    await rm(target, { force: true })
    if (way === LINK) await link(path, target)
    else await pipeline(connect(ports.tcp, '127.0.0.1'), createWriteStream(target))
    return (await stat(target)).size
  }
}

function inputOf(port: number, sizeBytes: number): Input {
  const source = {
    executorId: 'other', address: `127.0.0.1:${port}`, folder: '/nowhere', markerPath: '/nowhere/marker',
    markerToken: FOREIGN_MARKER,
  }
  return create(InputSchema, {
    name: 'ex0', files: [{ source, path: FILE, sizeBytes: BigInt(sizeBytes), rowCount: 1n }],
  })
}

const [, program, role, folder] = process.argv
if (program === fileURLToPath(import.meta.url) && folder !== undefined) {
  process.once('disconnect', () => process.exit())
  if (role === 'server') {
    process.send?.(await serve(folder))
  } else {
    const fetch = await openReader(folder)
    process.on('message', (request: FetchRequest) => { void fetch(request).then(size => process.send?.(size)) })
    process.send?.({ grpc: 0, tcp: 0 })
  }
}
