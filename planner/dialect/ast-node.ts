/**
 * Strict reading of node-sql-parser's trees: each field of a node is either taken, or named as one that must be empty,
 * and `end` refuses a node with any other field. So nothing that the parser has understood can be left out of the
 * translation, in this version or in the next.
 */

/** A tree of another shape than ours knows. Where it stands in the text, the caller may know. */
export class UnknownTree extends Error {}

export class AstNode {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #path: string
  readonly #left: Set<string>

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UnknownTree(`${path} is no node`)
    this.#fields = value as Readonly<Record<string, unknown>> // any object that is no array
    this.#path = path
    this.#left = new Set(Object.keys(value))
  }

  /** Fields that say nothing beyond the rest of the node. */
  ignore(...names: readonly string[]): this {
    for (const name of names) this.#left.delete(name)
    return this
  }

  /** Fields that may be there if they hold nothing; those that were read before are left alone. */
  empty(...names: readonly string[]): this {
    for (const name of names) {
      if (!this.#left.has(name) || isEmpty(this.#take(name))) continue
      throw new UnknownTree(`${this.#path}.${name} is not empty`)
    }
    return this
  }

  /** undefined: not there, or empty. */
  text(name: string): string | undefined {
    const value = this.#take(name)
    if (typeof value === 'string' && value !== '') return value
    if (isEmpty(value)) return undefined
    throw new UnknownTree(`${this.#path}.${name} is no text`)
  }

  node(name: string): AstNode {
    return new AstNode(this.#take(name), `${this.#path}.${name}`)
  }

  /** null: not there, or empty. */
  optional(name: string): AstNode | null {
    const value = this.#take(name)
    return isEmpty(value) ? null : new AstNode(value, `${this.#path}.${name}`)
  }

  nodes(name: string): readonly AstNode[] {
    const value = this.#take(name) ?? []
    if (!Array.isArray(value)) throw new UnknownTree(`${this.#path}.${name} is no list`)
    return value.map((item, i) => new AstNode(item, `${this.#path}.${name}[${i}]`))
  }

  isText(name: string): boolean {
    return typeof this.#fields[name] === 'string'
  }

  has(name: string): boolean {
    return !isEmpty(this.#fields[name])
  }

  /** Every field has been read. */
  end(): void {
    const [name] = this.#left
    if (name !== undefined) throw new UnknownTree(`${this.#path} has an unknown field ${name}`)
  }

  fail(what: string): never {
    throw new UnknownTree(`${this.#path}: ${what}`)
  }

  #take(name: string): unknown {
    this.#left.delete(name)
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
  }
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  return typeof value === 'object' && Object.values(value).every(isEmpty)
}
