/**
 * An S3 server for tests, on node:http, with its objects in memory. It checks signatures (header and presigned),
 * payload hashes and CRC32; serves ranges, conditions, lists by pages, uploads in parts, copies and deletes; counts
 * requests and bytes by kind; and does wrong what it is told to: see `s3/faults.ts`, and `latencyMs` and
 * `bytesPerSecond` for a slow one.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delay, systemClock, type Clock } from '../proto/clock.ts'
import { Faults, type FaultKind } from './s3/faults.ts'
import { Objects, type Answer } from './s3/objects.ts'
import { payloadOf } from './s3/payload.ts'
import { escapeXml, header, kindOf, readRequest, requestKinds, S3Error } from './s3/request.ts'
import type { RequestKind, S3Request } from './s3/request.ts'
import { verifySignature } from './s3/signature.ts'

export interface S3ServerOptions {
  readonly buckets?: readonly string[]
  /** Secrets by access key. */
  readonly secrets?: Readonly<Record<string, string>>
  readonly region?: string
  /** Of the server: a test may set it apart from the client's. */
  readonly clock?: Clock
}

export interface Traffic {
  requests: number
  /** Of the bodies of its answers. */
  bytes: number
}

export interface SeenRequest {
  readonly kind: RequestKind
  readonly bucket: string
  readonly key: string
  readonly range: string | undefined
  readonly ifMatch: string | undefined
}

/** Bytes sent at once when the bandwidth is limited. */
const PIECE_BYTES = 16 * 1024
/** Kept of the last requests. */
const MAX_SEEN = 100_000

export class S3Server {
  readonly objects: Objects
  readonly faults = new Faults()
  /** In the order of their coming. */
  readonly seen: SeenRequest[] = []
  /** Before every answer. */
  latencyMs = 0
  /** Of each answer; 0: no limit. */
  bytesPerSecond = 0
  readonly #options: Required<S3ServerOptions>
  readonly #server: Server
  readonly #traffic: Record<RequestKind, Traffic>

  private constructor(options: Required<S3ServerOptions>) {
    this.#options = options
    this.objects = new Objects(options.buckets, () => options.clock.wallMs())
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#traffic = noTraffic()
  }

  static async start(options: S3ServerOptions = {}): Promise<S3Server> {
    const server = new S3Server({
      buckets: ['lake'], secrets: { test: 'testsecret' }, region: 'us-east-1', clock: systemClock, ...options,
    })
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    return server
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` // null only when it does not listen
  }

  /** Since the start or the last `forget`. */
  traffic(kind: RequestKind): Readonly<Traffic> {
    return { ...this.#traffic[kind] }
  }

  get requests(): number {
    return requestKinds.reduce((sum, kind) => sum + this.#traffic[kind].requests, 0)
  }

  forget(): void {
    Object.assign(this.#traffic, noTraffic())
    this.seen.length = 0
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => { this.#server.close(resolve) })
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined) // the client went away
    const request = readRequest(incoming)
    const kind = kindOf(request)
    try {
      const pieces: Buffer[] = []
      for await (const piece of incoming) pieces.push(piece as Buffer) // no encoding is set, so it is one
      this.#count(request, kind)
      if (this.latencyMs > 0) await delay(this.#options.clock, this.latencyMs)
      const fault = this.faults.of(kind, request.key)
      if (fault === 'silence') return
      if (fault === 'reset') return void incoming.socket.destroy()
      const answer = this.#answer(request, Buffer.concat(pieces), fault)
      await this.#send(request, kind, response, answer, fault)
    } catch (error) {
      await this.#send(request, kind, response, failure(error), undefined)
    }
  }

  #answer(request: S3Request, body: Buffer, fault: FaultKind | undefined): Answer {
    const { clock, secrets, region } = this.#options
    verifySignature(request, { secrets, region, nowMs: clock.wallMs() })
    if (fault === 'error-500') throw new S3Error(500, 'InternalError')
    if (fault === 'slow-down') throw new S3Error(503, 'SlowDown')
    return this.objects.answer(request, payloadOf(request, body))
  }

  async #send(
    { method }: S3Request, kind: RequestKind, response: ServerResponse, answer: Answer, fault: FaultKind | undefined,
  ): Promise<void> {
    const { status, headers, body } = method === 'HEAD' ? answer : spoiled(answer, fault)
    const region = { 'x-amz-bucket-region': this.#options.region, 'x-amz-request-id': 'test' }
    response.writeHead(status, { ...region, ...headers, 'content-length': body.length })
    if (method === 'HEAD') return void response.end()
    const sent = fault === 'cut' ? body.subarray(0, body.length >> 1) : body
    this.#traffic[kind].bytes += sent.length
    if (this.bytesPerSecond > 0) {
      for (let at = 0; at < sent.length && !response.destroyed; at += PIECE_BYTES) {
        const piece = sent.subarray(at, at + PIECE_BYTES)
        await delay(this.#options.clock, 1000 * piece.length / this.bytesPerSecond)
        response.write(piece)
      }
    } else response.write(sent)
    if (fault === 'cut') response.socket?.destroySoon()
    else response.end()
  }

  #count(request: S3Request, kind: RequestKind): void {
    const { bucket, key } = request
    this.#traffic[kind].requests++
    if (this.seen.length >= MAX_SEEN) this.seen.shift()
    this.seen.push({ kind, bucket, key, range: header(request, 'range'), ifMatch: header(request, 'if-match') })
  }
}

function noTraffic(): Record<RequestKind, Traffic> {
  const none = (): Traffic => ({ requests: 0, bytes: 0 })
  return {
    get: none(), head: none(), list: none(), put: none(), copy: none(), delete: none(), multipart: none(),
    bucket: none(),
  }
}

/** As the fault has it; what breaks on the way is left to the sender. */
function spoiled(answer: Answer, fault: FaultKind | undefined): Answer {
  switch (fault) {
    case 'short': return { ...answer, body: answer.body.subarray(0, Math.max(0, answer.body.length - 1)) }
    case 'other-etag': return { ...answer, headers: { ...answer.headers, etag: '"of-another-time"' } }
    case 'flip': {
      const body = Buffer.from(answer.body)
      const at = body.length >> 1
      if (body.length > 0) body.writeUInt8(body.readUInt8(at) ^ 0x10, at)
      return { ...answer, body }
    }
    default: return answer
  }
}

function failure(error: unknown): Answer {
  const known = error instanceof S3Error ? error : new S3Error(500, 'TestServerBug', { Bug: String(error) })
  const details = Object.entries(known.details).map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`).join('')
  const { status, code, headers } = known
  const text = `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>${code}</Message>${details}</Error>`
  return { status, headers: { 'content-type': 'application/xml', ...headers }, body: Buffer.from(text) }
}
