/**
 * A FlightData message as it goes over a gRPC connection: five bytes of prefix, then protobuf. Sent from its parts
 * without a copy of the body, and kept as the pieces in which it came: who only passes it on never decodes it.
 */

import { QueryError } from './errors.ts'
import { decodeFlightData, encodeFlightHead, type RawFlightData } from './flight-data.ts'

/** A flag byte, not compressed, and the length of the message. */
export const PREFIX_BYTES = 5

export class WireFrame implements RawFlightData {
  /** With the prefix; not to be changed. */
  readonly pieces: readonly Uint8Array[]
  readonly byteCount: number
  /** Gives its memory to another one: once, by who is the last to know it. If nobody does, it is collected. */
  readonly release: () => void
  #decoded: RawFlightData | null = null

  constructor(pieces: readonly Uint8Array[], byteCount: number, release = (): void => undefined) {
    this.pieces = pieces
    this.byteCount = byteCount
    this.release = release
  }

  /** Without the prefix. */
  message(): Buffer {
    const [first, ...more] = this.pieces
    const whole = first !== undefined && more.length === 0
      ? Buffer.from(first.buffer, first.byteOffset, first.length) : Buffer.concat(this.pieces, this.byteCount)
    return whole.subarray(PREFIX_BYTES)
  }

  get dataHeader(): Uint8Array {
    return this.#parts().dataHeader
  }

  get dataBody(): Uint8Array {
    return this.#parts().dataBody
  }

  #parts(): RawFlightData {
    this.#decoded ??= decodeFlightData(this.message())
    return this.#decoded
  }
}

/** The message to be sent, prefix first; a body of its own piece. */
export function piecesOf(frame: RawFlightData): readonly Uint8Array[] {
  if (frame instanceof WireFrame) return frame.pieces
  const { dataBody } = frame
  const head = encodeFlightHead(frame)
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES)
  prefix.writeUInt8(0, 0)
  prefix.writeUInt32BE(head.length + dataBody.length, 1)
  const start = Buffer.concat([prefix, head])
  return dataBody.length === 0 ? [start] : [start, dataBody]
}

/** Bytes that it takes in memory. */
export function bytesOf(frame: RawFlightData): number {
  return frame instanceof WireFrame ? frame.byteCount : frame.dataHeader.length + frame.dataBody.length
}

/** Nobody will look at it again. */
export function releaseFrame(frame: RawFlightData): void {
  if (frame instanceof WireFrame) frame.release()
}

/** The same frames, each released when its reader asks for the next. */
export async function* passedOn(frames: AsyncIterable<RawFlightData>): AsyncGenerator<RawFlightData> {
  for await (const frame of frames) {
    yield frame
    releaseFrame(frame)
  }
}

/** Any message with its prefix. */
export function prefixed(message: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  out.writeUInt8(0, 0)
  out.writeUInt32BE(message.length, 1)
  out.set(message, PREFIX_BYTES)
  return out
}

/** Cuts what comes over a stream into messages, without copying. */
export class FrameSplitter {
  readonly #limitBytes: number
  readonly #found: WireFrame[] = []
  #pieces: Buffer[] = []
  #byteCount = 0
  /** Still to come of the present message; 0: its prefix is not whole yet. */
  #missing = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Nothing of another message is left. */
  get clean(): boolean {
    return this.#pieces.length === 0
  }

  /** The messages that are whole now. Throws for one that is compressed or too large. */
  push(data: Buffer): WireFrame[] {
    for (let rest = data; rest.length > 0;) rest = this.#take(rest)
    return this.#found.splice(0)
  }

  #take(data: Buffer): Buffer {
    if (this.#missing === 0) {
      const start = this.#pieces.length === 0 ? data : Buffer.concat([...this.#pieces, data]) // at most 4 bytes before
      this.#pieces = []
      if (start.length < PREFIX_BYTES) {
        this.#pieces.push(start)
        return start.subarray(start.length)
      }
      if (start.readUInt8(0) !== 0) throw new QueryError('INTERNAL', 'a compressed message, which was not asked for')
      this.#missing = PREFIX_BYTES + start.readUInt32BE(1)
      this.#byteCount = this.#missing
      if (this.#missing > this.#limitBytes) {
        const message = `a message of ${this.#missing} bytes, the limit is ${this.#limitBytes}`
        throw new QueryError('RESULT_TOO_LARGE', message)
      }
      return this.#add(start)
    }
    return this.#add(data)
  }

  #add(data: Buffer): Buffer {
    const part = data.length > this.#missing ? data.subarray(0, this.#missing) : data
    this.#pieces.push(part)
    this.#missing -= part.length
    if (this.#missing === 0) {
      this.#found.push(new WireFrame(this.#pieces, this.#byteCount))
      this.#pieces = []
    }
    return data.subarray(part.length)
  }
}
