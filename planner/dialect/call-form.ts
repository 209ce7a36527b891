/**
 * Calls, and what is written like one, taken apart by tokens: arguments, DISTINCT, the order inside or WITHIN GROUP,
 * FILTER, OVER, the type of a CAST. The expressions in it are ranges of tokens, for the grammar to read.
 */

import type { CastType, Dialect } from './dialect.ts'
import { escapeText } from './literal.ts'
import type { Inner } from './mask.ts'
import { refused } from './refusal.ts'
import type { Range, Source } from './source.ts'
import { readType } from './type.ts'

export interface OrderTerm {
  readonly expression: Range
  readonly descending: boolean
  readonly nulls: 'FIRST' | 'LAST' | null
}

export interface WindowForm {
  readonly partition: readonly Range[]
  readonly order: readonly OrderTerm[]
  /** As DuckDB writes it; null: none is given. */
  readonly frame: string | null
}

export interface CallForm {
  readonly kind: 'call' | 'group' | 'array' | 'subscript' | 'list' | 'unnest' | 'interval'
  /** In upper case; of an interval its unit. */
  readonly name: string
  readonly first: number
  readonly last: number
  readonly args: readonly Range[]
  /** Names that arguments are given; of a STRUCT. */
  readonly argNames: readonly (string | null)[]
  readonly distinct: boolean
  readonly order: readonly OrderTerm[]
  readonly separator: string | null
  readonly filter: Range | null
  readonly ignoresNulls: boolean
  readonly window: WindowForm | null
  readonly type: CastType | null
  /** `count(*)` */
  readonly hasStar: boolean
  /** All expressions: arguments, order, filter, partition, order of the window. */
  readonly inline: readonly Range[]
}

const nothing = {
  argNames: [], distinct: false, order: [], separator: null, filter: null, ignoresNulls: false, window: null,
  type: null, hasStar: false,
}
/** Their last argument is AS and a type. */
const casts: ReadonlySet<string> = new Set(['CAST', 'TRY_CAST', 'SAFE_CAST'])
const units: ReadonlySet<string> = new Set([
  'MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR',
])

export class CallReader {
  readonly #source: Source
  readonly #dialect: Dialect
  readonly #inner: Inner

  constructor(source: Source, dialect: Dialect, inner: Inner) {
    this.#source = source
    this.#dialect = dialect
    this.#inner = inner
  }

  /** `( … )` or `[ … ]` with expressions between commas. */
  brackets(open: number, close: number, kind: CallForm['kind']): CallForm {
    const args = this.#source.split({ from: open + 1, to: close })
    return { ...nothing, kind, name: kind, first: open, last: close, args, inline: args }
  }

  /** `UNNEST(array)` after IN. */
  unnest(i: number): CallForm {
    return { ...this.brackets(i + 1, this.#source.close(i + 1), 'unnest'), first: i }
  }

  /** INTERVAL and one value, and its unit, which a text may hold. */
  interval(i: number): CallForm {
    const source = this.#source
    const value = i + 1
    const isSigned = source.is(value, '-') || source.is(value, '+')
    const at = isSigned ? value + 1 : value
    const token = source.tokens[at]
    const end = source.is(at, '(') ? source.close(at) + 1 : at + 1
    if (token === undefined || (token.kind === 'symbol' && token.word !== '(')) throw source.unexpected(at)
    const form = { ...nothing, kind: 'interval' as const, first: i }
    const word = unitOf(source.word(end))
    if (word !== null) {
      if (source.is(end + 1, 'TO') || source.is(end + 1, '('))
        throw refused('an interval of two units', source.place(i))
      const args = [{ from: value, to: end }]
      return { ...form, name: word, last: end, args, inline: args }
    }
    const [, count, unit = ''] = token.kind === 'text' ? /^\s*([+-]?\d+)\s+([a-z]+)\s*$/i.exec(token.value) ?? [] : []
    const named = unitOf(unit.toUpperCase())
    if (count === undefined || named === null || isSigned)
      throw refused('an interval without its unit', source.place(i))
    const args = [{ from: value, to: end }]
    return { ...form, name: named, last: end - 1, args, inline: args }
  }

  call(i: number): CallForm {
    const source = this.#source
    const name = source.word(i)
    const open = i + 1
    const close = source.close(open)
    let inside: Range = { from: open + 1, to: close }
    let type: CastType | null = null
    if (casts.has(name)) {
      const as = source.findWord(inside, 'AS')
      if (as === close) throw source.unexpected(close)
      type = this.#type(as + 1, close)
      inside = { from: inside.from, to: as }
    }
    if (name === 'CONVERT' || name === 'TRY_CONVERT') {
      const [first, second, ...more] = source.split(inside)
      if (first === undefined || second === undefined) throw source.unexpected(close)
      const isTypeFirst = this.#dialect.name === 'tsql'
      if (!isTypeFirst && more.length > 0) throw source.unexpected(second.to)
      type = isTypeFirst ? this.#type(first.from, first.to) : this.#type(second.from, second.to)
      inside = isTypeFirst ? { from: second.from, to: close } : first
    }
    const distinct = source.is(inside.from, 'DISTINCT')
    if (distinct) inside = { ...inside, from: inside.from + 1 }
    const { rest, separator, ignoresNulls, order } = this.#tail(inside)
    const args = this.#arguments(name, rest)
    const hasStar = source.is(rest.from, '*') && rest.to === rest.from + 1
    const after = this.#after(close + 1)
    if (order.length > 0 && after.order.length > 0) throw source.unexpected(close + 1)
    const orders = [...order, ...after.order]
    const { filter, window, end } = after
    return {
      kind: 'call', name, first: i, last: end - 1, args: hasStar ? [] : args.map(({ range }) => range), hasStar,
      argNames: args.map(argument => argument.name), distinct, order: orders, separator, filter,
      ignoresNulls: ignoresNulls || after.ignoresNulls, window, type,
      inline: [
        ...hasStar ? [] : args.map(({ range }) => range), ...orders.map(({ expression }) => expression),
        ...filter === null ? [] : [filter], ...window?.partition ?? [],
        ...(window?.order ?? []).map(({ expression }) => expression),
      ],
    }
  }

  /** ORDER BY's terms. */
  order(range: Range): readonly OrderTerm[] {
    const source = this.#source
    return source.split(range).map(({ from, to }) => {
      let end = to
      let nulls: OrderTerm['nulls'] = null
      const last = source.word(end - 1)
      if (source.is(end - 2, 'NULLS') && (last === 'FIRST' || last === 'LAST')) {
        nulls = last
        end -= 2
      }
      const descending = source.is(end - 1, 'DESC')
      if (descending || source.is(end - 1, 'ASC')) end--
      if (end <= from) throw source.unexpected(from)
      return { expression: { from, to: end }, descending, nulls }
    })
  }

  /** `( … )` of OVER or of the WINDOW clause. */
  window(open: number, close: number): WindowForm {
    const source = this.#source
    let at = open + 1
    const isFrame = (i: number): boolean => ['ROWS', 'RANGE', 'GROUPS'].includes(source.word(i))
    if (source.isName(at) && !source.is(at, 'PARTITION', 'BY') && !source.is(at, 'ORDER', 'BY') && !isFrame(at)) {
      throw refused('a window made of another one', source.place(at))
    }
    // after a value: a column may be called so
    const isAfterValue = (i: number): boolean => i === at || (!source.is(i - 1, 'BY')
      && (source.tokens[i - 1]?.kind !== 'symbol' || [')', ']'].includes(source.word(i - 1))))
    const frameAt = source.find({ from: at, to: close }, i => isFrame(i) && isAfterValue(i))
    const orderAt = source.findWord({ from: at, to: frameAt }, 'ORDER', 'BY')
    let partition: readonly Range[] = []
    if (source.is(at, 'PARTITION', 'BY')) {
      partition = source.split({ from: at + 2, to: orderAt })
      at = orderAt
    }
    if (at !== orderAt) throw source.unexpected(at)
    const order = orderAt === frameAt ? [] : this.order({ from: orderAt + 2, to: frameAt })
    return { partition, order, frame: frameAt === close ? null : this.#frame({ from: frameAt, to: close }) }
  }

  #type(from: number, to: number): CastType {
    const { type, to: end } = readType(this.#source, from, to, this.#dialect)
    if (end !== to) throw this.#source.unexpected(end)
    return type
  }

  /** What stands behind the arguments inside the brackets. */
  #tail(inside: Range): {
    rest: Range; separator: string | null; ignoresNulls: boolean; order: readonly OrderTerm[]
  } {
    const source = this.#source
    let { to } = inside
    let separator: string | null = null
    if (source.is(to - 2, 'SEPARATOR')) {
      const text = source.tokens[to - 1]
      if (text?.kind !== 'text') throw source.unexpected(to - 1)
      separator = escapeText(text.value, text.start)
      to -= 2
    }
    const limit = source.findWord({ ...inside, to }, 'LIMIT')
    if (limit < to) throw refused('LIMIT in an aggregate', source.place(limit))
    let order: readonly OrderTerm[] = []
    const by = source.findWord({ ...inside, to }, 'ORDER', 'BY')
    if (by < to) {
      order = this.order({ from: by + 2, to })
      to = by
    }
    const ignoresNulls = source.is(to - 2, 'IGNORE', 'NULLS')
    if (ignoresNulls || source.is(to - 2, 'RESPECT', 'NULLS')) to -= 2
    return { rest: { from: inside.from, to }, separator, ignoresNulls, order }
  }

  #arguments(name: string, rest: Range): readonly { readonly name: string | null; readonly range: Range }[] {
    const source = this.#source
    const pieces = ((): readonly Range[] => {
      switch (name) {
        case 'EXTRACT': return this.#between(rest, 'FROM')
        case 'POSITION': return this.#between(rest, 'IN')
        case 'SUBSTRING': {
          const [first, second] = this.#between(rest, 'FROM')
          if (source.findWord(rest, 'FROM') === rest.to || first === undefined || second === undefined) {
            return source.split(rest)
          }
          return [first, ...this.#between(second, 'FOR')]
        }
        case 'TRIM':
          if (source.findWord(rest, 'FROM') < rest.to) throw refused('TRIM with FROM', source.place(rest.from))
          return source.split(rest)
        default: return source.split(rest)
      }
    })()
    return pieces.map(({ from, to }) => {
      const isNamed = name === 'STRUCT' && source.is(to - 2, 'AS') && source.isName(to - 1)
      return isNamed ? { name: source.tokens[to - 1]?.value ?? '', range: { from, to: to - 2 } }
        : { name: null, range: { from, to } }
    })
  }

  #between(range: Range, word: string): readonly Range[] {
    const at = this.#source.findWord(range, word)
    if (at === range.to) return this.#source.split(range)
    return [{ from: range.from, to: at }, { from: at + 1, to: range.to }]
  }

  /** What stands behind the brackets. */
  #after(from: number): {
    order: readonly OrderTerm[]; filter: Range | null; ignoresNulls: boolean; window: WindowForm | null; end: number
  } {
    const source = this.#source
    let at = from
    let order: readonly OrderTerm[] = []
    let filter: Range | null = null
    let window: WindowForm | null = null
    let ignoresNulls = false
    if (source.is(at, 'WITHIN', 'GROUP', '(', 'ORDER', 'BY')) {
      const close = source.close(at + 2)
      order = this.order({ from: at + 5, to: close })
      at = close + 1
    }
    if (source.is(at, 'FILTER', '(', 'WHERE')) {
      const close = source.close(at + 1)
      filter = { from: at + 3, to: close }
      at = close + 1
    }
    if (source.is(at, 'IGNORE', 'NULLS') || source.is(at, 'RESPECT', 'NULLS')) {
      ignoresNulls = source.is(at, 'IGNORE')
      at += 2
    }
    if (source.is(at, 'OVER')) {
      if (source.is(at + 1, '(')) {
        const close = source.close(at + 1)
        window = this.window(at + 1, close)
        at = close + 1
      } else {
        const name = source.tokens[at + 1]?.value.toUpperCase() ?? ''
        if (!source.isName(at + 1)) throw source.unexpected(at + 1)
        window = this.#inner.windows.get(name) ?? null
        if (window === null) throw refused(`a window ${name} that is not in the WINDOW clause`, source.place(at + 1))
        at += 2
      }
    }
    return { order, filter, ignoresNulls, window, end: at }
  }

  #frame({ from, to }: Range): string {
    const source = this.#source
    const unit = source.word(from)
    const bound = (at: number): { readonly sql: string; readonly end: number } => {
      if (source.is(at, 'CURRENT', 'ROW')) return { sql: 'CURRENT ROW', end: at + 2 }
      const direction = source.word(at + 1)
      const token = source.tokens[at]
      const isCount = token?.kind === 'number' && /^\d+$/.test(token.value)
      if ((direction === 'PRECEDING' || direction === 'FOLLOWING') && (isCount || source.is(at, 'UNBOUNDED'))) {
        return { sql: `${isCount ? token.value : 'UNBOUNDED'} ${direction}`, end: at + 2 }
      }
      throw refused('this bound of a window', source.place(at))
    }
    if (!source.is(from + 1, 'BETWEEN')) {
      const { sql, end } = bound(from + 1)
      if (end !== to) throw source.unexpected(end)
      return `${unit} ${sql}`
    }
    const low = bound(from + 2)
    source.expect(low.end, 'AND')
    const high = bound(low.end + 1)
    if (high.end !== to) throw source.unexpected(high.end)
    return `${unit} BETWEEN ${low.sql} AND ${high.sql}`
  }
}

/** DAY of DAY and DAYS. */
export function unitOf(word: string): string | null {
  if (units.has(word)) return word
  const singular = word.endsWith('S') ? word.slice(0, -1) : ''
  return units.has(singular) ? singular : null
}
