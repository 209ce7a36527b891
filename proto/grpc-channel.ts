/**
 * A connection to one gRPC server, and typed clients on it: unary calls are promises, server streams are async
 * iterables. Windows, keepalive and message limits of clients are set here and nowhere else. Every failure is a
 * QueryError: the one the server sent, or UNAVAILABLE and its like for the transport's own.
 */

import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf'
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2'
import { Client, credentials, Metadata, type MethodDefinition, type ServiceError } from '@grpc/grpc-js'
import { systemClock } from './clock.ts'
import { fromStatus, serviceDefinition, type Method } from './grpc.ts'

/** Bytes a stream may have under way before its reader takes them: 1 MiB serves 1 GB/s at 1 ms round trip. */
const STREAM_WINDOW_BYTES = 1024 * 1024
const KEEPALIVE_MS = 10_000
const KEEPALIVE_TIMEOUT_MS = 5_000
const RECONNECT_MS = 100
const RECONNECT_MAX_MS = 1_000

type AnyService = GenService<GenServiceMethods>

export interface CallOptions {
  readonly signal?: AbortSignal
  /** From now; without it a call waits as long as the connection lives. */
  readonly deadlineMs?: number
}

type Caller<M> = M extends Method<'unary', infer I, infer O>
  ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
  : M extends Method<'server_streaming', infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
    : never

/** The unary and server-streaming methods; our own services have no others. */
export type ServiceClient<S extends AnyService> = { readonly [K in keyof S['method']]: Caller<S['method'][K]> }

export class GrpcChannel {
  readonly #client: Client
  readonly #headers: Readonly<Record<string, string>>

  /** `address` is host:port; `headers` go with every call. */
  constructor(address: string, headers: Readonly<Record<string, string>> = {}) {
    this.#headers = headers
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc-node.flow_control_window': STREAM_WINDOW_BYTES,
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
      const call = method.methodKind === 'unary'
        ? (request: unknown, options: CallOptions = {}) => this.#unary(wire, shape(request), options)
        : (request: unknown, options: CallOptions = {}) => this.#stream(wire, shape(request), options)
      return [method.localName, call]
    })
    return Object.fromEntries(methods) as ServiceClient<S>
  }

  close(): void {
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

  async *#stream(
    wire: MethodDefinition<unknown, unknown>, request: unknown, options: CallOptions,
  ): AsyncGenerator<unknown> {
    const call = this.#client.makeServerStreamRequest(
      wire.path, wire.requestSerialize, wire.responseDeserialize, request, this.#metadata(), deadlineOf(options))
    const cancel = () => call.cancel()
    if (options.signal?.aborted === true) cancel()
    else options.signal?.addEventListener('abort', cancel, { once: true })
    call.on('error', () => undefined) // an error after the reader has left; a reader gets it from the iterator
    try {
      for await (const message of call) yield message
    } catch (error) {
      throw fromStatus(error as ServiceError)
    } finally {
      options.signal?.removeEventListener('abort', cancel)
      call.cancel()
    }
  }

  #metadata(): Metadata {
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(this.#headers)) metadata.set(name, value)
    return metadata
  }
}

function deadlineOf(options: CallOptions): { deadline?: number } {
  return options.deadlineMs === undefined ? {} : { deadline: systemClock.wallMs() + options.deadlineMs }
}
