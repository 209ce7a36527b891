/**
 * Streams of FlightData from a gRPC server over bare HTTP/2: messages come as the pieces that the network gave, for who
 * passes them on. One connection for all streams to a server, made at the first. A stream whose reader stops holds one
 * message and its window, and takes nothing from the others.
 */

import {
  connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders,
} from 'node:http2'
import { QueryError } from './errors.ts'
import { fromTrailers } from './grpc.ts'
import { NODE_NAME, type Tls } from './tls.ts'
import { FrameSplitter, prefixed, type WireFrame } from './wire-frame.ts'

/** What a paused stream may pile up: 1 MiB carries 1 GB/s at 1 ms round trip. */
const STREAM_WINDOW_BYTES = 1024 * 1024
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024
/** Megabytes, of Node's own count for all streams of a connection; its default of 10 resets streams under load. */
const MAX_SESSION_MEMORY_MB = 1024
/** Above the largest row that an executor sends. */
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024

export class FrameClient {
  readonly #address: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #tls: Tls | null
  #session: ClientHttp2Session | null = null

  /** `address` is host:port; `headers` go with every call. */
  constructor(address: string, headers: Readonly<Record<string, string>>, tls: Tls | null = null) {
    this.#address = address
    this.#tls = tls
    this.#headers = headers
  }

  /** Ends without a throw only if the server said so; else throws its QueryError, or UNAVAILABLE. */
  async *read(path: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<WireFrame> {
    if (signal.aborted) throw new QueryError('CANCELLED', 'the reader has gone')
    const stream = new FrameStream(this.#open(path))
    const cancel = (): void => stream.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      stream.send(request)
      for (let frame = await stream.next(); frame !== null; frame = await stream.next()) yield frame
    } finally {
      signal.removeEventListener('abort', cancel)
      stream.cancel()
    }
  }

  /** Running streams end as UNAVAILABLE. */
  close(): void {
    this.#session?.destroy()
    this.#session = null
  }

  #open(path: string): ClientHttp2Stream {
    try {
      return this.#connected().request({
        ...this.#headers, ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers',
      })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new QueryError('UNAVAILABLE', `${this.#address}: ${reason}`, { cause: error })
    }
  }

  #connected(): ClientHttp2Session {
    const known = this.#session
    if (known !== null && !known.closed && !known.destroyed) return known
    const tls = this.#tls
    const session = connect(`${tls === null ? 'http' : 'https'}://${this.#address}`, {
      ...(tls === null ? {} : { ...tls, servername: NODE_NAME }),
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false }, maxSessionMemory: MAX_SESSION_MEMORY_MB,
    })
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES))
    session.on('error', () => undefined) // every open stream ends without a status
    session.on('close', () => { if (this.#session === session) this.#session = null })
    this.#session = session
    return session
  }
}

type End =
  | { readonly state: 'open' }
  | { readonly state: 'complete' }
  | { readonly state: 'failed'; readonly cause: QueryError }

class FrameStream {
  readonly #stream: ClientHttp2Stream
  readonly #splitter = new FrameSplitter(MAX_MESSAGE_BYTES)
  readonly #frames: WireFrame[] = []
  #end: End = { state: 'open' }
  #wake = (): void => undefined

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream
    let status: IncomingHttpHeaders | undefined
    let broken: string | undefined
    stream.on('response', headers => { if (headers['grpc-status'] !== undefined) status = headers })
    stream.on('trailers', trailers => { status = trailers })
    stream.on('data', (data: Buffer) => this.#take(data))
    stream.on('error', (error: Error) => { broken = error.message })
    stream.once('close', () => this.#closed(status, broken))
  }

  send(request: Uint8Array): void {
    this.#stream.end(prefixed(request))
  }

  cancel(): void {
    if (this.#end.state === 'open') this.#finish({ state: 'failed', cause: new QueryError('CANCELLED', 'cancelled') })
    this.#stream.close(constants.NGHTTP2_CANCEL)
  }

  /** null at the server's own end. */
  async next(): Promise<WireFrame | null> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) {
        if (this.#frames.length === 0) this.#stream.resume()
        return frame
      }
      if (this.#end.state === 'failed') throw this.#end.cause
      if (this.#end.state === 'complete') return null
      await new Promise<void>(resolve => { this.#wake = resolve })
    }
  }

  #take(data: Buffer): void {
    try {
      this.#frames.push(...this.#splitter.push(data))
    } catch (error) {
      this.#finish({ state: 'failed', cause: error as QueryError })
      this.#stream.close(constants.NGHTTP2_CANCEL)
      return
    }
    if (this.#frames.length === 0) return
    this.#stream.pause()
    this.#wake()
  }

  #closed(status: IncomingHttpHeaders | undefined, broken: string | undefined): void {
    if (this.#end.state !== 'open') return
    const code = status?.['grpc-status']
    if (code === '0' && this.#splitter.clean) return this.#finish({ state: 'complete' })
    const cause = status === undefined || code === undefined || code === '0'
      ? new QueryError('UNAVAILABLE', `the connection broke: ${broken ?? 'the stream ended without a status'}`)
      : fromTrailers(status)
    this.#finish({ state: 'failed', cause })
  }

  #finish(end: End): void {
    this.#end = end
    this.#wake()
  }
}
