/**
 * A gRPC server whose handlers are async functions and async generators over protobuf-es messages. Message limits,
 * keepalive and windows of servers are set here and nowhere else. A handler's thrown QueryError becomes the status; a
 * client that goes away aborts `call.signal`, and a generator is ended by `return`, so its `finally` runs. Streams of
 * FlightData do not go through grpc-js: see frame-server.ts.
 */

import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import {
  create, fromBinary, type DescMessage, type Message, type MessageInitShape, type MessageShape,
} from '@bufbuild/protobuf'
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2'
import {
  logVerbosity, Metadata, Server, ServerCredentials, setLogVerbosity,
  type handleBidiStreamingCall, type sendUnaryData, type ServerDuplexStream, type ServerReadableStream,
  type ServerUnaryCall, type ServerWritableStream, type UntypedHandleCall,
} from '@grpc/grpc-js'
import { Departure, GONE } from './departure.ts'
import { QueryError } from './errors.ts'
import { FrameDoor } from './frame-door.ts'
import { serveFrames, type FrameHandler } from './frame-server.ts'
import type { RawFlightData } from './flight-data.ts'
import { FlightDataSchema } from './gen/flight_pb.js'
import { serviceDefinition, toStatus, type Method } from './grpc.ts'
import { peerOf, refuseUnknown, type Peer, type Tls } from './tls.ts'

// it would write to standard error, beside our own line, what it says in its errors too
setLogVerbosity(logVerbosity.NONE)

/** Requests are small but for uploads of record batches; one of those may be a client's whole table in one message. */
const MAX_RECEIVE_BYTES = 64 * 1024 * 1024
/** Below the idle limit of usual load balancers (350 s). */
const KEEPALIVE_MS = 60_000

export interface Call {
  /** First value of a request header (lower-case name), or undefined; of `…-bin`, its bytes as UTF-8. */
  header(name: string): string | undefined
  /** Aborted when the client cancels, its deadline passes, or its connection ends. */
  readonly signal: AbortSignal
  /** Sends a response header; before the first message. */
  setHeader(name: string, value: string): void
  /** host:port of the other side. */
  readonly peer: string
  /** Who the other side has proved to be by its certificate; null: it showed none. */
  peerIdentity(): Peer | null
}

/** Any of the generated services. */
type AnyService = GenService<GenServiceMethods>

type Awaitable<T> = T | Promise<T>
type Handler<M> = M extends Method<'unary', infer I, infer O>
  ? (request: MessageShape<I>, call: Call) => Awaitable<MessageInitShape<O>>
  : M extends Method<'server_streaming', infer I, infer O>
    ? (request: MessageShape<I>, call: Call) => AsyncIterable<StreamedShape<O>>
    : M extends Method<'client_streaming', infer I, infer O>
      ? (requests: AsyncIterable<MessageShape<I>>, call: Call) => Awaitable<MessageInitShape<O>>
      : M extends Method<'bidi_streaming', infer I, infer O>
        ? (requests: AsyncIterable<MessageShape<I>>, call: Call) => AsyncIterable<MessageInitShape<O>>
        : never

/** A frame's bytes must stay as they are until the next one is asked for. */
type StreamedShape<O extends DescMessage> = O extends typeof FlightDataSchema ? RawFlightData : MessageInitShape<O>

/** One handler a method. */
export type ServiceHandlers<S extends AnyService> = { readonly [K in keyof S['method']]: Handler<S['method'][K]> }

export interface GrpcServerOptions {
  /** Throws UNAUTHENTICATED for a caller it does not know; asked before every handler. */
  readonly authenticate: (call: Call) => void
  /** Absent: plain text. */
  readonly tls?: ServerTls
  /** Other processes of the cluster read FlightData here without HTTP/2 too: see frame-link.ts. */
  readonly links?: boolean
}

export interface ServerTls extends Tls {
  /** Clients must show a certificate of the CA (`known`), may show one (`optional`), or are not asked (`any`). */
  readonly clients: 'known' | 'optional' | 'any'
}

export class GrpcServer {
  readonly #server: Server
  readonly #options: GrpcServerOptions
  /** Of streams of FlightData, by path. */
  readonly #frames = new Map<string, FrameHandler>()
  readonly #door = new FrameDoor(this.#frames)

  constructor(options: GrpcServerOptions) {
    this.#options = options
    this.#server = new Server({
      'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
    })
  }

  addService<S extends AnyService>(service: S, handlers: ServiceHandlers<S>): void {
    const table: Record<string, UntypedHandleCall> = {}
    for (const method of service.methods) {
      const handler = handlers[method.localName] as (request: unknown, call: Call) => unknown
      table[method.localName] = this.#adapt(handler, method.methodKind, method.output)
      if (method.methodKind !== 'server_streaming' || method.output.typeName !== FlightDataSchema.typeName) continue
      this.#frames.set(`/${service.typeName}/${method.name}`, (request, call) => {
        this.#options.authenticate(call)
        return handler(parsed(method.input, request), call) as AsyncIterable<RawFlightData>
      })
    }
    this.#server.addService(serviceDefinition(service), table)
  }

  /** Resolves to the port; `port` 0 takes any free one. Rejects with INVALID_CONFIG if the address cannot be bound. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`${host}:${port}`, credentialsOf(this.#options.tls), (error, bound) => {
        if (error === null) {
          this.#takeFrames()
          return resolve(bound)
        }
        const [, why = error.message] = /\[(.*)\]$/s.exec(error.message) ?? [] // one reason for each address of host
        reject(new QueryError('INVALID_CONFIG', `cannot listen on ${host}:${port}: ${why}`, { cause: error }))
      })
    })
  }

  /** Takes no new call; resolves once those that run have ended. */
  leave(): Promise<void> {
    return new Promise(resolve => { this.#server.tryShutdown(() => resolve()) })
  }

  /** Takes no new call; running ones are cut off. */
  close(): void {
    this.#server.forceShutdown()
    this.#door.close()
  }

  /** Streams of FlightData are taken before grpc-js sees them; their connections stay its own. */
  #takeFrames(): void {
    const { http2Servers, onStreamOpened } = privateParts(this.#server)
    const { tls, links = false } = this.#options
    for (const http2 of http2Servers) {
      if (tls?.clients === 'optional') http2.prependListener('secureConnection', refuseUnknown)
      if (links) this.#door.watch(http2, tls === undefined ? 'connection' : 'secureConnection')
      const others = http2.listeners('stream')
      http2.removeAllListeners('stream')
      http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...more: unknown[]) => {
        const handler = this.#frames.get(headers[':path'] ?? '')
        if (handler === undefined) {
          for (const other of others) other.call(http2, stream, headers, ...more)
          return
        }
        onStreamOpened(stream)
        void serveFrames(stream, headers, handler)
      })
    }
  }

  #adapt(handler: (request: unknown, call: Call) => unknown, kind: string, output: DescMessage): UntypedHandleCall {
    const shape = (message: unknown): Message => create(output, message as MessageInitShape<DescMessage>)
    const begin = (wire: AnyCall): Call => {
      const call = asCall(wire)
      this.#options.authenticate(call)
      return call
    }
    switch (kind) {
      case 'unary': return (wire: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) => {
        respond(async () => shape(await handler(wire.request, begin(wire))), reply)
      }
      case 'client_streaming': return (wire: ServerReadableStream<unknown, unknown>, reply: sendUnaryData<unknown>) => {
        respond(async () => shape(await handler(wire, begin(wire))), reply)
      }
      case 'server_streaming': return (wire: ServerWritableStream<unknown, unknown>) => {
        void pump(wire, () => handler(wire.request, begin(wire)) as AsyncIterable<unknown>, shape)
      }
      default: return ((wire: ServerDuplexStream<unknown, unknown>) => {
        // a reader that is done must leave the stream open for what the handler still writes
        const requests = (): AsyncIterable<unknown> => wire.iterator({ destroyOnReturn: false })
        void pump(wire, () => handler(requests(), begin(wire)) as AsyncIterable<unknown>, shape)
      }) as handleBidiStreamingCall<unknown, unknown>
    }
  }
}

function parsed(input: DescMessage, bytes: Uint8Array): Message {
  try {
    return fromBinary(input, bytes)
  } catch (cause) {
    throw new QueryError('INVALID_REQUEST', `not a ${input.name}`, { cause })
  }
}

function credentialsOf(tls: ServerTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const { ca, cert, key, clients } = tls
  const credentials = ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], clients !== 'any')
  if (clients === 'optional') Object.assign(constructorOptions(credentials), { rejectUnauthorized: false })
  return credentials
}

/** What grpc-js 1.14 keeps to itself: whether a client without a certificate is let in. */
function constructorOptions(credentials: ServerCredentials): object {
  const { serverConstructorOptions: options } = credentials as unknown as Readonly<Record<string, unknown>>
  if (typeof options === 'object' && options !== null && 'requestCert' in options) return options
  throw new Error('grpc-js has other private parts than 1.14: certificates of clients cannot be asked for')
}

/** Why a call's signal is aborted; the default reason is an error with a stack. */
const CANCELLED = 'cancelled'

/** What grpc-js 1.14 keeps to itself: its HTTP/2 servers, and its count of streams by which idle connections end. */
function privateParts(server: Server): {
  readonly http2Servers: readonly EventEmitter[]
  readonly onStreamOpened: (stream: ServerHttp2Stream) => void
} {
  const { http2Servers, onStreamOpened } = server as unknown as Readonly<Record<string, unknown>>
  if (!(http2Servers instanceof Map) || http2Servers.size === 0 || typeof onStreamOpened !== 'function') {
    throw new Error('grpc-js has other private parts than 1.14: streams of FlightData cannot be served')
  }
  return {
    http2Servers: [...http2Servers.keys()] as readonly EventEmitter[],
    onStreamOpened: stream => { onStreamOpened.call(server, stream) },
  }
}

type AnyCall = ServerUnaryCall<unknown, unknown> | ServerReadableStream<unknown, unknown>
  | ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>

function asCall(wire: AnyCall): Call {
  const controller = new AbortController()
  const events: EventEmitter = wire
  events.on('cancelled', () => controller.abort(CANCELLED))
  return {
    header: name => wire.metadata.get(name)[0]?.toString(),
    signal: controller.signal,
    setHeader: (name, value) => {
      const metadata = new Metadata()
      metadata.set(name, value)
      wire.sendMetadata(metadata)
    },
    peer: wire.getPeer(),
    peerIdentity: () => peerOf(wire.getAuthContext().sslPeerCertificate),
  }
}

function respond(run: () => Promise<unknown>, reply: sendUnaryData<unknown>): void {
  run().then(message => reply(null, message), (thrown: unknown) => reply(toStatus(thrown)))
}

/** Writes what the generator gives, one message at a time: a slow client slows the generator. */
async function pump(
  wire: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>,
  start: () => AsyncIterable<unknown>, shape: (message: unknown) => Message,
): Promise<void> {
  const departure = new Departure()
  wire.once('cancelled', () => departure.leave())
  wire.once('error', () => departure.leave()) // the connection broke; without a listener it would end the process
  let iterator: AsyncIterator<unknown> | undefined
  try {
    iterator = start()[Symbol.asyncIterator]()
    for (;;) {
      // after a cancel grpc-js drops writes without calling back, and a handler may never give another message
      const next = await departure.or(iterator.next())
      if (next === GONE) break
      if (next.done === true) return void wire.end()
      const message = shape(next.value)
      const written = new Promise<'written'>(resolve => { wire.write(message, () => resolve('written')) })
      if (await departure.or(written) === GONE) break
    }
    void iterator.return?.()?.catch(() => undefined) // the client is gone: nobody is left to be told of a failure
  } catch (thrown) {
    wire.emit('error', toStatus(thrown))
  }
}
