/**
 * One Arrow IPC message in Flight's form: what executors send and coordinators relay, never decoded on the way. The
 * codec writes the four fields straight into one buffer: 1 MiB bodies cost a third of protobuf-es' general encoder.
 */

import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { FlightDataSchema, FlightDescriptorSchema, type FlightData } from './gen/flight_pb.js'

export interface RawFlightData {
  /** The Message flatbuffer, without continuation marker or length. */
  readonly dataHeader: Uint8Array
  /** Buffers of a record batch; empty for a schema. */
  readonly dataBody: Uint8Array
}

/** Tags of flight.proto: field number * 8 + 2 (length-delimited). */
const TAG_DESCRIPTOR = [0x0a]
const TAG_HEADER = [0x12]
const TAG_APP_METADATA = [0x1a]
const TAG_BODY = [0xc2, 0x3e]

const EMPTY = new Uint8Array(0)

/** The message up to its body's first byte: for who sends the body from where it lies. */
export function encodeFlightHead({ dataHeader, dataBody }: RawFlightData): Buffer {
  const bodyTag = dataBody.length === 0 ? [] : TAG_BODY
  const out = Buffer.allocUnsafe(1 + varintSize(dataHeader.length) + dataHeader.length
    + (dataBody.length === 0 ? 0 : bodyTag.length + varintSize(dataBody.length)))
  let at = 0
  for (const byte of TAG_HEADER) out[at++] = byte
  at = writeVarint(out, at, dataHeader.length)
  out.set(dataHeader, at)
  at += dataHeader.length
  if (dataBody.length === 0) return out
  for (const byte of bodyTag) out[at++] = byte
  writeVarint(out, at, dataBody.length)
  return out
}

export function encodeFlightData(message: FlightData): Buffer {
  const { flightDescriptor: described } = message
  const descriptor = described === undefined ? EMPTY : toBinary(FlightDescriptorSchema, described)
  const parts: [readonly number[], Uint8Array][] = [
    [TAG_DESCRIPTOR, descriptor], [TAG_HEADER, message.dataHeader], [TAG_APP_METADATA, message.appMetadata],
    [TAG_BODY, message.dataBody],
  ]
  const filled = parts.filter(([, bytes]) => bytes.length > 0)
  const size = filled.reduce((sum, [tag, bytes]) => sum + tag.length + varintSize(bytes.length) + bytes.length, 0)
  const out = Buffer.allocUnsafe(size)
  let at = 0
  for (const [tag, bytes] of filled) {
    for (const byte of tag) out[at++] = byte
    at = writeVarint(out, at, bytes.length)
    out.set(bytes, at)
    at += bytes.length
  }
  return out
}

/** The body is a view of `bytes`, not a copy. */
export function decodeFlightData(bytes: Uint8Array): FlightData {
  return fromBinary(FlightDataSchema, bytes)
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

function writeVarint(out: Buffer, at: number, value: number): number {
  let rest = value
  while (rest >= 128) {
    out[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  out[at++] = rest
  return at
}
