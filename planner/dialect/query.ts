/**
 * Queries: WITH, set operations, order and limit around SELECTs. Their frame is read by tokens, as the grammars take
 * too little of it (INTERSECT in two of five, QUALIFY, subqueries in Trino's); each SELECT goes to the grammar by
 * itself, with the queries in it already translated.
 */

import { orderText } from './call.ts'
import { CallReader, type OrderTerm, type WindowForm } from './call-form.ts'
import type { Dialect, Value } from './dialect.ts'
import { type Inner } from './mask.ts'
import { refused } from './refusal.ts'
import { Select, type Parse } from './select.ts'
import type { Range, Source } from './source.ts'

const setWords: ReadonlySet<string> = new Set(['UNION', 'INTERSECT', 'EXCEPT', 'MINUS'])

/** ORDER BY and LIMIT of a query. */
interface Tail {
  readonly order: readonly OrderTerm[]
  readonly limit: string | null
  readonly offset: string | null
}

export class Queries implements Inner {
  readonly windows: ReadonlyMap<string, WindowForm>
  readonly #source: Source
  readonly #dialect: Dialect
  readonly #parse: Parse

  constructor(
    source: Source, dialect: Dialect, parse: Parse, windows: ReadonlyMap<string, WindowForm> = new Map(),
  ) {
    this.#source = source
    this.#dialect = dialect
    this.#parse = parse
    this.windows = windows
  }

  query(range: Range): string {
    const source = this.#source
    if (range.from >= range.to) throw source.unexpected(range.from)
    const { sql, from } = this.#with(range)
    const operands = this.#operands({ from, to: range.to })
    const [only, ...more] = operands
    if (only === undefined) throw source.unexpected(from)
    if (more.length === 0) return sql + this.#single(only.range)
    const last = operands.at(-1) ?? only
    const tailAt = this.#tailAt(last.range)
    const pieces = operands.map(({ word, range }) => {
      const own = range === last.range ? { from: range.from, to: tailAt } : range
      return `${word}${this.#operand(own)}`
    })
    const tail = this.#tail({ from: tailAt, to: range.to })
    return sql + pieces.join('') + this.#tailText(tail)
  }

  expression(range: Range): Value {
    const [value] = this.expressions([range])
    if (value === undefined) throw this.#source.unexpected(range.from)
    return value
  }

  expressions(ranges: readonly Range[]): readonly Value[] {
    return ranges.length === 0 ? [] : this.#select().expressions(ranges)
  }

  #select(windows = this.windows): Select {
    const inner = windows === this.windows ? this : new Queries(this.#source, this.#dialect, this.#parse, windows)
    return new Select(this.#source, this.#dialect, inner, this.#parse)
  }

  #with({ from, to }: Range): { readonly sql: string; readonly from: number } {
    const source = this.#source
    if (!source.is(from, 'WITH')) return { sql: '', from }
    const isSaid = source.is(from + 1, 'RECURSIVE')
    let isRecursive = isSaid
    let at = isSaid ? from + 2 : from + 1
    const tables: string[] = []
    for (;;) {
      if (!source.isName(at)) throw source.unexpected(at)
      const name = source.tokens[at]?.value ?? ''
      const select = this.#select()
      let sql = select.name(at)
      at++
      if (source.is(at, '(')) {
        const close = source.close(at)
        const names = source.split({ from: at + 1, to: close }).map(({ from, to }) => {
          if (to !== from + 1 || !source.isName(from)) throw source.unexpected(from)
          return select.name(from)
        })
        sql += ` (${names.join(', ')})`
        at = close + 1
      }
      source.expect(at, 'AS')
      source.expect(at + 1, '(')
      const close = source.close(at + 1)
      const mentions = source.tokens.slice(at + 2, close)
        .some(({ kind, value }) => kind !== 'text' && value.toLowerCase() === name.toLowerCase())
      if (mentions && this.#dialect.options.recursiveUnsaid === true) isRecursive = true
      tables.push(`${sql} AS (${this.query({ from: at + 2, to: close })})`)
      at = close + 1
      if (!source.is(at, ',')) break
      at++
    }
    if (at >= to) throw source.unexpected(at)
    return { sql: `WITH ${isRecursive ? 'RECURSIVE ' : ''}${tables.join(', ')} `, from: at }
  }

  /** What stands between the set operations, each with the words before it. */
  #operands({ from, to }: Range): readonly { readonly word: string; readonly range: Range }[] {
    const source = this.#source
    const operands: { word: string; range: Range }[] = []
    let word = ''
    for (let start = from; ;) {
      const end = source.find({ from: start, to }, i => this.#isSetOperation(i))
      if (end === start) throw source.unexpected(end)
      operands.push({ word, range: { from: start, to: end } })
      if (end === to) return operands
      const name = source.word(end) === 'MINUS' ? 'EXCEPT' : source.word(end)
      const said = source.word(end + 1)
      const isSaid = said === 'ALL' || said === 'DISTINCT'
      if (!isSaid && this.#dialect.options.unionSaysWhich === true) throw source.unexpected(end + 1)
      word = ` ${name}${said === 'ALL' ? ' ALL' : ''} `
      start = end + (isSaid ? 2 : 1)
      if (start >= to) throw source.unexpected(start)
    }
  }

  #isSetOperation(i: number): boolean {
    const source = this.#source
    const word = source.word(i)
    if (!setWords.has(word) || (word === 'MINUS' && this.#dialect.options.minus !== true)) return false
    // columns left out of a star
    return word !== 'EXCEPT' || !source.is(i - 1, '*') || !source.is(i + 1, '(') || source.startsQuery(i + 2)
  }

  #isWrapped({ from, to }: Range): boolean {
    return this.#source.is(from, '(') && this.#source.close(from) === to - 1
  }

  #operand(range: Range): string {
    if (this.#isWrapped(range)) return `(${this.query({ from: range.from + 1, to: range.to - 1 })})`
    const { sql, limit } = this.#core(range)
    return limit === null ? sql : `(${sql} LIMIT ${limit})`
  }

  #single(range: Range): string {
    const tailAt = this.#tailAt(range)
    const core = { from: range.from, to: tailAt }
    const tail = this.#tail({ from: tailAt, to: range.to })
    if (this.#isWrapped(core)) return this.#operand(core) + this.#tailText(tail)
    const { sql, limit } = this.#core(core)
    if (limit !== null && tail.limit !== null) throw this.#source.unexpected(tailAt)
    return sql + this.#tailText({ ...tail, limit: limit ?? tail.limit })
  }

  #core(range: Range): { readonly sql: string; readonly limit: string | null } {
    const source = this.#source
    if (source.is(range.from, 'VALUES')) return { sql: this.#values(range), limit: null }
    const windows = this.#windows(range)
    return this.#select(windows.map).emit({ from: range.from, to: windows.at })
  }

  #values({ from, to }: Range): string {
    const source = this.#source
    const rows = source.split({ from: from + 1, to }).map(row => {
      if (!this.#isWrapped(row)) throw source.unexpected(row.from)
      const values = this.expressions(source.split({ from: row.from + 1, to: row.to - 1 }))
      return `(${values.map(({ sql }) => sql).join(', ')})`
    })
    return `VALUES ${rows.join(', ')}`
  }

  /** `WINDOW name AS (…), …` */
  #windows({ from, to }: Range): { readonly map: ReadonlyMap<string, WindowForm>; readonly at: number } {
    const source = this.#source
    const at = source.find({ from, to }, i =>
      source.is(i, 'WINDOW') && source.isName(i + 1) && source.is(i + 2, 'AS', '('))
    if (at === to) return { map: this.windows, at }
    const reader = new CallReader(source, this.#dialect, this)
    const map = new Map<string, WindowForm>()
    for (let i = at + 1; ;) {
      if (!source.isName(i)) throw source.unexpected(i)
      source.expect(i + 1, 'AS')
      source.expect(i + 2, '(')
      const close = source.close(i + 2)
      map.set(source.tokens[i]?.value.toUpperCase() ?? '', reader.window(i + 2, close))
      i = close + 1
      if (i >= to) break
      source.expect(i, ',')
      i++
    }
    return { map, at }
  }

  #tailAt(range: Range): number {
    const source = this.#source
    return source.find(range, i => source.is(i, 'ORDER', 'BY') || source.is(i, 'LIMIT') || source.is(i, 'FETCH')
      || (source.is(i, 'OFFSET') && source.tokens[i + 1]?.kind === 'number'))
  }

  #tail({ from, to }: Range): Tail {
    const source = this.#source
    let at = from
    let order: readonly OrderTerm[] = []
    if (source.is(at, 'ORDER', 'BY')) {
      const end = source.find({ from: at + 2, to }, i => source.is(i, 'LIMIT') || source.is(i, 'OFFSET')
        || source.is(i, 'FETCH'))
      order = new CallReader(source, this.#dialect, this).order({ from: at + 2, to: end })
      at = end
    }
    let limit: string | null = null
    let offset: string | null = null
    while (at < to) {
      if (source.is(at, 'LIMIT') && limit === null) {
        limit = this.#count(at + 1)
        at += 2
        if (source.is(at, ',') && this.#dialect.options.limitWithComma === true) {
          offset = limit
          limit = this.#count(at + 1)
          at += 2
        }
      } else if (source.is(at, 'OFFSET') && offset === null) {
        offset = this.#count(at + 1)
        at += source.is(at + 2, 'ROWS') || source.is(at + 2, 'ROW') ? 3 : 2
      } else if (source.is(at, 'FETCH') && limit === null) {
        limit = this.#count(at + 2)
        const isWhole = ['FIRST', 'NEXT'].includes(source.word(at + 1)) && ['ROW', 'ROWS'].includes(source.word(at + 3))
        if (!isWhole || !source.is(at + 4, 'ONLY')) throw refused('this FETCH', source.place(at))
        at += 5
      } else throw source.unexpected(at)
    }
    return { order, limit, offset }
  }

  #count(i: number): string {
    const token = this.#source.tokens[i]
    if (token?.kind === 'number' && /^\d+$/.test(token.value)) return token.value
    throw refused('a LIMIT or OFFSET that is no number', this.#source.place(i))
  }

  #tailText({ order, limit, offset }: Tail): string {
    const values = this.expressions(order.map(({ expression }) => expression))
    return [
      order.length === 0 ? '' : ` ORDER BY ${orderText(order, values, this.#dialect)}`,
      limit === null ? '' : ` LIMIT ${limit}`, offset === null ? '' : ` OFFSET ${offset}`,
    ].join('')
  }
}
