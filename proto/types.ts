/**
 * DuckDB's types as values: read from DuckDB's own text of a type, and written as text that DuckDB reads back as the
 * same type. The mappings to Arrow, to Parquet's wire types and to JSON start from these.
 */

import { QueryError, unreachable } from './errors.ts'

export type DuckType =
  | { readonly kind: 'scalar'; readonly name: ScalarName }
  | { readonly kind: 'decimal'; readonly width: number; readonly scale: number }
  | { readonly kind: 'list'; readonly child: DuckType }
  | { readonly kind: 'array'; readonly child: DuckType; readonly size: number }
  | { readonly kind: 'struct'; readonly fields: readonly DuckField[] }
  | { readonly kind: 'map'; readonly key: DuckType; readonly value: DuckType }
  | { readonly kind: 'union'; readonly members: readonly DuckField[] }
  | { readonly kind: 'enum'; readonly values: readonly string[] }

export interface DuckField {
  readonly name: string
  readonly type: DuckType
}

/** DuckDB's own spelling, as `typeof` and DESCRIBE give it. */
export type ScalarName =
  | 'BOOLEAN' | 'TINYINT' | 'SMALLINT' | 'INTEGER' | 'BIGINT' | 'HUGEINT'
  | 'UTINYINT' | 'USMALLINT' | 'UINTEGER' | 'UBIGINT' | 'UHUGEINT'
  | 'FLOAT' | 'DOUBLE' | 'VARCHAR' | 'BLOB' | 'BIT' | 'BIGNUM' | 'UUID' | 'JSON' | 'VARIANT' | 'GEOMETRY'
  | 'DATE' | 'TIME' | 'TIME_NS' | 'TIME WITH TIME ZONE' | 'INTERVAL'
  | 'TIMESTAMP' | 'TIMESTAMP_S' | 'TIMESTAMP_MS' | 'TIMESTAMP_NS' | 'TIMESTAMP WITH TIME ZONE'
  | '"NULL"'

/** The type as text that DuckDB reads back as the same type; but a struct without names has no such text. */
export function typeText(type: DuckType): string {
  const fields = (list: readonly DuckField[]) =>
    list.map(({ name, type }) => (name === '' ? '' : `${quoted(name, '"')} `) + typeText(type)).join(', ')
  switch (type.kind) {
    case 'scalar': return type.name
    case 'decimal': return `DECIMAL(${type.width},${type.scale})`
    case 'list': return `${typeText(type.child)}[]`
    case 'array': return `${typeText(type.child)}[${type.size}]`
    case 'struct': return `STRUCT(${fields(type.fields)})`
    case 'map': return `MAP(${typeText(type.key)}, ${typeText(type.value)})`
    case 'union': return `UNION(${fields(type.members)})`
    case 'enum': return `ENUM(${type.values.map(value => quoted(value, "'")).join(', ')})`
    default: return unreachable(type)
  }
}

const quoted = (text: string, quote: string) => quote + text.replaceAll(quote, quote + quote) + quote

/** True if a cast between the two would change nothing. Names of fields count, and their case. */
export function sameType(a: DuckType, b: DuckType): boolean {
  return a === b || (a.kind === b.kind && typeText(a) === typeText(b))
}

/** Reads DuckDB's text of a type, aliases included; throws a QueryError on what is not one. */
export function parseDuckType(text: string): DuckType {
  const name = Object.hasOwn(scalars, text) ? scalars[text] : undefined
  if (name !== undefined) return { kind: 'scalar', name } // most are; every plan reads the types of its tables
  const reader = new TypeReader(text)
  const type = reader.type()
  reader.end()
  return type
}

/** The same, or undefined for text that is no type, at any depth: the caller decides what that means. */
export function knownDuckType(text: string): DuckType | undefined {
  try {
    return parseDuckType(text)
  } catch (error) {
    if (error instanceof QueryError) return undefined
    throw error
  }
}

/** Other spellings that DuckDB reads; keys in upper case. DECIMAL's own are in `#named`. */
const scalars: Readonly<Record<string, ScalarName>> = {
  BOOLEAN: 'BOOLEAN', BOOL: 'BOOLEAN', LOGICAL: 'BOOLEAN',
  TINYINT: 'TINYINT', INT1: 'TINYINT', SMALLINT: 'SMALLINT', INT2: 'SMALLINT', SHORT: 'SMALLINT', INT16: 'SMALLINT',
  INTEGER: 'INTEGER', INT: 'INTEGER', INT4: 'INTEGER', SIGNED: 'INTEGER', INT32: 'INTEGER', INTEGRAL: 'INTEGER',
  BIGINT: 'BIGINT', INT8: 'BIGINT', LONG: 'BIGINT', INT64: 'BIGINT', OID: 'BIGINT',
  HUGEINT: 'HUGEINT', INT128: 'HUGEINT',
  UTINYINT: 'UTINYINT', UINT8: 'UTINYINT', USMALLINT: 'USMALLINT', UINT16: 'USMALLINT',
  UINTEGER: 'UINTEGER', UINT32: 'UINTEGER', UBIGINT: 'UBIGINT', UINT64: 'UBIGINT',
  UHUGEINT: 'UHUGEINT', UINT128: 'UHUGEINT',
  FLOAT: 'FLOAT', FLOAT4: 'FLOAT', REAL: 'FLOAT', DOUBLE: 'DOUBLE', FLOAT8: 'DOUBLE',
  VARCHAR: 'VARCHAR', TEXT: 'VARCHAR', STRING: 'VARCHAR', CHAR: 'VARCHAR', BPCHAR: 'VARCHAR', NVARCHAR: 'VARCHAR',
  BLOB: 'BLOB', BYTEA: 'BLOB', BINARY: 'BLOB', VARBINARY: 'BLOB', BIT: 'BIT', BITSTRING: 'BIT',
  BIGNUM: 'BIGNUM', UUID: 'UUID', GUID: 'UUID', JSON: 'JSON', VARIANT: 'VARIANT', GEOMETRY: 'GEOMETRY',
  DATE: 'DATE', TIME: 'TIME', TIME_NS: 'TIME_NS', TIMETZ: 'TIME WITH TIME ZONE', INTERVAL: 'INTERVAL',
  TIMESTAMP: 'TIMESTAMP', DATETIME: 'TIMESTAMP', TIMESTAMP_US: 'TIMESTAMP', TIMESTAMP_S: 'TIMESTAMP_S',
  TIMESTAMP_MS: 'TIMESTAMP_MS', TIMESTAMP_NS: 'TIMESTAMP_NS', TIMESTAMPTZ: 'TIMESTAMP WITH TIME ZONE',
  NULL: '"NULL"',
}

/** Types nest at most so deep; deeper text is refused rather than overflowing the stack. */
const MAX_TYPE_DEPTH = 100

type TypeToken = { readonly kind: 'word' | 'name' | 'text' | 'number' | 'sign'; readonly text: string }

/** Recursive descent over `name(arguments)[]…`. */
class TypeReader {
  readonly #source: string
  readonly #tokens: readonly TypeToken[]
  #next = 0
  #depth = 0

  constructor(source: string) {
    this.#source = source
    const pattern = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|"((?:[^"]|"")*)"|'((?:[^']|'')*)'|(\d+)|([()[\],]))\s*/gy
    const tokens: TypeToken[] = []
    while (pattern.lastIndex < source.length) {
      const match = pattern.exec(source)
      if (match === null) this.#refuse()
      const [, word, name, text, number, sign] = match
      if (word !== undefined) tokens.push({ kind: 'word', text: word })
      else if (name !== undefined) tokens.push({ kind: 'name', text: name.replaceAll('""', '"') })
      else if (text !== undefined) tokens.push({ kind: 'text', text: text.replaceAll("''", "'") })
      else if (number !== undefined) tokens.push({ kind: 'number', text: number })
      else tokens.push({ kind: 'sign', text: sign ?? '' })
    }
    this.#tokens = tokens
  }

  type(): DuckType {
    if (++this.#depth > MAX_TYPE_DEPTH) this.#refuse()
    let type = this.#named()
    while (this.#accept('[')) {
      if (this.#accept(']')) {
        type = { kind: 'list', child: type }
        continue
      }
      type = { kind: 'array', child: type, size: this.#number() }
      this.#expect(']')
    }
    this.#depth--
    return type
  }

  end(): void {
    if (this.#next < this.#tokens.length) this.#refuse()
  }

  #named(): DuckType {
    const { kind, text } = this.#take('word', 'name')
    if (kind === 'name' && text !== 'NULL') this.#refuse()
    const name = text.toUpperCase()
    switch (name) {
      case 'DECIMAL': case 'NUMERIC': case 'DEC': return this.#decimal()
      case 'STRUCT': case 'ROW': return { kind: 'struct', fields: this.#fields() }
      case 'UNION': return { kind: 'union', members: this.#fields() }
      case 'ENUM': return { kind: 'enum', values: this.#inParentheses(() => this.#take('text').text) }
      case 'MAP': {
        const [key, value, more] = this.#inParentheses(() => this.type())
        if (key === undefined || value === undefined || more !== undefined) this.#refuse()
        return { kind: 'map', key, value }
      }
      default: return { kind: 'scalar', name: this.#scalar(name) }
    }
  }

  #scalar(name: string): ScalarName {
    if ((name === 'TIMESTAMP' || name === 'TIME') && this.#acceptWords('WITH', 'TIME', 'ZONE')) {
      return name === 'TIME' ? 'TIME WITH TIME ZONE' : 'TIMESTAMP WITH TIME ZONE'
    }
    if (name === 'DOUBLE') this.#acceptWords('PRECISION')
    const scalar = Object.hasOwn(scalars, name) ? scalars[name] : undefined
    if (scalar === undefined) this.#refuse()
    if (scalar === 'VARCHAR' && this.#peek('(')) this.#inParentheses(() => this.#number()) // DuckDB ignores the length
    return scalar
  }

  #decimal(): DuckType {
    if (!this.#peek('(')) return { kind: 'decimal', width: 18, scale: 3 } // DuckDB's default
    const [width, scale = 0, more] = this.#inParentheses(() => this.#number())
    if (width === undefined || more !== undefined) this.#refuse()
    return { kind: 'decimal', width, scale }
  }

  /** `name TYPE, …`; of an unnamed struct only the types, which then have the name ''. */
  #fields(): readonly DuckField[] {
    return this.#inParentheses(() => {
      const after = this.#tokens[this.#next + 1]
      const named = after !== undefined && (after.kind === 'word' || after.kind === 'name') && !this.#zoned()
      return { name: named ? this.#take('word', 'name').text : '', type: this.type() }
    })
  }

  /** True before an unnamed TIME WITH TIME ZONE, where a second word does not mean that the first is a name. */
  #zoned(): boolean {
    return this.#tokens[this.#next + 1]?.text === 'WITH' && this.#tokens[this.#next + 2]?.text === 'TIME'
  }

  #inParentheses<T>(item: () => T): T[] {
    this.#expect('(')
    const items = [item()]
    while (this.#accept(',')) items.push(item())
    this.#expect(')')
    return items
  }

  #number(): number {
    return Number(this.#take('number').text)
  }

  #take(...kinds: readonly TypeToken['kind'][]): TypeToken {
    const token = this.#tokens[this.#next++]
    if (token === undefined || !kinds.includes(token.kind)) this.#refuse()
    return token
  }

  #peek(sign: string): boolean {
    const token = this.#tokens[this.#next]
    return token?.kind === 'sign' && token.text === sign
  }

  #accept(sign: string): boolean {
    const found = this.#peek(sign)
    if (found) this.#next++
    return found
  }

  #acceptWords(...words: readonly string[]): boolean {
    const found = words.every((word, i) => this.#tokens[this.#next + i]?.text.toUpperCase() === word)
    if (found) this.#next += words.length
    return found
  }

  #expect(sign: string): void {
    if (!this.#accept(sign)) this.#refuse()
  }

  #refuse(): never {
    throw new QueryError('UNSUPPORTED_STATEMENT', `unknown type ${this.#source}`)
  }
}
