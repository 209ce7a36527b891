/**
 * What the coordinator's relay is compared with: a sender of prebuilt Flight messages and a raw TCP proxy before it,
 * each a process of its own. Run as a program, with its role, it is that process and tells its port.
 */

import { fork, type ChildProcess } from 'node:child_process'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { framed } from './flight-client.ts'

/** As large as batches of the product are. */
const MESSAGE_BYTES = 1024 * 1024

export class RelayPart {
  readonly port: number
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.port = port
  }

  /** Sends, on every DoGet whose ticket is a number, so many messages of 1 MiB. */
  static sender(): Promise<RelayPart> {
    return RelayPart.#start(['sender'])
  }

  /** Passes bytes on, both ways, to the port. */
  static proxy(port: number): Promise<RelayPart> {
    return RelayPart.#start(['proxy', String(port)])
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  stop(): void {
    this.#process.disconnect()
  }

  static #start(parameters: readonly string[]): Promise<RelayPart> {
    const child = fork(fileURLToPath(import.meta.url), parameters)
    return new Promise((resolve, reject) => {
      child.once('message', port => resolve(new RelayPart(child, Number(port))))
      child.once('exit', code => reject(new Error(`the ${parameters[0]} ended with ${code}`)))
    })
  }
}

function sender(): Server {
  const message = framed(Buffer.alloc(MESSAGE_BYTES, 7))
  const server = createHttp2Server()
  server.on('stream', stream => { void send(stream, message) })
  return server
}

async function send(stream: ServerHttp2Stream, message: Buffer): Promise<void> {
  const pieces: Buffer[] = []
  stream.on('error', () => undefined) // its close follows
  for await (const piece of stream.iterator({ destroyOnReturn: false })) pieces.push(piece as Buffer)
  const count = Number(Buffer.concat(pieces).subarray(5).toString())
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  for (let i = 0; i < count && !stream.destroyed; i++) {
    if (!stream.write(message)) await room(stream)
  }
  stream.end()
}

/** Until the stream takes more, or is gone. */
function room(stream: ServerHttp2Stream): Promise<void> {
  return new Promise(resolve => {
    const go = (): void => {
      stream.off('drain', go).off('close', go)
      resolve()
    }
    stream.once('drain', go).once('close', go)
  })
}

function proxy(port: number): Server {
  return createServer(client => {
    const server = connect(port, '127.0.0.1')
    for (const [from, to] of [[client, server], [server, client]] as const) {
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  })
}

const [, program, role, port] = process.argv
if (program === fileURLToPath(import.meta.url) && role !== undefined) {
  const server = role === 'sender' ? sender() : proxy(Number(port))
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
  process.once('disconnect', () => process.exit())
}
