/**
 * Reads streams of FlightData from another process of the cluster (see frame-link.ts): each message comes in one piece,
 * for who passes it on. A stream has its connection for itself; one that was read to its end serves the next. A stream
 * whose reader stops holds a few messages, and takes nothing from the others.
 */

import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { splitAddress } from './address.ts'
import { systemClock } from './clock.ts'
import { QueryError } from './errors.ts'
import { LinkReader, MAGIC, TAKEN_TOGETHER, type LinkHead, type Trailers } from './frame-link.ts'
import { fromTrailers } from './grpc.ts'
import { NODE_NAME, type Tls } from './tls.ts'
import { prefixed, WireFrame } from './wire-frame.ts'

/** Kept for the next streams: as many as a result is read by at once. */
const MAX_IDLE = 4
/** Below the time after which the server ends one. */
const IDLE_MS = 30_000
/** A network that drops packets is noticed, and lets go of what waits. */
const KEEPALIVE_MS = 10_000

export class FrameClient {
  readonly #address: string
  readonly #headers: LinkHead['headers']
  readonly #tls: Tls | null
  readonly #idle: Link[] = []
  readonly #links = new Set<Link>()

  /** `address` is host:port; `headers` go with every call. */
  constructor(address: string, headers: LinkHead['headers'], tls: Tls | null = null) {
    this.#address = address
    this.#tls = tls
    this.#headers = headers
  }

  /** Ends without a throw only if the server said so; else throws its QueryError, or UNAVAILABLE. */
  async *read(path: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<WireFrame> {
    if (signal.aborted) throw new QueryError('CANCELLED', 'the reader has gone')
    const link = this.#idle.pop() ?? this.#open()
    const cancel = (): void => link.destroy(new QueryError('CANCELLED', 'cancelled'))
    signal.addEventListener('abort', cancel, { once: true })
    try {
      link.ask({ path, headers: this.#headers }, request)
      for (let frame = await link.next(); frame !== null; frame = await link.next()) yield frame
    } finally {
      signal.removeEventListener('abort', cancel)
      if (this.#idle.length < MAX_IDLE && this.#links.has(link) && link.rest()) this.#idle.push(link)
      else cancel()
      link.releaseUnread()
    }
  }

  /** Running streams end as UNAVAILABLE. */
  close(): void {
    for (const link of this.#links) link.destroy(new QueryError('UNAVAILABLE', `${this.#address}: closed`))
  }

  #open(): Link {
    const link = new Link(this.#address, this.#tls, () => {
      this.#links.delete(link)
      if (this.#idle.includes(link)) this.#idle.splice(this.#idle.indexOf(link), 1)
    })
    this.#links.add(link)
    return link
  }
}

const TAKEN = prefixed(new Uint8Array(0))

/**
 *   idle ──▶ running ──▶ ended ──▶ idle     by the server; null: the stream is complete
 *               └──────▶ failed             the connection is of no use any more
 */
type State =
  | { readonly state: 'idle' | 'running' }
  | { readonly state: 'ended'; readonly cause: QueryError | null }
  | { readonly state: 'failed'; readonly cause: QueryError }

class Link {
  readonly #address: string
  readonly #socket: Socket
  readonly #reader = new LinkReader()
  readonly #frames: WireFrame[] = []
  #taken = 0
  #state: State = { state: 'idle' }
  #wake = (): void => undefined
  #cancelIdle = (): void => undefined

  constructor(address: string, tls: Tls | null, onClose: () => void) {
    this.#address = address
    const onread = { buffer: () => this.#reader.space, callback: (byteCount: number) => {
      this.#take(byteCount)
      return true
    } }
    const { host, port } = splitAddress(address)
    const to = { host: host.replace(/^\[(.*)\]$/, '$1'), port, onread }
    // the port's TLS is that of its HTTP/2: what follows is told apart behind it
    this.#socket = tls === null ? connect(to)
      : connectTls({ ...to, ...tls, servername: NODE_NAME, ALPNProtocols: ['h2'] })
    let reason = 'it ended'
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true, KEEPALIVE_MS)
    this.#socket.on('error', (error: Error) => { reason = error.message })
    this.#socket.once('close', () => {
      onClose()
      this.#cancelIdle()
      this.#reader.release()
      this.#fail(new QueryError('UNAVAILABLE', `${address}: the connection broke: ${reason}`))
    })
    this.#socket.write(MAGIC)
  }

  ask(head: LinkHead, request: Uint8Array): void {
    this.#state = { state: 'running' }
    this.#taken = 0
    this.#cancelIdle()
    this.#socket.cork()
    this.#socket.write(prefixed(Buffer.from(JSON.stringify(head))))
    this.#socket.write(prefixed(request))
    this.#socket.uncork()
  }

  /** null at the server's own end. */
  async next(): Promise<WireFrame | null> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) {
        if (++this.#taken % TAKEN_TOGETHER === 0) this.#socket.write(TAKEN)
        return frame
      }
      const state = this.#state
      if ((state.state === 'ended' || state.state === 'failed') && state.cause !== null) throw state.cause
      if (state.state !== 'running') return null
      await new Promise<void>(resolve => { this.#wake = resolve })
    }
  }

  /** False: it cannot serve another stream. */
  rest(): boolean {
    if (this.#state.state !== 'ended' || this.#frames.length > 0) return false
    this.#state = { state: 'idle' }
    this.#cancelIdle = systemClock.after(IDLE_MS, () => this.#socket.destroy())
    return true
  }

  /** Nobody reads the stream any more. */
  releaseUnread(): void {
    for (const frame of this.#frames.splice(0)) frame.release()
  }

  destroy(cause: QueryError): void {
    this.#fail(cause)
    this.#socket.destroy()
  }

  /** The server stops by itself when too many are not taken. */
  #take(byteCount: number): void {
    try {
      const whole = this.#reader.take(byteCount)
      if (whole === null) return
      if (whole instanceof WireFrame) this.#frames.push(whole)
      else this.#end(whole)
    } catch (error) {
      this.destroy(error as QueryError)
    }
    this.#wake()
  }

  #end(trailers: Trailers): void {
    if (this.#state.state !== 'running') throw new QueryError('INTERNAL', `${this.#address}: an end of no stream`)
    this.#state = { state: 'ended', cause: trailers['grpc-status'] === '0' ? null : fromTrailers(trailers) }
  }

  #fail(cause: QueryError): void {
    if (this.#state.state === 'running') this.#state = { state: 'failed', cause }
    this.#wake()
  }
}
