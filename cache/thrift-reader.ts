/**
 * Strict reading of a decoded thrift struct: a field that is missing or of another kind is Malformed, never guessed.
 * Fields are named by their numbers in the format's definition.
 */

/** A struct as the decoder gives it; what its fields hold is not known. */
export type ThriftValue = { readonly [field: `field_${number}`]: unknown }

/** Free of the buffer that it was decoded from, which a small value would keep alive. */
export function copyThrift(value: ThriftValue): ThriftValue {
  return copyField(value) as ThriftValue // a struct is copied to a struct
}

function copyField(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.slice()
  if (Array.isArray(value)) return value.map(copyField)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([field, child]) => [field, copyField(child)]))
}

/** What does not fit the format, in words that follow `is not a sound Parquet file:`. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

export class ThriftReader {
  readonly value: ThriftValue
  readonly #what: string

  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
      throw new Malformed(`${what} is not a struct`)
    }
    this.value = value as ThriftValue // any object may be read so: each field is checked when it is asked for
    this.#what = what
  }

  has(field: number): boolean {
    return this.#field(field) !== undefined
  }

  struct(field: number, what: string): ThriftReader {
    return new ThriftReader(this.#field(field), `${what} of ${this.#what}`)
  }

  structs(field: number, what: string): ThriftReader[] {
    const list = this.#field(field)
    if (!Array.isArray(list)) throw this.#malformed(what)
    return list.map(item => new ThriftReader(item, what))
  }

  bytes(field: number, what: string): Uint8Array {
    const value = this.#field(field)
    if (!(value instanceof Uint8Array)) throw this.#malformed(what)
    return value
  }

  text(field: number, what: string): string {
    return Buffer.from(this.bytes(field, what)).toString('utf8')
  }

  boolean(field: number, what: string): boolean {
    const value = this.#field(field)
    if (typeof value !== 'boolean') throw this.#malformed(what)
    return value
  }

  /** False if it is absent. */
  isTrue(field: number): boolean {
    return this.#field(field) === true
  }

  /** A 64-bit count or offset: not negative, and exact as a number. */
  count(field: number, what: string): number {
    const value = this.#field(field)
    if (typeof value !== 'bigint' || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#malformed(what)
    return Number(value)
  }

  /** A 32-bit integer; `absent` if there is none. */
  integerOr<Absent>(field: number, absent: Absent): number | Absent {
    const value = this.#field(field)
    if (value === undefined) return absent
    if (typeof value !== 'number' || !Number.isInteger(value)) throw this.#malformed(`field ${field}`)
    return value
  }

  /** Which field of a union is set: its number; null if none is known. */
  onlyField(): number | null {
    const [name] = Object.keys(this.value)
    return name === undefined ? null : Number(name.slice('field_'.length))
  }

  #field(field: number): unknown {
    return this.value[`field_${field}`]
  }

  #malformed(what: string): Malformed {
    return new Malformed(`${this.#what} has no proper ${what}`)
  }
}
