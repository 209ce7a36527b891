/**
 * Serves the streams of FlightData of a gRPC server on its bare HTTP/2 streams: each message is written as it lies in
 * memory, where grpc-js would copy it twice and hold sixteen of them for a client that does not read. One message is
 * under way at a time, so a frame's bytes are free again when the handler is asked for the next.
 */

import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { systemClock } from './clock.ts'
import { Departure, GONE } from './departure.ts'
import { asQueryError, QueryError } from './errors.ts'
import type { RawFlightData } from './flight-data.ts'
import { toTrailers } from './grpc.ts'
import type { Call } from './grpc-server.ts'
import { peerOf } from './tls.ts'
import { FrameSplitter, piecesOf } from './wire-frame.ts'

/** Tickets and names. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024
/** Units of grpc-timeout in milliseconds. */
const timeoutUnits: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }

/** Why a call's signal is aborted; the default reason is an error with a stack. */
const CANCELLED = 'cancelled'

export type FrameHandler = (request: Uint8Array, call: Call) => AsyncIterable<RawFlightData>

/** Never throws: whatever happens becomes the stream's status. */
export async function serveFrames(
  stream: ServerHttp2Stream, headers: IncomingHttpHeaders, handler: FrameHandler,
): Promise<void> {
  const answer = new FrameAnswer(stream, headers)
  try {
    const request = await answer.request()
    if (request !== null) await answer.send(handler(request, answer.call))
  } catch (thrown) {
    answer.fail(thrown)
  }
}

/** Writes one frame after the other; false: the client has gone before the end. */
export async function sendFrames(
  frames: AsyncIterable<RawFlightData>, departure: Departure, write: (frame: RawFlightData) => Promise<void>,
): Promise<boolean> {
  const iterator = frames[Symbol.asyncIterator]()
  for (;;) {
    const next = await departure.or(iterator.next())
    if (next === GONE) break
    if (next.done === true) return true
    if (await departure.or(write(next.value)) === GONE) break
  }
  void iterator.return?.()?.catch(() => undefined) // the client is gone: nobody is left to be told of a failure
  return false
}

/** None if TLS did not ask for one, did not accept it, or there is no TLS. */
export function certificateOf(socket: Socket | undefined): ReturnType<TLSSocket['getPeerCertificate']> | undefined {
  // `in` says nothing of it: Node's socket of a session stands for the real one
  const secure = socket as Partial<TLSSocket> | undefined
  return secure?.authorized === true ? secure.getPeerCertificate?.() : undefined
}

class FrameAnswer {
  readonly call: Call
  readonly #stream: ServerHttp2Stream
  readonly #departure = new Departure()
  readonly #headers: Record<string, string> = {}
  #status: Readonly<Record<string, string>> = {}
  #finished = false
  #cancelDeadline = (): void => undefined

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    const controller = new AbortController()
    this.#stream = stream
    stream.once('close', () => {
      this.#cancelDeadline()
      if (!this.#finished) controller.abort(CANCELLED)
      this.#departure.leave()
    })
    stream.on('error', () => undefined) // 'close' follows
    stream.on('wantTrailers', () => stream.sendTrailers(this.#status))
    this.call = {
      header: name => {
        const [value] = [headers[name] ?? []].flat()
        return name.endsWith('-bin') && value !== undefined ? Buffer.from(value, 'base64').toString() : value
      },
      signal: controller.signal,
      setHeader: (name, value) => { this.#headers[name] = value },
      peer: `${stream.session?.socket.remoteAddress ?? ''}:${stream.session?.socket.remotePort ?? ''}`,
      peerIdentity: () => peerOf(certificateOf(stream.session?.socket)),
    }
    const [, count, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(this.call.header('grpc-timeout') ?? '') ?? []
    if (count === undefined) return
    this.#cancelDeadline = systemClock.after(Math.min(2 ** 31 - 1, Number(count) * (timeoutUnits[unit] ?? 0)), () => {
      this.fail(new QueryError('DEADLINE_EXCEEDED', 'the deadline of the call has passed'))
      controller.abort(CANCELLED)
    })
  }

  /** The one message that the client sends; null: it has gone before. */
  async request(): Promise<Uint8Array | null> {
    const splitter = new FrameSplitter(MAX_REQUEST_BYTES)
    const read = new Promise<Uint8Array>((resolve, reject) => {
      this.#stream.on('data', (data: Buffer) => {
        try {
          const [found] = splitter.push(data)
          if (found !== undefined) resolve(found.message())
        } catch (error) {
          reject(asQueryError(error))
        }
      })
      this.#stream.once('end', () => reject(new QueryError('INVALID_REQUEST', 'a call without a message')))
    })
    const request = await this.#departure.or(read)
    return request === GONE ? null : request
  }

  async send(frames: AsyncIterable<RawFlightData>): Promise<void> {
    const isWhole = await sendFrames(frames, this.#departure, frame => this.#write(piecesOf(frame)))
    if (isWhole) this.#finish({ 'grpc-status': '0' })
  }

  fail(thrown: unknown): void {
    this.#finish(toTrailers(thrown))
  }

  #finish(status: Readonly<Record<string, string>>): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return
    this.#status = status
    this.#finished = true
    if (!this.#stream.headersSent && status['grpc-status'] !== '0') {
      this.#stream.respond({ ...this.#responseHeaders(), ...status }, { endStream: true })
      return
    }
    this.#respond()
    this.#stream.end()
  }

  #respond(): void {
    if (!this.#stream.headersSent) this.#stream.respond(this.#responseHeaders(), { waitForTrailers: true })
  }

  #responseHeaders(): Record<string, string | number> {
    return { ':status': 200, 'content-type': 'application/grpc', ...this.#headers }
  }

  /** Resolves when the connection has taken all of it. */
  #write(pieces: readonly Uint8Array[]): Promise<void> {
    return new Promise(resolve => {
      if (this.#stream.destroyed || this.#stream.writableEnded) return // 'close' follows
      this.#respond()
      this.#stream.cork() // one writev for the message
      pieces.forEach((piece, i) => {
        if (i < pieces.length - 1) this.#stream.write(piece)
        else this.#stream.write(piece, () => resolve())
      })
      this.#stream.uncork()
    })
  }
}
