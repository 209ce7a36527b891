/**
 * Strict reading of DuckDB's plan JSON. A field that is missing, of another type, or not known to the reader throws
 * Unsupported with the path to it, and the query runs whole: a gap costs speed, never a wrong answer.
 *
 * The JSON holds bare 64-bit integers and bare NaN and Infinity, which JSON.parse would round or refuse. Before it is
 * parsed, such tokens outside of strings are wrapped as {"$number":"…"}; the readers below unwrap them.
 */

import { Unsupported } from './unsupported.ts'

/** JSON numbers of so many characters may not be exact as a double. */
const UNSAFE_LENGTH = 16
const WRAP = '$number'

/** `rewrite`: of the whole, before it is read. */
export function parseJson(text: string, rewrite?: (value: unknown) => unknown): JsonNode {
  const wrapped = text.replace(/"(?:[^"\\]|\\.)*"|-?(?:\d[\d.eE+-]*|NaN|Infinity)/g, token => {
    if (token.startsWith('"')) return token
    const safe = token.length < UNSAFE_LENGTH ? !/[yN]/.test(token) : /[.eE]/.test(token)
    return safe ? token : `{"${WRAP}":"${token}"}`
  })
  try {
    const value: unknown = JSON.parse(wrapped)
    return new JsonNode(rewrite === undefined ? value : rewrite(value), null, '')
  } catch (cause) {
    throw new Unsupported('the plan is not JSON', { cause })
  }
}

export class JsonNode {
  readonly #value: unknown
  /** Where it stands, for messages only. */
  readonly #parent: JsonNode | null
  readonly #key: string | number

  constructor(value: unknown, parent: JsonNode | null, key: string | number) {
    this.#value = value
    this.#parent = parent
    this.#key = key
  }

  /** Refuses any field that is not named here: an option that we have never seen may change what the node means. */
  only(...names: readonly string[]): this {
    for (const name of Object.keys(this.#object())) {
      if (!names.includes(name)) this.#refuse(`unknown field ${name}`)
    }
    return this
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object(), name)
  }

  node(name: string): JsonNode {
    const object = this.#object()
    if (!Object.hasOwn(object, name)) this.#refuse(`no field ${name}`)
    return new JsonNode(object[name], this, name)
  }

  /** The field, or null if it is null. It may not be absent: what we read by the name is never left out. */
  nullable(name: string): JsonNode | null {
    const node = this.node(name)
    return this.#object()[name] === null ? null : node
  }

  list(name: string): readonly JsonNode[] {
    return this.node(name).items()
  }

  text(name: string): string {
    return this.node(name).asText()
  }

  boolean(name: string): boolean {
    const value = this.#object()[name]
    return typeof value === 'boolean' ? value : this.#refuse(`${name} is no boolean`)
  }

  integer(name: string): bigint {
    return this.node(name).asInteger()
  }

  /** A number from 0 that is exact as a double: positions, sizes. */
  count(name: string): number {
    return this.node(name).asCount()
  }

  /** A list of positions. */
  counts(name: string): readonly number[] {
    return this.list(name).map(item => item.asCount())
  }

  items(): readonly JsonNode[] {
    const value = this.#value
    if (!Array.isArray(value)) return this.#refuse('no list')
    return value.map((item, i) => new JsonNode(item, this, i))
  }

  asText(): string {
    return typeof this.#value === 'string' ? this.#value : this.#refuse('no text')
  }

  asInteger(): bigint {
    const value = this.#value
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
    const token = this.#token()
    return token !== undefined && /^-?\d+$/.test(token) ? BigInt(token) : this.#refuse('no integer')
  }

  asCount(): number {
    const value = this.asInteger()
    return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : this.#refuse('no count')
  }

  /** NaN and infinities included. */
  asFloat(): number {
    if (typeof this.#value === 'number') return this.#value
    const token = this.#token()
    return token === undefined ? this.#refuse('no number') : Number(token)
  }

  isNumber(): boolean {
    return typeof this.#value === 'number' || this.#token() !== undefined
  }

  isEmptyList(): boolean {
    return Array.isArray(this.#value) && this.#value.length === 0
  }

  /** For callers that know a value is not allowed here. */
  refuse(reason: string): never {
    return this.#refuse(reason)
  }

  #token(): string | undefined {
    const value = this.#value
    if (typeof value !== 'object' || value === null || !(WRAP in value)) return undefined
    return typeof value[WRAP] === 'string' ? value[WRAP] : undefined
  }

  #object(): Readonly<Record<string, unknown>> {
    const value = this.#value
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.#refuse('no object')
    return value as Readonly<Record<string, unknown>> // any non-null object that is no array
  }

  /** Names and positions from the root. */
  #path(): string {
    if (this.#parent === null) return 'plan'
    const step = typeof this.#key === 'number' ? `[${this.#key}]` : `.${this.#key}`
    return this.#parent.#path() + step
  }

  #refuse(reason: string): never {
    throw new Unsupported(`${this.#path()}: ${reason}`)
  }
}
