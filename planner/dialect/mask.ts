/**
 * A SELECT as node-sql-parser is given it. Its grammars read strings, quoted names, brackets and dozens of special
 * forms differently from the dialects they stand for, and lose numbers' digits; so none of these is left to them. Each
 * value, name and type becomes a plain name (`k12_`, 12 the number of its token), each bracket, call and special form a
 * plain call (`f12_(…)`), each operator beyond the most common ones a `+` of which we know what it was. What is left to
 * the grammar is how expressions, aliases, tables and clauses follow each other.
 *
 * All of this is undone in expression.ts, where each token must be accounted for, in its order.
 */

import { CallReader, type CallForm, type WindowForm } from './call-form.ts'
import type { Dialect, Value } from './dialect.ts'
import { escapeText } from './literal.ts'
import { quoteName } from '../../proto/sql-text.ts'
import { refused, syntaxError } from './refusal.ts'
import type { Range, Source } from './source.ts'
import { readType } from './type.ts'

/** What the masks need of the rest of the translation. */
export interface Inner {
  /** SQL of a whole query. */
  query(range: Range): string
  /** SQL of an expression that stands alone. */
  expression(range: Range): Value
  /** Of the WINDOW clause, by name in upper case. */
  readonly windows: ReadonlyMap<string, WindowForm>
}

/** `expressions`: with commas between. `columns`: with aliases and stars. */
export type MaskMode = 'expressions' | 'columns'

/** An operator that the grammar does not see. */
export interface HiddenOperator {
  readonly name: string
  /** How many tokens it is. */
  readonly length: number
}

/** Never names unless quoted. */
const reserved: ReadonlySet<string> = new Set(`
  SELECT FROM WHERE GROUP HAVING ORDER BY LIMIT OFFSET FETCH UNION INTERSECT EXCEPT MINUS QUALIFY WINDOW ON USING JOIN
  INNER CROSS FULL OUTER NATURAL AS CASE WHEN THEN ELSE END AND OR NOT IN IS LIKE ILIKE RLIKE REGEXP BETWEEN DISTINCT
  NULL TRUE FALSE INTO FOR LATERAL WITH XOR ESCAPE COLLATE OVER TABLESAMPLE PIVOT UNPIVOT ASOF
  STRAIGHT_JOIN DIV INTERVAL LEFT RIGHT VALUES SET ASC DESC EXISTS ALL ANY SOME APPLY MATCH_RECOGNIZE
`.split(/\s+/))
/** Before a bracket they are no calls. */
const beforeBrackets: ReadonlySet<string> = new Set(`AND OR NOT IN LIKE BETWEEN WHEN THEN ELSE CASE FROM WHERE HAVING BY
  ON USING SELECT DISTINCT AS JOIN UNION INTERSECT EXCEPT MINUS ESCAPE RLIKE REGEXP ILIKE IS XOR EXISTS ANY ALL SOME
  VALUES INTERVAL`.split(/\s+/))
const plainWords: ReadonlySet<string> = new Set(['CASE', 'WHEN', 'THEN', 'ELSE', 'END', 'AND', 'OR', 'BETWEEN'])
const plainSymbols: ReadonlySet<string> = new Set(['+', '-', '*', '/', '=', '<>', '!=', '<', '>', '<=', '>='])
const hiddenWords: ReadonlySet<string> = new Set(['LIKE', 'ILIKE', 'RLIKE', 'REGEXP', 'DIV', 'MOD', 'XOR', 'ESCAPE'])
const hiddenSymbols: ReadonlySet<string> = new Set(['%', '||', '&&', '<=>', '&', '|', '^', '<<', '>>'])
const typedLiterals: ReadonlySet<string> = new Set(['DATE', 'TIME', 'TIMESTAMP', 'DATETIME'])

/** The masks of one text for the grammar. */
export class Masks {
  readonly source: Source
  readonly dialect: Dialect
  readonly inner: Inner
  readonly atoms = new Map<string, Value>()
  readonly calls = new Map<string, CallForm>()
  /** By the first token after the left operand. */
  readonly operators = new Map<number, HiddenOperator>()
  readonly #pieces: string[] = []
  /** Where each piece begins in the masked text, and the token it stands for. */
  readonly #marks: { readonly offset: number; readonly token: number }[] = []
  #length = 0

  constructor(source: Source, dialect: Dialect, inner: Inner) {
    this.source = source
    this.dialect = dialect
    this.inner = inner
  }

  get text(): string {
    return this.#pieces.join('')
  }

  /** The token that the masked text has at `offset`. */
  tokenAt(offset: number): number {
    return this.#marks.findLast(mark => mark.offset <= offset)?.token ?? 0
  }

  add(piece: string, token: number): void {
    this.#marks.push({ offset: this.#length, token })
    this.#pieces.push(piece, ' ')
    this.#length += piece.length + 1
  }

  atom(value: Omit<Value, 'last'> & { readonly last?: number }): number {
    const { first, last = first } = value
    const name = `k${first}_`
    this.atoms.set(name, { ...value, last })
    this.add(name, first)
    return last + 1
  }

  hide(at: number, name: string, length: number): void {
    this.operators.set(at, { name, length })
    this.add('+', at)
  }

  mask({ from, to }: Range, mode: MaskMode): void {
    let isAfterValue = false
    for (let i = from; i < to;) {
      const next = this.#one(i, to, isAfterValue, mode)
      isAfterValue = next.isValue
      i = next.at
    }
  }

  /** Expressions as the arguments of a call. */
  call(form: CallForm): number {
    const name = `f${form.first}_`
    this.calls.set(name, form)
    this.add(`${name}(`, form.first)
    form.inline.forEach((range, i) => {
      if (i > 0) this.add(',', range.from)
      this.mask(range, 'expressions')
    })
    this.add(')', form.last)
    return form.last + 1
  }

  #one(i: number, to: number, isAfterValue: boolean, mode: MaskMode): { at: number; isValue: boolean } {
    const { source } = this
    const token = source.tokens[i]
    if (token === undefined) throw source.unexpected(i)
    const value = (at: number): { at: number; isValue: boolean } => ({ at, isValue: true })
    const word = (at: number): { at: number; isValue: boolean } => ({ at, isValue: false })
    const follows = mode === 'columns' && source.is(i, 'AS')
    if (follows) {
      this.add('AS', i)
      return value(this.#alias(i + 1, to))
    }
    if (isAfterValue) {
      const at = this.#operator(i, to)
      if (at !== null) return at
    } else {
      if (token.word === '-' || token.word === '+' || token.word === 'NOT') {
        this.add(token.word, i)
        return word(i + 1)
      }
      if (token.word === '*' && mode === 'columns') return value(this.#star(i, i, '*', to))
    }
    if (token.word === ',' || plainWords.has(token.word)) {
      this.add(token.word, i)
      return { at: i + 1, isValue: token.word === 'END' }
    }
    if (isAfterValue) {
      if (mode === 'columns' && source.isName(i) && !reserved.has(token.word)) return value(this.#alias(i, to))
      throw source.unexpected(i)
    }
    return value(this.#operand(i, to, mode))
  }

  /** What may follow a value; null: no operator stands here. */
  #operator(i: number, to: number): { at: number; isValue: boolean } | null {
    const { source, dialect } = this
    const word = source.word(i)
    const hidden = (name: string, length: number, at = i + length): { at: number; isValue: boolean } => {
      this.hide(i, name, length)
      return { at, isValue: false }
    }
    if (plainSymbols.has(word)) {
      this.add(word, i)
      return { at: i + 1, isValue: false }
    }
    if (hiddenSymbols.has(word) || hiddenWords.has(word)) return hidden(word, 1)
    const isNegated = word === 'NOT'
    const at = isNegated ? i + 1 : i
    const not = isNegated ? 'NOT ' : ''
    switch (source.word(at)) {
      case 'IN': {
        hidden(`${not}IN`, at + 1 - i)
        return { at: this.#list(at + 1), isValue: true }
      }
      case 'LIKE': case 'ILIKE': case 'RLIKE': case 'REGEXP': return hidden(not + source.word(at), 2)
      case 'BETWEEN':
        this.add(`${not}BETWEEN`, i)
        return { at: at + 1, isValue: false }
      default: if (isNegated) throw source.unexpected(at)
    }
    if (word === 'IS') return this.#is(i)
    if (word === '->' && dialect.options.lambdas === true) return hidden('->', 1)
    if (word === '::') {
      const { type, to: end } = readType(source, i + 1, to, dialect)
      hidden('::', 1)
      this.atom({ sql: type.sql, kind: 'type', type, first: i + 1, last: end - 1 })
      return { at: end, isValue: true }
    }
    if (word === ':' && dialect.options.jsonPaths === true) return this.#path(i)
    if (word === '[' && dialect.options.subscripts !== undefined) {
      this.hide(i, '[]', 0)
      const close = source.close(i)
      return { at: this.call(this.#reader().brackets(i, close, 'subscript')), isValue: true }
    }
    if (source.is(i, 'AT', 'TIME', 'ZONE')) return hidden('AT TIME ZONE', 3)
    if (word === 'COLLATE') throw refused('COLLATE', source.place(i))
    return null
  }

  /** IS [NOT] NULL, TRUE, FALSE: all after IS is one value; IS [NOT] DISTINCT FROM is an operator. */
  #is(i: number): { at: number; isValue: boolean } {
    const { source } = this
    const at = source.is(i + 1, 'NOT') ? i + 2 : i + 1
    const not = at === i + 2 ? 'NOT ' : ''
    if (source.is(at, 'DISTINCT', 'FROM')) {
      this.hide(i, `IS ${not}DISTINCT FROM`, at + 2 - i)
      return { at: at + 2, isValue: false }
    }
    const word = source.word(at)
    if (!['NULL', 'TRUE', 'FALSE'].includes(word)) throw refused(`IS ${not}${word}`, source.place(i))
    this.hide(i, 'IS', 1)
    return { at: this.atom({ sql: not + word, kind: 'null', first: i + 1, last: at }), isValue: true }
  }

  /** `:a.b[0].c` */
  #path(i: number): { at: number; isValue: boolean } {
    const { source } = this
    let at = i + 1
    if (!source.isName(at)) throw source.unexpected(at)
    let path = `$.${JSON.stringify(source.tokens[at]?.value)}`
    for (at++; ;) {
      if (source.is(at, '.') && source.isName(at + 1)) {
        path += `.${JSON.stringify(source.tokens[at + 1]?.value)}`
        at += 2
      } else if (source.is(at, '[') && source.tokens[at + 1]?.kind === 'number' && source.is(at + 2, ']')) {
        path += `[${source.tokens[at + 1]?.value}]`
        at += 3
      } else break
    }
    this.hide(i, ':', 1)
    return { at: this.atom({ sql: escapeText(path), kind: 'path', first: i + 1, last: at - 1 }), isValue: true }
  }

  #list(open: number): number {
    const { source } = this
    if (source.is(open, 'UNNEST', '(')) return this.call(this.#reader().unnest(open))
    source.expect(open, '(')
    const close = source.close(open)
    if (!source.startsQuery(open + 1)) return this.call(this.#reader().brackets(open, close, 'list'))
    return this.#query(open, open, '')
  }

  /** A query in brackets, with `before` it. */
  #query(first: number, open: number, before: string): number {
    const last = this.source.close(open)
    const sql = `${before}(${this.inner.query({ from: open + 1, to: last })})`
    return this.atom({ sql, kind: before === 'EXISTS ' ? 'boolean' : before === '' ? 'query' : 'unknown', first, last })
  }

  #operand(i: number, to: number, mode: MaskMode): number {
    const { source, dialect } = this
    const token = source.tokens[i]
    if (token === undefined || i >= to) throw source.unexpected(i)
    switch (token.kind) {
      case 'text':
        if (source.tokens[i + 1]?.kind === 'text') throw refused('a string beside a string', source.place(i + 1))
        return this.atom({ sql: escapeText(token.value, token.start), kind: 'text', text: token.value, first: i })
      case 'number': {
        const kind = /^\d+$/.test(token.value) ? 'integer' : 'fraction'
        return this.atom({ sql: token.value, kind, first: i })
      }
      case 'symbol': return this.#bracket(i)
      case 'name': return this.#name(i, to, mode)
      default: break
    }
    const { word } = token
    const next = source.tokens[i + 1]
    if (word === 'NULL') return this.atom({ sql: 'NULL', kind: 'null', first: i })
    if (word === 'TRUE' || word === 'FALSE') return this.atom({ sql: word, kind: 'boolean', first: i })
    if (word === 'INTERVAL') return this.call(this.#reader().interval(i))
    if (next?.kind === 'text' && typedLiterals.has(word)) {
      const type = readType(source, i, i + 1, dialect).type
      const sql = `CAST(${escapeText(next.value, next.start)} AS ${type.sql})`
      return this.atom({ sql, kind: type.kind, first: i, last: i + 1 })
    }
    if (['EXISTS', 'ANY', 'ALL', 'SOME', 'ARRAY'].includes(word) && next?.word === '(' && source.startsQuery(i + 2)) {
      return this.#query(i, i + 1, word === 'SOME' ? 'ANY ' : `${word} `)
    }
    if (word === 'ARRAY' && next?.word === '[') {
      return this.call({ ...this.#reader().brackets(i + 1, source.close(i + 1), 'array'), first: i })
    }
    if (next?.word === '(' && !beforeBrackets.has(word)) return this.call(this.#reader().call(i))
    if (reserved.has(word)) throw source.unexpected(i)
    const constant = Object.hasOwn(dialect.constants, word) && next?.word !== '.' ? dialect.constants[word] : undefined
    if (constant !== undefined) return this.atom({ ...constant, first: i })
    return this.#name(i, to, mode)
  }

  #bracket(i: number): number {
    const { source, dialect } = this
    switch (source.word(i)) {
      case '(':
        if (source.startsQuery(i + 1)) return this.#query(i, i, '')
        return this.call(this.#reader().brackets(i, source.close(i), 'group'))
      case '[':
        if (dialect.options.subscripts === undefined) throw source.unexpected(i)
        return this.call(this.#reader().brackets(i, source.close(i), 'array'))
      case '@': throw refused('a variable', source.place(i))
      case '?': case '$': case ':': throw refused('a parameter', source.place(i))
      case '!': case '~': throw refused(`the operator ${source.word(i)}`, source.place(i))
      default: throw source.unexpected(i)
    }
  }

  /** `a`, `a.b.c`, `a.*` */
  #name(i: number, to: number, mode: MaskMode): number {
    const { source } = this
    const parts = [this.part(i)]
    let at = i + 1
    for (; source.is(at, '.'); at += 2) {
      if (source.is(at + 1, '*') && mode === 'columns') return this.#star(i, at + 1, `${parts.join('.')}.*`, to)
      if (!source.isName(at + 1)) throw source.unexpected(at + 1)
      parts.push(this.part(at + 1))
    }
    if (source.is(at, '(')) throw refused(`the function ${source.tokens.slice(i, at).map(t => t.value).join('')}`,
      source.place(i))
    const word = at === i + 1 && source.word(i) !== '' ? source.word(i) : undefined
    return this.atom({ sql: parts.join('.'), kind: 'unknown', word, first: i, last: at - 1 })
  }

  /** A name as DuckDB is to read it. */
  part(i: number): string {
    const { value = '' } = this.source.tokens[i] ?? {}
    if (value.includes('\0')) throw refused('a name with a zero character', this.source.place(i))
    return quoteName(value)
  }

  /** `*` and what it leaves out or replaces. */
  #star(first: number, last: number, star: string, to: number): number {
    const { source, inner } = this
    let sql = star
    let end = last
    for (let i = last + 1; i < to && source.is(i + 1, '('); i = end + 1) {
      const word = source.word(i)
      end = source.close(i + 1)
      const inside = { from: i + 2, to: end }
      if (word === 'EXCEPT' || word === 'EXCLUDE') {
        const names = source.split(inside).map(({ from, to }) => to === from + 1 && source.isName(from)
          ? this.part(from) : undefined)
        if (names.includes(undefined)) throw source.unexpected(i + 2)
        sql += ` EXCLUDE (${names.join(', ')})`
      } else if (word === 'REPLACE') {
        const items = source.split(inside).map(({ from, to }) => {
          if (!source.is(to - 2, 'AS') || !source.isName(to - 1)) throw source.unexpected(to - 1)
          return `${inner.expression({ from, to: to - 2 }).sql} AS ${this.part(to - 1)}`
        })
        sql += ` REPLACE (${items.join(', ')})`
      } else throw refused(`${word} after *`, source.place(i))
    }
    return this.atom({ sql, kind: 'unknown', word: '*', first, last: end })
  }

  #alias(i: number, to: number): number {
    const { source, dialect } = this
    const token = source.tokens[i]
    const isText = token?.kind === 'text' && dialect.options.textAliases === true
    if (i >= to || (!source.isName(i) && !isText)) throw source.unexpected(i)
    if (source.is(i + 1, '(')) throw syntaxError('a column has no list of names', source.place(i + 1))
    return this.atom({ sql: this.part(i), kind: 'unknown', first: i })
  }

  #reader(): CallReader {
    return new CallReader(this.source, this.dialect, this.inner)
  }
}
