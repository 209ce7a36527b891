/**
 * The streams of FlightData that other processes of the cluster read from this one, beside HTTP/2 on the same port: see
 * frame-link.ts. Each message is written as it lies in memory, one at a time, so a frame's bytes are free again when
 * the handler is asked for the next.
 */

import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { systemClock } from './clock.ts'
import { Departure } from './departure.ts'
import { QueryError, unreachable } from './errors.ts'
import {
  MAGIC, readHead, TAKEN_TOGETHER, trailersFrame, WINDOW_MESSAGES, type LinkHead, type Trailers,
} from './frame-link.ts'
import { certificateOf, MAX_REQUEST_BYTES, sendFrames, type FrameHandler } from './frame-server.ts'
import { toTrailers } from './grpc.ts'
import { peerOf } from './tls.ts'
import { FrameSplitter, piecesOf } from './wire-frame.ts'

/** Who has connected says within this what it speaks. */
const FIRST_BYTES_MS = 10_000
/** Without a stream. */
const IDLE_MS = 60_000
/** A network that drops packets is noticed, and lets go of what waits. */
const KEEPALIVE_MS = 10_000

export class FrameDoor {
  readonly #handlers: ReadonlyMap<string, FrameHandler>
  readonly #sockets = new Set<Socket>()

  /** By path. */
  constructor(handlers: ReadonlyMap<string, FrameHandler>) {
    this.#handlers = handlers
  }

  /** Looks at each connection before `server`'s own listeners to `event` do: what begins with MAGIC is served here. */
  watch(server: EventEmitter, event: 'connection' | 'secureConnection'): void {
    const others = server.listeners(event)
    server.removeAllListeners(event)
    server.on(event, (socket: Socket) => {
      const leave = (): void => { socket.destroy() }
      const cancelTimer = systemClock.after(FIRST_BYTES_MS, leave)
      const forget = (): void => {
        this.#sockets.delete(socket)
        cancelTimer()
      }
      const look = (): void => {
        const first = socket.read() as Buffer | null
        if (first === null) return
        socket.off('readable', look).off('end', leave).off('error', leave).off('close', forget)
        forget()
        socket.unshift(first)
        if (first[0] === MAGIC[0]) return this.#serve(socket)
        for (const other of others) other.call(server, socket)
      }
      this.#sockets.add(socket)
      socket.on('readable', look).on('end', leave).on('error', leave).on('close', forget)
    })
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => { this.#sockets.delete(socket) })
    new Link(socket, this.#handlers).serve()
  }
}

/** What a connection waits for. */
type State =
  | { readonly state: 'magic' | 'head' }
  | { readonly state: 'request'; readonly head: LinkHead }
  | { readonly state: 'answering'; readonly window: Window }

class Link {
  readonly #socket: Socket
  readonly #handlers: ReadonlyMap<string, FrameHandler>
  readonly #splitter = new FrameSplitter(MAX_REQUEST_BYTES)
  #start = Buffer.alloc(0)
  #state: State = { state: 'magic' }
  #cancelIdle = (): void => undefined

  constructor(socket: Socket, handlers: ReadonlyMap<string, FrameHandler>) {
    this.#socket = socket
    this.#handlers = handlers
  }

  serve(): void {
    const socket = this.#socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEPALIVE_MS)
    socket.on('error', () => undefined) // 'close' follows
    socket.once('end', () => socket.destroy())
    socket.once('close', () => this.#cancelIdle())
    this.#rest()
    socket.on('data', (data: Buffer) => {
      try {
        for (const frame of this.#splitter.push(this.#state.state === 'magic' ? this.#afterMagic(data) : data)) {
          this.#take(frame.message())
        }
      } catch {
        socket.destroy() // no node of a cluster sends this
      }
    })
  }

  /** Until the next stream. */
  #rest(): void {
    if (!this.#socket.destroyed) this.#cancelIdle = systemClock.after(IDLE_MS, () => this.#socket.destroy())
  }

  #afterMagic(data: Buffer): Buffer {
    this.#start = Buffer.concat([this.#start, data])
    if (this.#start.length < MAGIC.length) return Buffer.alloc(0)
    const magic = this.#start.subarray(0, MAGIC.length)
    if (!magic.equals(MAGIC)) throw new QueryError('INVALID_REQUEST', 'another protocol')
    this.#state = { state: 'head' }
    return this.#start.subarray(MAGIC.length)
  }

  #take(message: Buffer): void {
    const state = this.#state
    switch (state.state) {
      case 'answering':
        if (message.length > 0) throw new QueryError('INVALID_REQUEST', 'a request before the last one was answered')
        state.window.taken()
        return
      case 'head':
        if (message.length > 0) this.#state = { state: 'request', head: readHead(message) } // else of the last stream
        return
      case 'request': {
        const window = new Window()
        this.#cancelIdle()
        this.#state = { state: 'answering', window }
        void answer(this.#socket, state.head, message, this.#handlers, window).then(() => {
          this.#state = { state: 'head' }
          this.#rest()
        })
        return
      }
      case 'magic': throw new QueryError('INVALID_REQUEST', 'another protocol')
      default: unreachable(state)
    }
  }
}

/** Messages that the client has not taken. */
class Window {
  #open = 0
  #wake = (): void => undefined

  taken(): void {
    this.#open -= TAKEN_TOGETHER
    this.#wake()
  }

  /** Resolves when one more may be sent. */
  async room(): Promise<void> {
    while (this.#open >= WINDOW_MESSAGES) await new Promise<void>(resolve => { this.#wake = resolve })
    this.#open++
  }
}

/** Never rejects: whatever happens becomes the trailers. */
async function answer(
  socket: Socket, { path, headers }: LinkHead, request: Uint8Array, handlers: ReadonlyMap<string, FrameHandler>,
  window: Window,
): Promise<void> {
  const controller = new AbortController()
  const departure = new Departure()
  const leave = (): void => {
    controller.abort('cancelled')
    departure.leave()
  }
  socket.once('close', leave)
  const finish = (trailers: Trailers): void => { if (!socket.destroyed) socket.write(trailersFrame(trailers)) }
  try {
    const handler = handlers.get(path)
    if (handler === undefined) throw new QueryError('UNSUPPORTED_STATEMENT', `no stream at ${path}`)
    const frames = handler(request, {
      header: name => headers[name],
      signal: controller.signal,
      setHeader: () => undefined, // nodes need none
      peer: `${socket.remoteAddress ?? ''}:${socket.remotePort ?? ''}`,
      peerIdentity: () => peerOf(certificateOf(socket)),
    })
    const isWhole = await sendFrames(frames, departure, async frame => {
      await window.room()
      await write(socket, piecesOf(frame))
    })
    if (isWhole) finish({ 'grpc-status': '0' })
  } catch (thrown) {
    finish(toTrailers(thrown))
  } finally {
    socket.off('close', leave)
  }
}

/** Resolves when the network has taken all of it; not at all if it breaks: 'close' follows. */
function write(socket: Socket, pieces: readonly Uint8Array[]): Promise<void> {
  return new Promise(resolve => {
    socket.cork() // one writev for the message
    pieces.forEach((piece, i) => {
      socket.write(piece, error => { if (i === pieces.length - 1 && (error ?? null) === null) resolve() })
    })
    socket.uncork()
  })
}
