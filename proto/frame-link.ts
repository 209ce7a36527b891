/**
 * Streams of FlightData between processes of a cluster without HTTP/2, whose frames of 16 KiB cost more than the
 * network: the same port and the same TLS, told apart by the first bytes. One stream at a time on a connection.
 *
 *   client   MAGIC, once; then for each stream  head (JSON), request, and an empty message for TAKEN_TOGETHER taken
 *   server   for each stream                    message …, trailers (JSON)
 *
 * At most WINDOW_MESSAGES are not taken: without that, the network's buffers would hold ten for who does not read.
 *
 * Each of these is preceded by a flag byte and a length of 4 bytes, as gRPC does it, so a message goes on to a client
 * of gRPC as it came. Trailers have the flag that gRPC-Web gives them; without them a stream is not at its end.
 */

import { QueryError } from './errors.ts'
import { BodyPool, type PooledBody } from './body-pool.ts'
import { PREFIX_BYTES, WireFrame } from './wire-frame.ts'

/** HTTP/2 begins with `P`, TLS with a byte of 22. */
export const MAGIC = Buffer.from('SKEIN-FRAMES/1\r\n')
/** About 1 MiB each: 3 GB/s at 1 ms round trip. */
export const WINDOW_MESSAGES = 3
/** Told of at once. */
export const TAKEN_TOGETHER = 2
const MESSAGE = 0
const TRAILERS = 0x80
/** Above the largest row that an executor sends. */
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024

export interface LinkHead {
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** Throws for what is none. */
export function readHead(message: Buffer): LinkHead {
  const { path, headers } = JSON.parse(message.toString()) as Partial<LinkHead>
  const texts = Object.values(headers ?? {})
  if (typeof path === 'string' && headers !== undefined && texts.every(text => typeof text === 'string')) {
    return { path, headers }
  }
  throw new QueryError('INVALID_REQUEST', 'no head of a stream')
}

export type Trailers = Readonly<Record<string, string>>

export function trailersFrame(trailers: Trailers): Buffer {
  const text = Buffer.from(JSON.stringify(trailers))
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + text.length)
  frame.writeUInt8(TRAILERS, 0)
  frame.writeUInt32BE(text.length, 1)
  frame.set(text, PREFIX_BYTES)
  return frame
}

/** Of all streams of this process: a message is in it from the network until it has gone on. */
const pool = new BodyPool()

/** What a server sends, each message read straight into memory of its own, and along with it the next one's prefix. */
export class LinkReader {
  readonly #prefix = Buffer.alloc(PREFIX_BYTES)
  #body: PooledBody | null = null
  #filled = 0

  /** Where the next bytes go. */
  get space(): Uint8Array {
    return (this.#body?.bytes ?? this.#prefix).subarray(this.#filled)
  }

  /** So many bytes have come there; what they make whole. Throws for a message that is compressed or too large. */
  take(byteCount: number): WireFrame | Trailers | null {
    this.#filled += byteCount
    if (this.#body === null) return this.#begin()
    const { bytes, release } = this.#body
    const end = bytes.length - PREFIX_BYTES
    if (this.#filled < end) return null
    this.#body = null
    this.#filled -= end
    this.#prefix.set(bytes.subarray(end))
    const whole = bytes.subarray(0, end)
    this.#begin()
    if (whole[0] === MESSAGE) return new WireFrame([whole], end, release)
    return JSON.parse(Buffer.from(whole.subarray(PREFIX_BYTES)).toString()) as Trailers
  }

  /** Nothing comes any more. */
  release(): void {
    this.#body?.release()
    this.#body = null
  }

  /** A message, once its prefix is here. */
  #begin(): null {
    if (this.#filled < PREFIX_BYTES) return null
    const flag = this.#prefix.readUInt8(0)
    if (flag !== MESSAGE && flag !== TRAILERS) throw new QueryError('INTERNAL', `a message with the flag ${flag}`)
    const byteCount = PREFIX_BYTES + this.#prefix.readUInt32BE(1)
    if (byteCount > MAX_MESSAGE_BYTES) {
      throw new QueryError('RESULT_TOO_LARGE', `a message of ${byteCount} bytes, the limit is ${MAX_MESSAGE_BYTES}`)
    }
    this.#body = pool.take(byteCount + PREFIX_BYTES)
    this.#body.bytes.set(this.#prefix)
    return null
  }
}
