/**
 * FROM: its tables are found by tokens, because the grammars take words such as CROSS for names of tables and know no
 * lists of column names; the grammar sees plain names with plain joins and the conditions between them.
 */

import type { AstNode } from './ast-node.ts'
import { TreeMismatch, type Expressions } from './expression.ts'
import type { Inner, Masks } from './mask.ts'
import { quoteName } from '../../proto/sql-text.ts'
import { refused } from './refusal.ts'
import type { Range } from './source.ts'

interface Joined {
  /** In DuckDB's words; empty: the first table. */
  readonly join: string
  /** As the grammar may call it; undefined: the first table. */
  readonly expected: readonly (string | undefined)[]
  readonly atom: number
  readonly alias: number | null
  /** What comes of the joined table, with its alias. */
  readonly sql: string
  readonly on: Range | null
  /** An ON that is none of the text. */
  readonly after: string
  /** The names of its USING. */
  readonly using: readonly string[]
}

const INNER: readonly string[] = ['INNER JOIN', 'JOIN']

/** Words of a join, in the order in which they are tried: what DuckDB is told, the grammar, and may answer. */
const joins: readonly (readonly [
  words: readonly string[], sql: string, grammar: string, answers: readonly string[]])[] = [
  [['CROSS', 'JOIN'], 'CROSS JOIN', 'INNER JOIN', INNER],
  [['INNER', 'JOIN'], 'JOIN', 'INNER JOIN', INNER],
  [['JOIN'], 'JOIN', 'INNER JOIN', INNER],
  ...(['LEFT', 'RIGHT', 'FULL'] as const).flatMap(side => [
    [[side, 'OUTER', 'JOIN'], `${side} JOIN`, `${side} JOIN`, [`${side} JOIN`]] as const,
    [[side, 'JOIN'], `${side} JOIN`, `${side} JOIN`, [`${side} JOIN`]] as const,
  ]),
]
/** T-SQL's, whose right side sees the left one. */
const applies: readonly (readonly [words: readonly string[], sql: string, after: string])[] = [
  [['CROSS', 'APPLY'], 'CROSS JOIN LATERAL', ''], [['OUTER', 'APPLY'], 'LEFT JOIN LATERAL', ' ON TRUE'],
]
/** No names of tables, unless quoted. */
const endsTable: ReadonlySet<string> = new Set(['ON', 'USING', 'JOIN', 'CROSS', 'INNER', 'LEFT', 'RIGHT', 'FULL',
  'OUTER', 'WITH', 'WHERE', 'APPLY', 'SET', 'USE', 'FORCE', 'IGNORE'])

export class FromClause {
  readonly #masks: Masks
  readonly #inner: Inner
  readonly #tables: readonly Joined[]

  /** Masks what stands in the range; FROM is before it. */
  constructor(masks: Masks, range: Range) {
    this.#masks = masks
    this.#inner = masks.inner
    this.#tables = this.#read(range)
  }

  /**
   * What a star means here, as DuckDB has it. Elsewhere the columns of USING come first; to DuckDB they are where the
   * left table has them. Of several it depends on the dialect, or on the tables, in which order they come.
   */
  star(sql: string, i: number): string {
    const using = this.#tables.flatMap(table => table.using)
    const isOfOne = sql.includes('.')
    if (using.length === 0 || (isOfOne && this.#masks.dialect.name !== 'trino')) return sql
    if (sql !== '*' || using.length > 1 || this.#tables.length > 2) {
      throw refused('this * over a join with USING', this.#masks.source.place(i))
    }
    return `${using.join()}, * EXCLUDE ${list(using)}`
  }

  /** The clause with its FROM, from the grammar's reading of it. */
  emit(nodes: readonly AstNode[], expressions: Expressions): string {
    if (nodes.length !== this.#tables.length) throw new TreeMismatch(this.#tables[0]?.atom ?? 0)
    const pieces = this.#tables.map(({ join, expected, atom, alias, sql, on, after, using }, i) => {
      const node = nodes[i]
      if (node === undefined) throw new TreeMismatch(atom)
      node.ignore('loc').empty('db', 'schema', 'catalog', 'surround', 'operator', 'table_hint', 'temporal_table',
        'prefix', 'type', 'using')
      const found = [node.text('table'), node.text('as'), node.text('join')?.toUpperCase()]
      const condition = node.optional('on')
      node.end()
      const names = [`k${atom}_`, alias === null ? undefined : `k${alias}_`]
      if (found[0] !== names[0] || found[1] !== names[1] || !expected.includes(found[2])) throw new TreeMismatch(atom)
      if ((condition === null) !== (i === 0)) throw new TreeMismatch(atom)
      const said = condition === null || on === null ? '' : ` ON ${expressions.read(condition, on).sql}`
      if (condition !== null && on === null && expressions.name(condition) !== names[0]) throw new TreeMismatch(atom)
      return `${join}${sql}${said}${using.length === 0 ? '' : ` USING ${list(using)}`}${after}`
    })
    return ` FROM ${pieces.join('')}`
  }

  #read({ from, to }: Range): readonly Joined[] {
    const { source } = this.#masks
    const tables: Joined[] = []
    for (let i = from; i < to;) {
      const { sql: join, end, expected, isApply, after: always } = this.#join(i, tables.length === 0)
      const table = this.#table(end, to, isApply || join.endsWith('LATERAL'))
      let at = table.end
      let on: Range | null = null
      let using: readonly string[] = []
      if (join.endsWith('JOIN ') && !join.startsWith(' CROSS') && !isApply) {
        if (source.is(at, 'ON')) {
          const close = source.find({ from: at + 1, to }, i => source.is(i, ',') || this.#isJoin(i))
          on = { from: at + 1, to: close }
          if (on.from === on.to) throw source.unexpected(on.from)
          this.#masks.add('ON', at)
          this.#masks.mask(on, 'expressions')
          at = close
        } else if (source.is(at, 'USING', '(')) {
          const close = source.close(at + 1)
          using = this.#names(at + 1)
          at = close + 1
        } else if (join !== ' JOIN ' || this.#masks.dialect.options.joinWithoutOn !== true) {
          throw source.unexpected(at)
        }
      }
      const isFirst = tables.length === 0
      if (on === null && !isFirst) this.#masks.add(`ON k${table.atom}_`, table.atom)
      const isCross = on === null && join === ' JOIN ' && using.length === 0
      tables.push({ ...table, join: isCross ? ' CROSS JOIN ' : join, expected, on, using, after: always })
      i = at
    }
    if (tables.length === 0) throw source.unexpected(to)
    return tables
  }

  #isJoin(i: number): boolean {
    const { source } = this.#masks
    return [...joins, ...applies].some(([words]) => source.is(i, ...words)) || source.is(i, 'NATURAL')
  }

  #join(i: number, isFirst: boolean): {
    sql: string; end: number; expected: readonly (string | undefined)[]; isApply: boolean; after: string
  } {
    const masks = this.#masks
    const { source } = masks
    const none = { isApply: false, after: '' }
    if (isFirst) return { ...none, sql: '', end: i, expected: [undefined] }
    if (source.is(i, ',')) {
      masks.add('INNER JOIN', i)
      return { ...none, sql: ', ', end: i + 1, expected: INNER }
    }
    const apply = masks.dialect.name === 'tsql' ? applies.find(([words]) => source.is(i, ...words)) : undefined
    if (apply !== undefined) {
      masks.add('INNER JOIN', i)
      return { sql: ` ${apply[1]} `, end: i + 2, expected: INNER, isApply: true, after: apply[2] }
    }
    const join = joins.find(([words]) => source.is(i, ...words))
    if (join === undefined) throw source.unexpected(i)
    const [words, sql, grammar, answers] = join
    masks.add(grammar, i)
    return { ...none, sql: ` ${sql} `, end: i + words.length, expected: answers }
  }

  #table(i: number, to: number, isLateral: boolean): Pick<Joined, 'atom' | 'alias' | 'sql'> & { readonly end: number } {
    const { source } = this.#masks
    if (i >= to) throw source.unexpected(i)
    const start = source.is(i, 'LATERAL') ? i + 1 : i
    const lateral = start > i && !isLateral ? 'LATERAL ' : ''
    const { sql, end, kind } = this.#source(start, to, lateral !== '')
    this.#masks.add(`k${start}_`, start)
    const { alias, name, columns, at } = this.#alias(end, to)
    const table = { atom: start, alias, end: at }
    if (kind === 'plain') {
      return { ...table, sql: `${lateral}${sql}${name === null ? '' : ` AS ${name}`}${list(columns)}` }
    }
    // elements of an array are a column of that name, in a table without one
    const ordinal = this.#offset(at, kind)
    const element = name ?? quoteName(`element ${start}`)
    if (ordinal.name === null) {
      return { ...table, end: ordinal.end, sql: `${sql} AS ${quoteName(`_${start}`)}(${element})` }
    }
    const inner = `SELECT e AS ${element}, o - 1 AS ${ordinal.name} FROM ${sql} WITH ORDINALITY AS u(e, o)`
    return { ...table, end: ordinal.end, sql: `LATERAL (${inner}) AS ${quoteName(`_${start}`)}` }
  }

  #source(i: number, to: number, isLateral: boolean): {
    readonly sql: string; readonly end: number; readonly kind: 'plain' | 'elements'
  } {
    const masks = this.#masks
    const { source, dialect } = masks
    if (source.is(i, '(')) {
      if (!source.startsQuery(i + 1)) throw refused('a join in brackets', source.place(i))
      const close = source.close(i)
      return { sql: `(${this.#inner.query({ from: i + 1, to: close })})`, end: close + 1, kind: 'plain' }
    }
    if (isLateral) throw refused('LATERAL here', source.place(i))
    if (!source.isName(i)) throw source.unexpected(i)
    if (source.is(i + 1, '(')) return this.#function(i)
    const parts = [masks.part(i)]
    let end = i + 1
    for (; end < to && source.is(end, '.'); end += 2) {
      if (!source.isName(end + 1)) throw source.unexpected(end + 1)
      parts.push(masks.part(end + 1))
    }
    const token = source.tokens[i]
    if (token?.kind === 'name' && dialect.options.dottedNames === true && parts.length === 1) {
      return { sql: token.value.split('.').map(quoteName).join('.'), end, kind: 'plain' }
    }
    return { sql: parts.join('.'), end, kind: 'plain' }
  }

  /** UNNEST is all that there is of functions here. */
  #function(i: number): { readonly sql: string; readonly end: number; readonly kind: 'plain' | 'elements' } {
    const { source, dialect } = this.#masks
    const close = source.close(i + 1)
    const name = source.word(i)
    if (dialect.functions[name]?.use !== 'table') throw refused(`the table function ${name}`, source.place(i))
    const args = source.split({ from: i + 2, to: close })
    const [only, ...more] = args
    if (only === undefined || more.length > 0) throw refused(`${name} of ${args.length} arrays`, source.place(i))
    const sql = `UNNEST(${this.#inner.expression(only).sql})`
    if (dialect.name === 'bigquery') return { sql, end: close + 1, kind: 'elements' }
    const isOrdinal = source.is(close + 1, 'WITH', 'ORDINALITY')
    return { sql: isOrdinal ? `${sql} WITH ORDINALITY` : sql, end: close + (isOrdinal ? 3 : 1), kind: 'plain' }
  }

  #alias(i: number, to: number): {
    readonly alias: number | null; readonly name: string | null; readonly columns: readonly string[]
    readonly at: number
  } {
    const masks = this.#masks
    const { source } = masks
    let at = i
    if (source.is(at, 'AS')) {
      masks.add('AS', at)
      at++
      if (at >= to || !source.isName(at)) throw source.unexpected(at)
    }
    if (at >= to || !source.isName(at) || endsTable.has(source.word(at)) || source.isClause(at)) {
      return { alias: null, name: null, columns: [], at: this.#hint(at) }
    }
    const alias = at
    masks.add(`k${at}_`, at)
    const columns = source.is(at + 1, '(') ? this.#names(at + 1) : []
    const end = columns.length > 0 ? source.close(at + 1) + 1 : at + 1
    return { alias, name: masks.part(at), columns, at: this.#hint(end) }
  }

  /** T-SQL's WITH (NOLOCK) says nothing here. */
  #hint(at: number): number {
    const { source, dialect } = this.#masks
    return dialect.name === 'tsql' && source.is(at, 'WITH', '(', 'NOLOCK', ')') ? at + 4 : at
  }

  /** BigQuery's WITH OFFSET. */
  #offset(at: number, kind: 'plain' | 'elements'): { readonly name: string | null; readonly end: number } {
    const { source } = this.#masks
    if (kind === 'plain' || !source.is(at, 'WITH', 'OFFSET')) return { name: null, end: at }
    const nameAt = source.is(at + 2, 'AS') ? at + 3 : at + 2
    if (!source.isName(nameAt) || (nameAt === at + 2 && endsTable.has(source.word(nameAt)))) {
      return { name: quoteName('offset'), end: at + 2 }
    }
    return { name: this.#masks.part(nameAt), end: nameAt + 1 }
  }

  #names(open: number): readonly string[] {
    const { source } = this.#masks
    return source.split({ from: open + 1, to: source.close(open) }).map(({ from, to }) => {
      if (to !== from + 1 || !source.isName(from)) throw source.unexpected(from)
      return this.#masks.part(from)
    })
  }
}

/** In brackets; empty: nothing. */
function list(columns: readonly string[]): string {
  return columns.length === 0 ? '' : `(${columns.join(', ')})`
}
