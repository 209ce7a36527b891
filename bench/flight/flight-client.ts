/**
 * A Flight SQL client that costs little: plain HTTP/2, results counted and not decoded, one connection a client. For
 * load and for transport; that rows are right is for others to check.
 */

import {
  connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders,
} from 'node:http2'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { pack } from '../../proto/flight-any.ts'
import {
  FlightDescriptor_DescriptorType as DescriptorType, FlightDescriptorSchema, FlightInfoSchema, TicketSchema,
} from '../../proto/gen/flight_pb.js'
import { CommandStatementQuerySchema } from '../../proto/gen/flight_sql_pb.js'

export const FLIGHT_SERVICE = '/arrow.flight.protocol.FlightService/'

/** What usual clients have under way: a stream's window and the connection's. */
const STREAM_WINDOW_BYTES = 1024 * 1024
const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024
/** A gRPC message is preceded by a flag and its length. */
const PREFIX_BYTES = 5

export interface Read {
  readonly byteCount: number
  readonly wallMs: number
}

export class FlightClient {
  readonly #session: ClientHttp2Session
  #token: string | undefined

  private constructor(session: ClientHttp2Session) {
    this.#session = session
  }

  /** `address` is host:port. */
  static async connect(address: string): Promise<FlightClient> {
    const session = connect(`http://${address}`, { settings: { initialWindowSize: STREAM_WINDOW_BYTES } })
    session.on('error', () => undefined) // its streams tell
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES))
    return new FlightClient(session)
  }

  /** As clients do once: later calls carry the token. */
  async logIn(): Promise<void> {
    const basic = Buffer.from('bench:any').toString('base64')
    const stream = this.#call('Handshake', new Uint8Array(0), { authorization: `Basic ${basic}` })
    stream.once('response', headers => { this.#token = headers['authorization'] })
    await messageOf(stream)
    if (this.#token === undefined) throw new Error('the handshake gave no token')
  }

  /** Runs `sql` and reads all of its result. */
  async query(sql: string): Promise<number> {
    return drain(this.get(await this.ticket(sql)))
  }

  /** Starts `sql`; the ticket of its result. */
  async ticket(sql: string): Promise<Uint8Array> {
    const cmd = pack(CommandStatementQuerySchema, { query: sql })
    const descriptor = create(FlightDescriptorSchema, { type: DescriptorType.CMD, cmd })
    const message = await messageOf(this.#call('GetFlightInfo', toBinary(FlightDescriptorSchema, descriptor)))
    const ticket = fromBinary(FlightInfoSchema, message).endpoint[0]?.ticket
    if (ticket === undefined) throw new Error('FlightInfo without a ticket')
    return toBinary(TicketSchema, ticket)
  }

  /** The stream of a result, which nobody reads yet. */
  get(ticket: Uint8Array): ClientHttp2Stream {
    return this.#call('DoGet', ticket)
  }

  close(): void {
    this.#session.destroy()
  }

  #call(method: string, message: Uint8Array, more: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const stream = this.#session.request({
      ':method': 'POST', ':path': FLIGHT_SERVICE + method, 'content-type': 'application/grpc', te: 'trailers',
      ...this.#token === undefined ? {} : { authorization: this.#token }, ...more,
    })
    stream.on('error', () => undefined) // its close follows
    stream.end(framed(message))
    return stream
  }
}

export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX_BYTES + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, PREFIX_BYTES)
  return frame
}

/** Reads to the end and keeps nothing; the bytes. Rejects unless the status is OK. */
export function drain(stream: ClientHttp2Stream): Promise<number> {
  let byteCount = 0
  stream.on('data', (piece: Buffer) => { byteCount += piece.length })
  return ended(stream).then(() => byteCount)
}

/** Resolves when the first bytes are there, and reads no more. */
export function stall(stream: ClientHttp2Stream): Promise<void> {
  const first = new Promise<void>(resolve => stream.once('data', () => {
    stream.pause()
    resolve()
  }))
  return Promise.race([first, ended(stream)])
}

/** The client resets its call. */
export function cancel(stream: ClientHttp2Stream): void {
  stream.close(constants.NGHTTP2_CANCEL)
}

async function messageOf(stream: ClientHttp2Stream): Promise<Buffer> {
  const pieces: Buffer[] = []
  stream.on('data', (piece: Buffer) => { pieces.push(piece) })
  await ended(stream)
  return Buffer.concat(pieces).subarray(PREFIX_BYTES)
}

/** The status comes with the trailers, or with the headers if nothing else comes. */
function ended(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    let status: { readonly code: string; readonly message: string } | undefined
    const take = (headers: { readonly [name: string]: string | string[] | undefined | number }): void => {
      const code = headers['grpc-status']
      if (code !== undefined) status = { code: String(code), message: String(headers['grpc-message'] ?? '') }
    }
    stream.on('response', take)
    stream.on('trailers', take)
    stream.once('close', () => {
      if (status?.code === '0') resolve()
      else reject(new Error(`gRPC status ${status?.code ?? 'missing'}: ${decodeURIComponent(status?.message ?? '')}`))
    })
  })
}
