/**
 * A connection to one gRPC server, and typed clients on it: unary calls are promises, server streams are async
 * iterables, and bidirectional ones take one too. Windows, keepalive and message limits of clients are set here and
 * nowhere else. Every failure is a QueryError: the one the server sent, or UNAVAILABLE and its like for the
 * transport's own.
 */

import { create, toBinary, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf'
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2'
import {
  Client, credentials, Metadata, type ChannelCredentials, type ClientDuplexStream, type ClientReadableStream,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { systemClock } from './clock.ts'
import type { RawFlightData } from './flight-data.ts'
import { FrameClient } from './frame-client.ts'
import { fromStatus, serviceDefinition, type Method } from './grpc.ts'
import { NODE_NAME, type Tls } from './tls.ts'

/** Bytes a stream may have under way before its reader takes them: 1 MiB serves 1 GB/s at 1 ms round trip. */
const STREAM_WINDOW_BYTES = 1024 * 1024
const KEEPALIVE_MS = 10_000
const KEEPALIVE_TIMEOUT_MS = 5_000
const RECONNECT_MS = 100
const RECONNECT_MAX_MS = 1_000

type AnyService = GenService<GenServiceMethods>

/** A method that streams FlightData. */
interface FrameMethod<I extends DescMessage> {
  readonly parent: { readonly typeName: string }
  readonly name: string
  readonly input: I
}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** From now; without it a call waits as long as the connection lives. */
  readonly deadlineMs?: number
}

type Caller<M> = M extends Method<'unary', infer I, infer O>
  ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
  : M extends Method<'server_streaming', infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
    : M extends Method<'bidi_streaming', infer I, infer O>
      ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : never

/** Requests of a bidirectional stream are taken as fast as they can be sent; its end is the end of the answers. */
export type ServiceClient<S extends AnyService> = { readonly [K in keyof S['method']]: Caller<S['method'][K]> }

export class GrpcChannel {
  /** host:port of the server. */
  readonly address: string
  readonly #client: Client
  readonly #headers: Readonly<Record<string, string>>
  readonly #frames: FrameClient

  /** `address` is host:port; `headers` go with every call; `tls` is for a node of the cluster on the other side. */
  constructor(
    address: string, headers: Readonly<Record<string, string>> = {}, windowBytes = STREAM_WINDOW_BYTES,
    tls: Tls | null = null,
  ) {
    this.address = address
    this.#headers = headers
    this.#frames = new FrameClient(address, headers, tls)
    this.#client = new Client(address, credentialsOf(tls), {
      ...(tls === null ? {} : { 'grpc.ssl_target_name_override': NODE_NAME }),
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc-node.flow_control_window': windowBytes,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.initial_reconnect_backoff_ms': RECONNECT_MS,
      'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
      'grpc.use_local_subchannel_pool': 1,
    })
  }

  service<S extends AnyService>(service: S): ServiceClient<S> {
    const definition = serviceDefinition(service)
    const methods = service.methods.map(method => {
      const wire = definition[method.localName] as MethodDefinition<unknown, unknown>
      const shape = (request: unknown) => create(method.input, request as MessageInitShape<DescMessage>)
      const call = (request: unknown, options: CallOptions = {}): unknown => {
        switch (method.methodKind) {
          case 'unary': return this.#unary(wire, shape(request), options)
          case 'bidi_streaming': return this.#duplex(wire, request as AsyncIterable<unknown>, shape, options)
          default: return this.#stream(wire, shape(request), options)
        }
      }
      return [method.localName, call]
    })
    return Object.fromEntries(methods) as ServiceClient<S>
  }

  /** A server's stream of FlightData, undecoded. Its connection is one of its own, see frame-client.ts. */
  frames<I extends DescMessage>(
    method: FrameMethod<I>, request: MessageInitShape<I>, signal: AbortSignal,
  ): AsyncIterable<RawFlightData> {
    const { parent, name, input } = method
    const bytes = toBinary(input, create(input, request))
    return this.#frames.read(`/${parent.typeName}/${name}`, bytes, signal)
  }

  close(): void {
    this.#frames.close()
    this.#client.close()
  }

  #unary(wire: MethodDefinition<unknown, unknown>, request: unknown, options: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        wire.path, wire.requestSerialize, wire.responseDeserialize, request, this.#metadata(), deadlineOf(options),
        (error, response) => {
          options.signal?.removeEventListener('abort', cancel)
          if (error === null) resolve(response)
          else reject(fromStatus(error))
        })
      const cancel = () => call.cancel()
      if (options.signal?.aborted === true) cancel()
      else options.signal?.addEventListener('abort', cancel, { once: true })
    })
  }

  #stream(wire: MethodDefinition<unknown, unknown>, request: unknown, options: CallOptions): AsyncGenerator<unknown> {
    return answers(options, () => this.#client.makeServerStreamRequest(
      wire.path, wire.requestSerialize, wire.responseDeserialize, request, this.#metadata(), deadlineOf(options)))
  }

  async *#duplex(
    wire: MethodDefinition<unknown, unknown>, requests: AsyncIterable<unknown>, shape: (request: unknown) => unknown,
    options: CallOptions,
  ): AsyncGenerator<unknown> {
    const iterator = requests[Symbol.asyncIterator]()
    try {
      yield* answers(options, () => {
        const call = this.#client.makeBidiStreamRequest(
          wire.path, wire.requestSerialize, wire.responseDeserialize, this.#metadata(), deadlineOf(options))
        sendAll(call, iterator, shape).catch(() => call.cancel())
        return call
      })
    } finally {
      void iterator.return?.()
    }
  }

  #metadata(): Metadata {
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(this.#headers)) metadata.set(name, value)
    return metadata
  }
}

async function* answers(
  options: CallOptions, start: () => ClientReadableStream<unknown> | ClientDuplexStream<unknown, unknown>,
): AsyncGenerator<unknown> {
  const call = start()
  const cancel = () => call.cancel()
  if (options.signal?.aborted === true) cancel()
  else options.signal?.addEventListener('abort', cancel, { once: true })
  call.on('error', () => undefined) // an error after the reader has left; a reader gets it from the iterator
  let isComplete = false
  try {
    for await (const message of call) yield message
    isComplete = true
  } catch (error) {
    throw fromStatus(error as ServiceError)
  } finally {
    options.signal?.removeEventListener('abort', cancel)
    if (!isComplete) call.cancel()
  }
}

/** Ends when the requests do, or when the call has ended: what is sent after that goes nowhere. */
async function sendAll(
  call: ClientDuplexStream<unknown, unknown>, requests: AsyncIterator<unknown>, shape: (request: unknown) => unknown,
): Promise<void> {
  const ended = new Promise<void>(resolve => { call.once('close', resolve) })
  for (let next = await requests.next(); next.done !== true; next = await requests.next()) {
    if (call.destroyed) return
    if (!call.write(shape(next.value))) {
      await Promise.race([new Promise<void>(resolve => { call.once('drain', resolve) }), ended])
    }
  }
  call.end()
}

function credentialsOf(tls: Tls | null): ChannelCredentials {
  return tls === null ? credentials.createInsecure() : credentials.createSsl(tls.ca, tls.key, tls.cert)
}

function deadlineOf(options: CallOptions): { deadline?: number } {
  return options.deadlineMs === undefined ? {} : { deadline: systemClock.wallMs() + options.deadlineMs }
}
