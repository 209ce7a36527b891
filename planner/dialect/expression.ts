/**
 * Expressions of node-sql-parser's trees as DuckDB's SQL. Of a tree of operators only the order of its leaves is
 * believed: all grammars of the package read `a AND b OR c` as `a AND (b OR c)`. The leaves and the operators between
 * them, which are read from the text's own tokens, are folded anew by the levels of the dialect; brackets were masked
 * as calls, so they are leaves.
 *
 * A cursor walks over the tokens. Whatever is written moves it on by exactly the tokens that it stands for, and at the
 * end of a range it must be there: no token is left out, none is read twice.
 */

import type { AstNode } from './ast-node.ts'
import { renderCall } from './call.ts'
import type { Operator, Value } from './dialect.ts'
import type { Masks } from './mask.ts'
import { COMPARISON, LAMBDA, NEGATION, NOT, PATTERN } from './operators.ts'
import { refused, UNCAST_JSON } from './refusal.ts'
import type { Range } from './source.ts'

type Item =
  | { readonly kind: 'leaf'; readonly read: (cursor: number) => Value }
  | { readonly kind: 'prefix'; readonly operator: string }
  | { readonly kind: 'infix'; readonly operator: string }
  | { readonly kind: 'between'; readonly operator: string; readonly low: AstNode; readonly high: AstNode }

/** The tree does not say what the tokens say. */
export class TreeMismatch extends Error {
  readonly token: number

  constructor(token: number) {
    super(`the tree differs from the text at token ${token}`)
    this.token = token
  }
}

export class Expressions {
  readonly #masks: Masks

  constructor(masks: Masks) {
    this.#masks = masks
  }

  /** All of the range. */
  read(node: AstNode, { from, to }: Range): Value {
    const value = this.readFrom(node, from)
    if (value.last !== to - 1) throw new TreeMismatch(value.last + 1)
    return value
  }

  /** `level`: operators that bind looser may not be in it. */
  readFrom(node: AstNode, cursor: number, level: number = LAMBDA): Value {
    const items: Item[] = []
    this.#flatten(node, items)
    const fold = new Fold(this, this.#masks, items, cursor)
    const value = fold.fold(level)
    if (!fold.isAtEnd()) throw new TreeMismatch(value.last + 1)
    return value
  }

  /** Of a column that stands for itself. */
  name(node: AstNode): string {
    if (node.text('type') !== 'column_ref') return node.fail('no column')
    const name = columnName(node)
    this.#plain(node)
    return name
  }

  /** The atom of that name. */
  atom(name: string, cursor: number): Value {
    const value = this.#masks.atoms.get(name)
    if (value?.first !== cursor) throw new TreeMismatch(cursor)
    return value
  }

  #flatten(node: AstNode, items: Item[]): void {
    const type = node.text('type')
    switch (type) {
      case 'column_ref': case 'function': {
        node.ignore('loc')
        const read = type === 'function' ? this.#call(node) : this.#column(node)
        items.push({ kind: 'leaf', read })
        return
      }
      case 'unary_expr': {
        const operator = node.text('operator') ?? ''
        items.push({ kind: 'prefix', operator })
        const inner = node.node('expr')
        node.ignore('loc').end()
        this.#flatten(inner, items)
        return
      }
      case 'binary_expr': {
        const operator = node.text('operator') ?? ''
        const [left, right] = [node.node('left'), node.node('right')]
        node.ignore('loc').end()
        this.#flatten(left, items)
        if (!operator.toUpperCase().endsWith('BETWEEN')) {
          items.push({ kind: 'infix', operator: operator.toUpperCase() })
          this.#flatten(right, items)
          return
        }
        const [low, high, ...more] = right.nodes('value')
        if (low === undefined || high === undefined || more.length > 0 || right.text('type') !== 'expr_list') {
          return right.fail('BETWEEN has two bounds')
        }
        right.ignore('loc').end()
        items.push({ kind: 'between', operator: operator.toUpperCase(), low, high })
        return
      }
      case 'case': {
        items.push({ kind: 'leaf', read: this.#case(node) })
        return
      }
      default: node.fail(`an unknown node ${type}`)
    }
  }

  #column(node: AstNode): (cursor: number) => Value {
    const name = columnName(node)
    this.#plain(node)
    return cursor => this.atom(name, cursor)
  }

  #plain(node: AstNode): void {
    node.ignore('loc').empty('table', 'db', 'schema', 'collate', 'notations',
      'suffix', 'subFields', 'array_index').end()
  }

  #call(node: AstNode): (cursor: number) => Value {
    const path = node.node('name')
    const parts = path.nodes('name')
    const holder = parts[0] ?? path.node('schema')
    if (parts.length > 1) path.fail('a function with a path')
    const name = holder.text('value') ?? ''
    holder.ignore('type').end()
    path.empty('schema').end()
    const list = node.optional('args')
    const args = list?.nodes('value') ?? []
    list?.ignore('type').end()
    node.empty('over', 'within_group', 'filter', 'suffix', 'array_index', 'args_parentheses').end()
    const form = this.#masks.calls.get(name)
    return cursor => {
      if (form?.first !== cursor || form.inline.length !== args.length) throw new TreeMismatch(cursor)
      const inline = form.inline.map((range, i) => {
        const argument = args[i]
        if (argument === undefined) throw new TreeMismatch(range.from)
        return this.read(argument, range)
      })
      return renderCall(form, inline, this.#masks)
    }
  }

  #case(node: AstNode): (cursor: number) => Value {
    const subject = node.optional('expr')
    const branches = node.nodes('args')
    node.ignore('loc').end()
    return first => {
      const { source } = this.#masks
      let cursor = first
      const word = (expected: string): void => {
        if (!source.is(cursor, expected)) throw new TreeMismatch(cursor)
        cursor++
      }
      const value = (tree: AstNode): Value => {
        const value = this.readFrom(tree, cursor)
        cursor = value.last + 1
        return value
      }
      word('CASE')
      let sql = 'CASE'
      if (subject !== null) sql += ` ${value(subject).sql}`
      const results: Value[] = []
      for (const branch of branches) {
        const isElse = branch.text('type') === 'else'
        if (!isElse) {
          word('WHEN')
          sql += ` WHEN ${value(branch.node('cond')).sql}`
        }
        word(isElse ? 'ELSE' : 'THEN')
        const result = value(branch.node('result'))
        branch.end()
        results.push(result)
        sql += ` ${isElse ? 'ELSE' : 'THEN'} ${result.sql}`
      }
      word('END')
      const kinds = new Set(results.map(({ kind }) => kind).filter(kind => kind !== 'null'))
      const [kind = 'null'] = kinds
      return { sql: `${sql} END`, kind: kinds.size > 1 ? 'unknown' : kind, first, last: cursor - 1 }
    }
  }
}

/** A column's name has another form in each grammar. */
export function columnName(node: AstNode): string {
  if (node.isText('column')) return node.text('column') ?? ''
  const column = node.node('column')
  const holder = column.has('expr') ? column.node('expr') : column
  const name = holder.text('value') ?? ''
  holder.ignore('type').end()
  column.empty('offset').end()
  return name
}

/** One expression's leaves and operators, folded from the left. */
class Fold {
  readonly #expressions: Expressions
  readonly #masks: Masks
  readonly #items: readonly Item[]
  #next = 0
  #cursor: number

  constructor(expressions: Expressions, masks: Masks, items: readonly Item[], cursor: number) {
    this.#expressions = expressions
    this.#masks = masks
    this.#items = items
    this.#cursor = cursor
  }

  isAtEnd(): boolean {
    return this.#next === this.#items.length
  }

  /** What binds at `level` or tighter. */
  fold(level: number): Value {
    let left = this.#operand(level)
    let compared = false
    for (;;) {
      const item = this.#items[this.#next]
      if (item === undefined || item.kind === 'leaf') return left
      if (item.kind === 'prefix') throw new TreeMismatch(this.#cursor)
      const at = this.#cursor
      const { name, length } = this.#operator(item)
      const isBetween = item.kind === 'between'
      const own = isBetween ? COMPARISON : this.#level(name, at)
      if (own < level) return left
      if (own === COMPARISON && compared) {
        throw refused('a comparison of a comparison without brackets', this.#masks.source.place(at))
      }
      compared = own === COMPARISON
      this.#next++
      this.#cursor += length
      left = isBetween ? this.#between(left, name, item.low, item.high) : this.#infix(left, name, own, at)
    }
  }

  #operand(level: number): Value {
    const item = this.#items[this.#next]
    const first = this.#cursor
    if (item === undefined || item.kind === 'infix' || item.kind === 'between') throw new TreeMismatch(first)
    this.#next++
    if (item.kind === 'leaf') {
      const value = item.read(first)
      if (value.first !== first) throw new TreeMismatch(first)
      this.#cursor = value.last + 1
      return value
    }
    if (!this.#masks.source.is(first, item.operator)) throw new TreeMismatch(first)
    this.#cursor++
    if (item.operator === 'NOT') {
      if (level > NOT) throw this.#masks.source.unexpected(first)
      const { sql, last } = this.fold(NOT)
      return { sql: `(NOT ${sql})`, kind: 'boolean', first, last }
    }
    if (item.operator !== '-' && item.operator !== '+') throw new TreeMismatch(first)
    const { sql, kind, last } = this.fold(NEGATION)
    return { sql: item.operator === '-' ? `(-${sql})` : sql, kind, first, last }
  }

  /** What the tokens say that the operator is. */
  #operator({ operator }: { readonly operator: string }): { readonly name: string; readonly length: number } {
    const hidden = this.#masks.operators.get(this.#cursor)
    if (hidden !== undefined && operator === '+') return hidden
    const words = operator.split(' ')
    if (hidden !== undefined || !this.#masks.source.is(this.#cursor, ...words)) throw new TreeMismatch(this.#cursor)
    return { name: operator, length: words.length }
  }

  #infix(left: Value, name: string, level: number, at: number): Value {
    const right = this.fold(level === LAMBDA ? level : level + 1)
    const { first } = left
    const { last } = right
    if (level === PATTERN) {
      if (right.text?.length !== 1) throw refused('an ESCAPE that is not one character', this.#masks.source.place(at))
      return { ...left, escape: right.text, last }
    }
    const refuse = (what: string): never => { throw refused(what, this.#masks.source.place(at)) }
    if (![':', '::', 'IS'].includes(name)) [left, right].forEach(({ kind }) => kind === 'json' && refuse(UNCAST_JSON))
    return { ...this.#known(name, at).make(left, right, refuse), first, last }
  }

  #between(value: Value, name: string, low: AstNode, high: AstNode): Value {
    const bound = (tree: AstNode): Value => {
      const value = this.#expressions.readFrom(tree, this.#cursor, COMPARISON + 1)
      this.#cursor = value.last + 1
      return value
    }
    const from = bound(low)
    if (!this.#masks.source.is(this.#cursor, 'AND')) throw new TreeMismatch(this.#cursor)
    this.#cursor++
    const to = bound(high)
    return {
      sql: `(${value.sql} ${name} ${from.sql} AND ${to.sql})`, kind: 'boolean', first: value.first, last: to.last,
    }
  }

  #level(name: string, at: number): number {
    return name === 'ESCAPE' ? PATTERN : this.#known(name, at).level
  }

  #known(name: string, at: number): Operator {
    const { dialect: { operators }, source } = this.#masks
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
    if (operator === undefined) throw refused(`the operator ${name}`, source.place(at))
    return operator
  }
}
