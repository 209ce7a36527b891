/**
 * Arrow's IPC stream format: each message as continuation marker, length of the header padded to 8, header, body; an
 * end marker of length 0. A stream that ends without the end marker was cut off, and reading it throws.
 */

import { Message } from 'apache-arrow/ipc/metadata/message'
import { QueryError } from './errors.ts'
import type { RawFlightData } from './flight-data.ts'

const CONTINUATION = -1
const PREFIX_BYTES = 8
/** A header lists buffers and schema fields; no sane one is larger. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024
/** A body is one record batch: executors cap them far below. */
const MAX_BODY_BYTES = 1024 * 1024 * 1024

export const END_OF_STREAM: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)

/** The message as it stands in a stream; two pieces, so that the body is not copied. */
export function encapsulate({ dataHeader, dataBody }: RawFlightData): [Uint8Array, Uint8Array] {
  const padded = (dataHeader.length + 7) & ~7
  const prefix = Buffer.alloc(PREFIX_BYTES + padded)
  prefix.writeInt32LE(CONTINUATION, 0)
  prefix.writeInt32LE(padded, 4)
  prefix.set(dataHeader, PREFIX_BYTES)
  return [prefix, dataBody]
}

/** Splits a stream of bytes, cut anywhere, into its messages. */
export async function* readStream(source: AsyncIterable<Uint8Array>): AsyncGenerator<RawFlightData> {
  const bytes = new ByteReader(source)
  for (;;) {
    const prefix = await bytes.take(PREFIX_BYTES)
    if (prefix.readInt32LE(0) !== CONTINUATION) throw broken('no continuation marker')
    const headerBytes = prefix.readInt32LE(4)
    if (headerBytes === 0) return
    if (headerBytes < 0 || headerBytes > MAX_HEADER_BYTES) throw broken(`a header of ${headerBytes} bytes`)
    const dataHeader = await bytes.take(headerBytes)
    const bodyBytes = Number(Message.decode(dataHeader).bodyLength)
    if (bodyBytes < 0 || bodyBytes > MAX_BODY_BYTES) throw broken(`a body of ${bodyBytes} bytes`)
    yield { dataHeader, dataBody: await bytes.take(bodyBytes) }
  }
}

/** Bytes in pieces of the length that is asked for. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #chunks: Uint8Array[] = []
  #length = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async take(count: number): Promise<Buffer> {
    while (this.#length < count) {
      const { done, value } = await this.#source.next()
      if (done === true) throw broken('the stream ends in the middle')
      this.#chunks.push(value)
      this.#length += value.length
    }
    const [first = new Uint8Array(0), ...more] = this.#chunks
    const all = more.length === 0 ? asBuffer(first) : Buffer.concat(this.#chunks)
    this.#chunks = all.length === count ? [] : [all.subarray(count)]
    this.#length = all.length - count
    return all.subarray(0, count)
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function broken(what: string): QueryError {
  return new QueryError('UNAVAILABLE', `the result was cut off: ${what}`)
}
