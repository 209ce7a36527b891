/** One SELECT: what the grammar is given of it, and its tree as DuckDB's SQL. */

import { UnknownTree, type AstNode } from './ast-node.ts'
import type { Dialect, Value } from './dialect.ts'
import { columnName, Expressions, TreeMismatch } from './expression.ts'
import { FromClause } from './from.ts'
import { Masks, type Inner } from './mask.ts'
import { NotParsed } from './parser.ts'
import { refused, syntaxError } from './refusal.ts'
import type { Range, Source } from './source.ts'
import { quoteName } from '../../proto/sql-text.ts'

/** Rejects with NotParsed. */
export type Parse = (sql: string) => AstNode

/** Clauses in their order, and where each begins; `to` of the range: it is not there. */
interface Clauses {
  readonly from: number
  readonly where: number
  readonly group: number
  readonly having: number
  readonly qualify: number
  readonly end: number
}

export class Select {
  readonly #source: Source
  readonly #dialect: Dialect
  readonly #inner: Inner & { expressions(ranges: readonly Range[]): readonly Value[] }
  readonly #parse: Parse

  constructor(
    source: Source, dialect: Dialect, inner: Inner & { expressions(ranges: readonly Range[]): readonly Value[] },
    parse: Parse,
  ) {
    this.#source = source
    this.#dialect = dialect
    this.#inner = inner
    this.#parse = parse
  }

  /** Expressions that stand in no SELECT of their own. */
  expressions(ranges: readonly Range[]): readonly Value[] {
    const masks = this.#masks()
    masks.add('SELECT', ranges[0]?.from ?? 0)
    ranges.forEach((range, i) => {
      if (i > 0) masks.add(',', range.from)
      masks.mask(range, 'expressions')
    })
    return this.#read(masks, tree => {
      const columns = columnsOf(tree)
      endOfSelect(tree)
      if (columns.length !== ranges.length) throw new TreeMismatch(ranges[0]?.from ?? 0)
      const expressions = new Expressions(masks)
      return ranges.map((range, i) => {
        const column = columns[i]
        if (column === undefined) throw new TreeMismatch(range.from)
        const value = expressions.read(column.node('expr'), range)
        column.empty('as').ignore('type').end()
        return value
      })
    })
  }

  name(i: number): string {
    return this.#masks().part(i)
  }

  /** `limit`: TOP's. */
  emit(range: Range): { readonly sql: string; readonly limit: string | null } {
    const source = this.#source
    source.expect(range.from, 'SELECT')
    let at = range.from + 1
    const masks = this.#masks()
    masks.add('SELECT', range.from)
    const isDistinct = source.is(at, 'DISTINCT')
    if (isDistinct || source.is(at, 'ALL')) at++
    if (isDistinct) masks.add('DISTINCT', at - 1)
    const top = this.#top(at)
    const clauses = this.#clauses({ from: top.at, to: range.to })
    const list = { from: top.at, to: clauses.from }
    if (list.from >= list.to) throw source.unexpected(list.from)
    this.#checkAliases(list)
    masks.mask(list, 'columns')
    let from: FromClause | null = null
    if (clauses.from < clauses.where) {
      masks.add('FROM', clauses.from)
      from = new FromClause(masks, { from: clauses.from + 1, to: clauses.where })
    }
    const where = this.#masked(masks, 'WHERE', clauses.where, clauses.group)
    const groups = this.#groups(masks, clauses)
    const having = this.#masked(masks, 'HAVING', clauses.having, clauses.qualify)
    const sql = this.#read(masks, tree => {
      const expressions = new Expressions(masks)
      const word = isDistinct ? 'SELECT DISTINCT ' : 'SELECT '
      if ((distinctOf(tree) !== undefined) !== isDistinct) throw new TreeMismatch(range.from)
      const columns = this.#columns(columnsOf(tree), list, expressions, from)
      const clause = (name: 'where' | 'having', range: Range | null): string => {
        const node = tree.optional(name)
        if ((node === null) !== (range === null)) throw new TreeMismatch(range?.from ?? list.from)
        return node === null || range === null ? '' : ` ${name.toUpperCase()} ${expressions.read(node, range).sql}`
      }
      const tables = from === null ? '' : from.emit(tree.nodes('from'), expressions)
      const sql = word + columns + tables + clause('where', where) + groups(tree, expressions)
        + clause('having', having)
      endOfSelect(tree)
      return sql
    })
    return { sql: sql + this.#qualify(clauses), limit: top.limit }
  }

  #masks(): Masks {
    return new Masks(this.#source, this.#dialect, this.#inner)
  }

  /** TOP n, TOP (n) */
  #top(at: number): { readonly limit: string | null; readonly at: number } {
    const source = this.#source
    if (this.#dialect.options.top !== true || !source.is(at, 'TOP')) return { limit: null, at }
    const isWrapped = source.is(at + 1, '(')
    const count = source.tokens[isWrapped ? at + 2 : at + 1]
    const isCount = count?.kind === 'number' && /^\d+$/.test(count.value)
    const end = isWrapped ? at + 4 : at + 2
    if (!isCount || (isWrapped && !source.is(at + 3, ')')) || source.is(end, 'PERCENT') || source.is(end, 'WITH')) {
      throw refused('this TOP', source.place(at))
    }
    return { limit: count.value, at: end }
  }

  #clauses({ from, to }: Range): Clauses {
    const source = this.#source
    const find = (after: number, end: number, ...words: readonly string[]): number =>
      source.find({ from: after, to: end }, i => source.is(i, ...words)
        // IS [NOT] DISTINCT FROM
        && !(words[0] === 'FROM' && source.is(i - 1, 'DISTINCT')
          && (source.is(i - 2, 'IS') || source.is(i - 2, 'NOT'))))
    const qualify = this.#dialect.options.qualify === true ? find(from, to, 'QUALIFY') : to
    const having = find(from, qualify, 'HAVING')
    const group = find(from, having, 'GROUP', 'BY')
    const where = find(from, group, 'WHERE')
    return { from: find(from, where, 'FROM'), where, group, having, qualify, end: to }
  }

  #masked(masks: Masks, word: string, at: number, to: number): Range | null {
    if (at === to) return null
    const range = { from: at + 1, to }
    if (range.from === to) throw this.#source.unexpected(to)
    masks.add(word, at)
    masks.mask(range, 'expressions')
    return range
  }

  /** In T-SQL `SELECT a = b` names a column and compares nothing. */
  #checkAliases(list: Range): void {
    if (this.#dialect.options.aliasEquals !== true) return
    for (const { from } of this.#source.split(list)) {
      if (this.#source.isName(from) && this.#source.is(from + 1, '=')) {
        throw refused('a column named by =, instead of AS,', this.#source.place(from + 1))
      }
    }
  }

  #columns(nodes: readonly AstNode[], list: Range, expressions: Expressions, from: FromClause | null): string {
    const source = this.#source
    let cursor = list.from
    let unnamed = 0
    const columns = nodes.map((node, i) => {
      if (i > 0) {
        if (!source.is(cursor, ',')) throw new TreeMismatch(cursor)
        cursor++
      }
      const start = cursor
      const value = expressions.readFrom(node.node('expr'), cursor)
      cursor = value.last + 1
      const alias = aliasOf(node)
      node.ignore('type').end()
      if (alias !== undefined) {
        if (source.is(cursor, 'AS')) cursor++
        const name = expressions.atom(alias, cursor)
        cursor = name.last + 1
        return `${value.sql} AS ${name.sql}`
      }
      const isNamed = source.isName(value.last) && value.kind === 'unknown' && isPath(source, start, value.last)
      if (value.word === '*') return from === null ? value.sql : from.star(value.sql, start)
      if (isNamed) return value.sql
      const text = this.#dialect.unnamed?.(i, unnamed) ?? textOf(source, start, value.last)
      unnamed++
      return `${value.sql} AS ${quoteName(text)}`
    })
    if (cursor !== list.to) throw new TreeMismatch(cursor)
    return columns.join(', ')
  }

  /** Masks GROUP BY; the answer reads it. */
  #groups(masks: Masks, clauses: Clauses): (tree: AstNode, expressions: Expressions) => string {
    const source = this.#source
    const { group, having } = clauses
    const none = (tree: AstNode): string => {
      tree.empty('groupby')
      return ''
    }
    if (group === having) return none
    const { options, functions } = this.#dialect
    const to = options.withRollup === true && source.is(having - 2, 'WITH', 'ROLLUP') ? having - 2 : having
    if (source.is(group + 2, 'ALL') && to === group + 3 && options.groupByAll === true) {
      return tree => `${none(tree)} GROUP BY ALL`
    }
    const items = source.split({ from: group + 2, to })
    if (items.length === 0) throw source.unexpected(to)
    /** Of each item its sets, or the one expression that it is. */
    const forms = items.map(({ from, to }): { readonly word: string; readonly sets: readonly Range[] } => {
      const words = source.is(from, 'GROUPING', 'SETS', '(') ? 2 : source.is(from + 1, '(') ? 1 : 0
      const word = words === 2 ? 'GROUPING SETS' : source.word(from)
      const isSets = words > 0 && functions[word]?.use === 'group' && source.close(from + words) === to - 1
      return isSets ? { word, sets: source.split({ from: from + words + 1, to: to - 1 }) }
        : { word: '', sets: [{ from, to }] }
    })
    const ranges = forms.flatMap(({ sets }) => sets)
      .filter(({ from, to }) => !(source.is(from, '(', ')') && to === from + 2))
    if (ranges.length > 0) masks.add('GROUP BY', group)
    ranges.forEach((range, i) => {
      if (i > 0) masks.add(',', range.from)
      masks.mask(range, 'expressions')
    })
    return (tree, expressions) => {
      const list = tree.optional('groupby')
      const nodes = list?.nodes('columns') ?? []
      list?.empty('modifiers').end()
      if (nodes.length !== ranges.length) throw new TreeMismatch(group)
      const read = new Map(ranges.map((range, i) => {
        const node = nodes[i]
        if (node === undefined) throw new TreeMismatch(range.from)
        return [range.from, expressions.read(node, range).sql]
      }))
      const parts = forms.map(({ word, sets }) => {
        const sql = sets.map(({ from }) => read.get(from) ?? '()').join(', ')
        return word === '' ? sql : `${word} (${sql})`
      }).join(', ')
      return ` GROUP BY ${to < having ? `ROLLUP (${parts})` : parts}`
    }
  }

  #qualify({ qualify, end }: Clauses): string {
    if (qualify === end) return ''
    return ` QUALIFY ${this.#inner.expression({ from: qualify + 1, to: end }).sql}`
  }

  /** What the grammar or the reading of its tree cannot do is told at its place. */
  #read<Result>(masks: Masks, use: (tree: AstNode) => Result): Result {
    try {
      return use(this.#parse(masks.text))
    } catch (thrown) {
      if (thrown instanceof NotParsed) {
        const token = masks.tokenAt(thrown.offset ?? 0)
        const place = thrown.offset === undefined ? undefined : this.#source.place(token)
        throw syntaxError('the text is not understood here', place)
      }
      if (thrown instanceof TreeMismatch) throw refused('this', this.#source.place(thrown.token))
      if (thrown instanceof UnknownTree) throw refused(`a form of the grammar (${thrown.message})`)
      throw thrown
    }
  }
}

function columnsOf(tree: AstNode): readonly AstNode[] {
  if (tree.text('type') !== 'select') tree.fail('no SELECT')
  return tree.nodes('columns')
}

/** Of each grammar the fields that must say nothing. */
function endOfSelect(tree: AstNode): void {
  distinctOf(tree)
  tree.empty('where', 'from', 'groupby', 'having')
  tree.ignore('loc').empty('with', 'options', 'into', 'orderby', 'limit', 'locking_read', 'window',
    'collate', 'qualify',
    'top', 'for', 'as_struct_val', 'for_sys_time_as_of', '_orderby', '_limit', '_next', 'set_op', 'parentheses_symbol',
    '_parentheses')
  tree.end()
}

function distinctOf(tree: AstNode): string | undefined {
  if (!tree.has('distinct') || tree.isText('distinct')) return tree.text('distinct')
  const node = tree.node('distinct')
  const type = node.text('type')
  node.empty('columns').end()
  return type
}

function aliasOf(node: AstNode): string | undefined {
  if (!node.has('as') || node.isText('as')) return node.text('as')
  const holder = node.node('as')
  return holder.has('value') ? holder.ignore('type').text('value') : columnName(holder)
}

function isPath(source: Source, first: number, last: number): boolean {
  for (let i = first; i <= last; i++) if ((i - first) % 2 === 0 ? !source.isName(i) : !source.is(i, '.')) return false
  return true
}

function textOf({ tokens }: Source, first: number, last: number): string {
  let text = ''
  let end = tokens[first]?.start ?? 0
  for (const { start, end: next, value, kind } of tokens.slice(first, last + 1)) {
    text += (start > end ? ' ' : '') + (kind === 'text' ? `'${value}'` : value)
    end = next
  }
  return text
}
