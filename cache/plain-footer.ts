/**
 * The metadata of a Parquet footer without its Bloom filters, everything else byte for byte: for mirrors, which hold
 * the chunks of some row groups only. DuckDB looks at the filters of all row groups of a file, those that its task does
 * not read too, and would find holes. What filters leave out is left out before a task is made.
 *
 * Thrift's compact protocol tells a field's number by its distance from the one before, so the field behind one that
 * goes gets another header.
 */

import { corrupt } from './footer-tail.ts'
import type { FileKey } from './key.ts'
import { Malformed } from './thrift-reader.ts'

/** By field: what is to be done in the structs below; null: the field goes. */
interface Path {
  readonly [field: number]: Path | null
}

/** FileMetaData: row groups, column chunks, their metadata, offset and length of the filter. */
const FILTERS: Path = { 4: { 1: { 3: { 14: null, 15: null } } } }
/** Deeper than any footer. */
const MAX_DEPTH = 64

/** `metadata` is the thrift of the footer of `file` alone; FILE_CORRUPT if it is not sound. */
export function withoutFilters(metadata: Buffer, file: FileKey): Buffer {
  const copy = new StructCopy(metadata)
  try {
    copy.struct(FILTERS)
    return copy.end()
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    throw corrupt(file, `is not a sound Parquet file: ${error.message}`, error)
  }
}

const [STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT] =
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] as const

class StructCopy {
  readonly #bytes: Buffer
  readonly #pieces: Buffer[] = []
  #at = 0
  /** What is before it is copied, or gone. */
  #copied = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  end(): Buffer {
    this.#take(this.#at)
    return Buffer.concat(this.#pieces)
  }

  /** One struct of the path. */
  struct(path: Path): void {
    let [read, written] = [0, 0]
    for (;;) {
      const start = this.#at
      const header = this.#byte()
      const type = header & 0x0f
      if (header === STOP) return
      read = header >> 4 === 0 ? this.#zigzag() : read + (header >> 4)
      const below = path[read]
      if (below === null) {
        this.#take(start)
        this.#skip(type, 0)
        this.#copied = this.#at
        continue
      }
      if (read - written !== header >> 4 && header >> 4 !== 0) {
        this.#take(start)
        this.#pieces.push(fieldHeader(read - written, read, type))
        this.#copied = this.#at
      }
      written = read
      if (below === undefined) this.#skip(type, 0)
      else if (type === STRUCT) this.struct(below)
      else if (type === LIST) this.#structs(below)
      else throw new Malformed(`field ${read} is of another type`)
    }
  }

  #structs(path: Path): void {
    const { count, type } = this.#listHeader()
    if (type !== STRUCT) throw new Malformed('a list is not of structs')
    for (let i = 0; i < count; i++) this.struct(path)
  }

  #take(to: number): void {
    if (to > this.#copied) this.#pieces.push(this.#bytes.subarray(this.#copied, to))
    this.#copied = to
  }

  /** `type` of a field; elements of lists are skipped by `#element`. */
  #skip(type: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new Malformed('it is nested too deeply')
    switch (type) {
      case TRUE: case FALSE: return
      case BYTE: return this.#pass(1)
      case I16: case I32: case I64: { this.#varint(); return }
      case DOUBLE: return this.#pass(8)
      case BINARY: return this.#pass(this.#varint())
      case LIST: case SET: {
        const { count, type: of } = this.#listHeader()
        for (let i = 0; i < count; i++) this.#element(of, depth + 1)
        return
      }
      case MAP: {
        const count = this.#varint()
        const types = count === 0 ? 0 : this.#byte()
        for (let i = 0; i < count; i++) {
          this.#element(types >> 4, depth + 1)
          this.#element(types & 0x0f, depth + 1)
        }
        return
      }
      case STRUCT: {
        for (let header = this.#byte(); header !== STOP; header = this.#byte()) {
          if (header >> 4 === 0) this.#varint()
          this.#skip(header & 0x0f, depth + 1)
        }
        return
      }
      default: throw new Malformed(`a field is of type ${type}`)
    }
  }

  /** Booleans take a byte in lists and maps. */
  #element(type: number, depth: number): void {
    if (type === TRUE || type === FALSE) this.#pass(1)
    else this.#skip(type, depth)
  }

  #listHeader(): { readonly count: number; readonly type: number } {
    const header = this.#byte()
    const short = header >> 4
    return { count: short === 15 ? this.#varint() : short, type: header & 0x0f }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new Malformed('its footer is cut off')
    return byte
  }

  #pass(count: number): void {
    this.#at += count
    if (this.#at > this.#bytes.length) throw new Malformed('its footer is cut off')
  }

  /** Only counts, lengths and field numbers are looked at: what is longer is passed over. */
  #varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }

  #zigzag(): number {
    const value = this.#varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

function fieldHeader(distance: number, field: number, type: number): Buffer {
  if (distance >= 1 && distance <= 15) return Buffer.of(distance << 4 | type)
  const number: number[] = [type]
  let rest = field * 2 // not negative, so zigzag doubles it
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) number.push(rest % 128 | 0x80)
  return Buffer.of(...number, rest)
}
