/**
 * Joins protobuf-es descriptors to grpc-js: the generated code knows messages and methods but not gRPC; grpc-js wants
 * a table of paths and codecs. This makes the one from the other, and QueryErrors to statuses and back.
 */

import type { IncomingHttpHeaders } from 'node:http2'
import { create, fromBinary, toBinary, type DescMessage, type DescService, type Message } from '@bufbuild/protobuf'
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt'
import { Metadata, status, type MethodDefinition, type ServiceDefinition, type ServiceError } from '@grpc/grpc-js'
import { asQueryError, errorCode, QueryError, type ErrorCode } from './errors.ts'
import { decodeFlightData, encodeFlightData } from './flight-data.ts'
import { FlightDataSchema, type FlightData } from './gen/flight_pb.js'
import { RetryInfoSchema, StatusSchema } from './gen/rpc_status_pb.js'

/** Trailers that carry a QueryError's code and position between our own processes; other clients ignore them. */
const CODE_TRAILER = 'skein-code'
const POSITION_TRAILER = 'skein-position'
/** gRPC's own (proposal A6): a client that repeats calls by itself waits so many milliseconds. */
const RETRY_TRAILER = 'grpc-retry-pushback-ms'
/** gRPC's richer status: a google.rpc.Status with details. */
const DETAILS_TRAILER = 'grpc-status-details-bin'

/** A method of a generated service, as a type to match against. */
export interface Method<Kind, Input extends DescMessage, Output extends DescMessage> {
  readonly methodKind: Kind
  readonly input: Input
  readonly output: Output
}

export function serviceDefinition(service: DescService): ServiceDefinition {
  const methods = service.methods.map((method): [string, MethodDefinition<Message, Message>] => [method.localName, {
    path: `/${service.typeName}/${method.name}`,
    requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    requestSerialize: encode(method.input),
    requestDeserialize: decode(method.input),
    responseSerialize: encode(method.output),
    responseDeserialize: decode(method.output),
  }])
  return Object.fromEntries(methods)
}

function encode(schema: DescMessage): (message: Message) => Buffer {
  if (schema.typeName === FlightDataSchema.typeName) return message => encodeFlightData(message as FlightData)
  return message => {
    const bytes = toBinary(schema, message)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
}

function decode(schema: DescMessage): (bytes: Buffer) => Message {
  if (schema.typeName === FlightDataSchema.typeName) return decodeFlightData
  return bytes => fromBinary(schema, bytes)
}

/** What grpc-js sends for a thrown thing. The message goes out as it is: DuckDB's own text first. */
export function toStatus(thrown: unknown): { code: status; details: string; metadata: Metadata } {
  const error = asQueryError(thrown)
  const metadata = new Metadata()
  metadata.set(CODE_TRAILER, error.code)
  if (error.position !== undefined) metadata.set(POSITION_TRAILER, String(error.position))
  if (error.retryAfterMs !== undefined) {
    metadata.set(RETRY_TRAILER, String(Math.ceil(error.retryAfterMs)))
    metadata.set(DETAILS_TRAILER, retryDetails(error.class.grpc, error.message, error.retryAfterMs))
  }
  return { code: error.class.grpc, details: error.message, metadata }
}

function retryDetails(code: number, message: string, retryAfterMs: number): Buffer {
  const retryDelay = durationFromMs(Math.ceil(retryAfterMs))
  const retry = anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay }))
  return Buffer.from(toBinary(StatusSchema, create(StatusSchema, { code, message, details: [retry] })))
}

/** The same as trailers of a bare HTTP/2 stream. */
export function toTrailers(thrown: unknown): Record<string, string> {
  const { code, details, metadata } = toStatus(thrown)
  const more = Object.entries(metadata.getMap()).map(([name, value]) =>
    [name, typeof value === 'string' ? value : value.toString('base64')])
  return { 'grpc-status': String(code), 'grpc-message': percentEncoded(details), ...Object.fromEntries(more) }
}

/** What such trailers mean. */
export function fromTrailers(trailers: IncomingHttpHeaders): QueryError {
  const text = (name: string): string => String(trailers[name] ?? '')
  const number = (name: string): number | undefined => trailers[name] === undefined ? undefined : Number(text(name))
  const code = errorCode(text(CODE_TRAILER)) ?? transportCode(Number(text('grpc-status')))
  return new QueryError(code, percentDecoded(text('grpc-message')), {
    position: number(POSITION_TRAILER), retryAfterMs: number(RETRY_TRAILER),
  })
}

/** As gRPC wants it: what is not printable ASCII, and the percent sign. Of more, other clients show the codes. */
function percentEncoded(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, part => encodeURIComponent(Buffer.from(part).toString()))
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What a failed call of ours means: the QueryError that was sent, or the transport's own failure. */
export function fromStatus(error: ServiceError): QueryError {
  const sent = errorCode(String(error.metadata?.get(CODE_TRAILER)[0] ?? ''))
  const number = (name: string): number | undefined => {
    const value = error.metadata?.get(name)[0]
    return value === undefined ? undefined : Number(value)
  }
  return new QueryError(sent ?? transportCode(error.code), error.details || error.message, {
    cause: error, position: number(POSITION_TRAILER), retryAfterMs: number(RETRY_TRAILER),
  })
}

/** The other side has said so itself; else the way there is broken, and it is not known what was done. */
export function wasSaid({ cause }: QueryError): boolean {
  const { metadata } = (typeof cause === 'object' ? cause ?? {} : {}) as Partial<ServiceError>
  return (metadata?.get(CODE_TRAILER).length ?? 0) > 0
}

function transportCode(code: status): ErrorCode {
  switch (code) {
    case status.UNAVAILABLE: return 'UNAVAILABLE'
    case status.UNAUTHENTICATED: return 'UNAUTHENTICATED'
    case status.PERMISSION_DENIED: return 'PERMISSION_DENIED'
    case status.CANCELLED: return 'CANCELLED'
    case status.DEADLINE_EXCEEDED: return 'DEADLINE_EXCEEDED'
    case status.NOT_FOUND: return 'NOT_FOUND'
    case status.INVALID_ARGUMENT: return 'INVALID_REQUEST'
    case status.UNIMPLEMENTED: return 'UNSUPPORTED_STATEMENT'
    case status.RESOURCE_EXHAUSTED: return 'RESULT_TOO_LARGE'
    default: return 'INTERNAL'
  }
}
