/**
 * Reads DuckDB's own text of a type, as `typeof`, DESCRIBE and the binder give it. Text that it does not know, at any
 * depth, gives undefined: the caller decides whether that means "as text" or "not supported".
 */

import type { DuckField, DuckType, ScalarName } from './types.ts'

/** DuckDB refuses deeper nesting long before; bounds the recursion over text from elsewhere. */
const MAX_DEPTH = 250

const scalarNames: ReadonlySet<string> = new Set<ScalarName>([
  'BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT',
  'UHUGEINT', 'FLOAT', 'DOUBLE', 'VARCHAR', 'BLOB', 'BIT', 'BIGNUM', 'UUID', 'JSON', 'VARIANT', 'GEOMETRY', 'DATE',
  'TIME', 'TIME_NS', 'TIME WITH TIME ZONE', 'INTERVAL', 'TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS',
  'TIMESTAMP WITH TIME ZONE', '"NULL"',
])

export function parseType(text: string): DuckType | undefined {
  try {
    const reader = new TypeReader(text)
    const type = reader.type()
    reader.end()
    return type
  } catch (error) {
    if (error instanceof Unknown) return undefined
    throw error
  }
}

/** Thrown and caught in this file alone. */
class Unknown extends Error {}

class TypeReader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  type(): DuckType {
    if (++this.#depth > MAX_DEPTH) throw new Unknown()
    let type = this.#base()
    for (let size = this.#take(/\[(\d*)\]/y); size !== undefined; size = this.#take(/\[(\d*)\]/y)) {
      type = size === '' ? { kind: 'list', child: type } : { kind: 'array', child: type, size: Number(size) }
    }
    this.#depth--
    return type
  }

  end(): void {
    if (this.#at !== this.#text.length) throw new Unknown()
  }

  #base(): DuckType {
    const name = this.#take(/(TIME(?:STAMP)? WITH TIME ZONE|"NULL"|[A-Z][A-Z0-9_]*)/y)
    switch (name) {
      case undefined: throw new Unknown()
      case 'DECIMAL': return this.#decimal()
      case 'STRUCT': return { kind: 'struct', fields: this.#list(() => this.#field()) }
      case 'UNION': return { kind: 'union', members: this.#list(() => this.#field()) }
      case 'MAP': return this.#map()
      case 'ENUM': return { kind: 'enum', values: this.#list(() => this.#quoted(/'((?:[^']|'')*)'/y, "'")) }
      default:
        if (!scalarNames.has(name)) throw new Unknown()
        return { kind: 'scalar', name: name as ScalarName }
    }
  }

  #decimal(): DuckType {
    const width = this.#take(/\((\d+)/y)
    const scale = this.#take(/, ?(\d+)\)/y)
    if (width === undefined || scale === undefined) throw new Unknown()
    return { kind: 'decimal', width: Number(width), scale: Number(scale) }
  }

  #map(): DuckType {
    const [key, value, ...more] = this.#list(() => this.type())
    if (key === undefined || value === undefined || more.length > 0) throw new Unknown()
    return { kind: 'map', key, value }
  }

  /** `name TYPE`, or in a struct made by `row()` just `TYPE`: then the name is empty. */
  #field(): DuckField {
    const start = this.#at
    const bare = this.#take(/(?!TIME(?:STAMP)? WITH )([A-Za-z_][A-Za-z0-9_$]*) /y)
    if (bare !== undefined) return { name: bare, type: this.type() }
    if (this.#text[start] === '"') {
      const name = this.#quoted(/"((?:[^"]|"")*)"/y, '"')
      if (this.#take(/( )/y) !== undefined) return { name, type: this.type() }
      this.#at = start
    }
    return { name: '', type: this.type() }
  }

  #list<T>(element: () => T): T[] {
    const elements: T[] = []
    if (this.#take(/(\()/y) === undefined) throw new Unknown()
    do elements.push(element())
    while (this.#take(/(, ?)/y) !== undefined)
    if (this.#take(/(\))/y) === undefined) throw new Unknown()
    return elements
  }

  #quoted(pattern: RegExp, quote: string): string {
    const text = this.#take(pattern)
    if (text === undefined) throw new Unknown()
    return text.replaceAll(quote + quote, quote)
  }

  /** The first group of a sticky pattern that matches here, and steps past it. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.#at = pattern.lastIndex
    return match[1]
  }
}
