/**
 * Columns of a table that no `*` means, as DuckDB's readers have them: filename, file_row_number. To DuckDB they are
 * columns like others here, so each star over such a table gets an EXCLUDE of them in the text:
 *
 *   SELECT *, filename FROM t   ▶   SELECT * EXCLUDE (t.filename, t.file_row_number), filename FROM t
 *
 * DuckDB's own parser judges that: but for these, the tree of the new text has to be that of the old one. Where it
 * cannot be said so (PIVOT, a row as a whole, NATURAL JOIN), the statement is refused.
 */

import { meanings, type NameDefaults } from '../catalog/meanings.ts'
import type { TableName } from '../catalog/table.ts'
import { QueryError } from '../proto/errors.ts'
import { quoteName } from '../proto/sql-text.ts'
import { identifier, meaningfulTokens, type SqlToken } from '../proto/sql-tokens.ts'
import { positionOf } from './duckdb-error.ts'
import type { Tree } from './syntax.ts'

/** What readers make beside the columns of their files. */
export const HIDDEN_COLUMNS: readonly string[] = ['filename', 'file_row_number']

/** True if the text may mean such a column. */
export function mentionsHidden(sql: string): boolean {
  if (!HIDDEN_COLUMNS.some(name => sql.toLowerCase().includes(name))) return false
  return meaningfulTokens(sql).some(token => HIDDEN_COLUMNS.includes(identifier(token)?.toLowerCase() ?? ''))
}

export interface HidingTable {
  readonly name: TableName
  readonly columns: readonly { readonly name: string }[]
  readonly hidden: readonly string[]
}

export interface HidingRequest {
  readonly sql: string
  readonly tables: readonly HidingTable[]
  readonly defaults: NameDefaults
}

/** What was added to a text, at places of the old one; ascending. */
export interface Added { readonly at: number; readonly text: string }

export type ParseTrees = (sql: string) => Promise<readonly unknown[]>

/** UNSUPPORTED_STATEMENT if a star over one of `tables` cannot be told which columns it does not mean. */
export async function hideColumns(request: HidingRequest, parse: ParseTrees): Promise<readonly Added[]> {
  const { sql } = request
  const trees = await parse(sql)
  const walk = new Walk(request)
  for (const tree of trees) walk.visit(tree, new Set())
  const added = walk.added.toSorted((a, b) => a.at - b.at)
  if (added.length === 0) return added
  const ours = walk.excluded
  const isSame = await parse(withAdded(sql, added))
    .then(other => shape(other, ours) === shape(trees, ours), () => false)
  return isSame ? added : refuse('this statement')
}

export function withAdded(sql: string, added: readonly Added[]): string {
  return added.toReversed().reduce((text, { at, text: more }) => text.slice(0, at) + more + text.slice(at), sql)
}

/** Of an error about the new text: its place in the old one; the excerpt that DuckDB shows is of the new one. */
export function withoutAdded(error: unknown, added: readonly Added[]): unknown {
  if (!(error instanceof QueryError) || added.length === 0) return error
  const message = error.message.replace(/\n\nLINE \d+: [^\n]*\n *\^[^\n]*/, '')
  const { position, cause } = error
  if (position === undefined) return new QueryError(error.code, message, { cause })
  let before = 0
  for (const { at, text } of added) {
    if (at + before > position) break
    before += Math.min(text.length, position - at - before)
  }
  return new QueryError(error.code, message, { position: position - before, cause })
}

function refuse(what: string): never {
  throw new QueryError('UNSUPPORTED_STATEMENT',
    `${what} cannot be combined with the columns ${HIDDEN_COLUMNS.join(' and ')} of files; name the columns`)
}

/** A table in a FROM, under the name that it has there. */
interface Hiding { readonly alias: string; readonly table: HidingTable }

class Walk {
  readonly added: Added[] = []
  /** Names that the new text excludes, in small letters. */
  readonly excluded = new Set<string>()
  readonly #request: HidingRequest
  readonly #tokens: readonly SqlToken[]

  constructor(request: HidingRequest) {
    this.#request = request
    this.#tokens = meaningfulTokens(request.sql)
  }

  /** `common`: the CTEs in scope, in small letters. */
  visit(node: unknown, common: ReadonlySet<string>): void {
    if (Array.isArray(node)) for (const item of node) this.visit(item, common)
    if (!isTree(node)) return
    const scope = new Set(common)
    if (node['type'] === 'RECURSIVE_CTE_NODE') scope.add(textOf(node['cte_name']).toLowerCase())
    const map = isTree(node['cte_map']) ? list(node['cte_map']['map']) : []
    for (const entry of map) {
      if (!isTree(entry)) continue
      this.visit(entry['value'], scope)
      scope.add(textOf(entry['key']).toLowerCase())
    }
    if (node['type'] === 'SELECT_NODE') this.#select(node, scope)
    if (node['type'] === 'PIVOT' && this.#hidingIn(node['source'], scope).length > 0) refuse('PIVOT')
    if (node['type'] === 'SHOW_REF' && this.#hidingIn(fromOf(node['query']), scope).length > 0) refuse('DESCRIBE')
    for (const [key, child] of Object.entries(node)) if (key !== 'cte_map') this.visit(child, scope)
  }

  #select(select: Tree, scope: ReadonlySet<string>): void {
    const from = select['from_table']
    const hiding = this.#hidingIn(from, scope)
    if (hiding.length === 0) return
    if (hasNatural(from)) refuse('NATURAL JOIN')
    const stars: Tree[] = []
    const { from_table: _, cte_map: __, ...own } = select
    this.#collect(Object.values(own), hiding, stars)
    for (const star of stars) this.#exclude(star, hiding, from)
  }

  /** Stars of the select itself. A name that stands for a row is one in nested selects too. */
  #collect(node: unknown, hiding: readonly Hiding[], stars: Tree[], isNested = false): void {
    if (Array.isArray(node)) for (const item of node) this.#collect(item, hiding, stars, isNested)
    if (!isTree(node)) return
    if (node['class'] === 'STAR' && !isNested) stars.push(node)
    if (node['class'] === 'COLUMN_REF') checkRow(list(node['column_names']), hiding)
    const below = isNested || node['type'] === 'SELECT_NODE'
    for (const child of Object.values(node)) this.#collect(child, hiding, stars, below)
  }

  #exclude(star: Tree, hiding: readonly Hiding[], from: unknown): void {
    const relation = textOf(star['relation_name']).toLowerCase()
    const meant = relation === '' ? hiding : hiding.filter(({ alias }) => alias.toLowerCase() === relation)
    if (meant.length === 0) return
    const columns = meant.flatMap(({ alias, table }) => table.hidden.map(name => {
      this.excluded.add(name.toLowerCase())
      return `${quoteName(alias)}.${quoteName(name)}`
    })).join(', ')
    const at = this.#at(offsetOf(star))
    if (this.#tokens[at]?.text.toUpperCase() === 'ALL') return // ORDER BY ALL: of what is selected
    const end = at === -1 ? -1 : starBehind(this.#tokens, at)
    if (star['expr'] !== undefined || (end === -1 && star['columns'] === true)) refuse('COLUMNS of a condition')
    if (end === -1) {
      this.added.push({ at: this.#fromBefore(from), text: `SELECT * EXCLUDE (${columns}) ` })
      return
    }
    const [word, open] = [this.#tokens[end + 1], this.#tokens[end + 2]]
    if (word?.text.toUpperCase() !== 'EXCLUDE') {
      this.added.push({ at: this.#tokens[end]?.end ?? 0, text: ` EXCLUDE (${columns})` })
    } else if (open?.text === '(') {
      this.added.push({ at: open.end, text: `${columns}, ` })
    } else refuse('EXCLUDE without parentheses')
  }

  /** Where the FROM begins before which there is no SELECT. */
  #fromBefore(from: unknown): number {
    let at = this.#at(offsetOf(leftmost(from))) - 1
    while (this.#tokens[at]?.text === '(') at--
    const token = this.#tokens[at]
    return token?.text.toUpperCase() === 'FROM' ? token.start : refuse('this statement')
  }

  #at(offset: number | null): number {
    const start = positionOf(offset, this.#request.sql)
    return start === undefined ? -1 : this.#tokens.findIndex(token => token.start === start)
  }

  /** What a star over this FROM sees. */
  #hidingIn(from: unknown, scope: ReadonlySet<string>): readonly Hiding[] {
    if (!isTree(from)) return []
    if (from['type'] === 'JOIN') {
      const right = /^(SEMI|ANTI)$/.test(textOf(from['join_type'])) ? [] : this.#hidingIn(from['right'], scope)
      return [...this.#hidingIn(from['left'], scope), ...right]
    }
    if (from['type'] !== 'BASE_TABLE') return []
    const [catalog, schema, name] = ['catalog_name', 'schema_name', 'table_name'].map(key => textOf(from[key]))
    if (name === undefined || (schema === '' && scope.has(name.toLowerCase()))) return []
    const path = [catalog, schema, name].filter(part => part !== undefined && part !== '') as string[]
    const wanted = new Set(meanings(path, this.#request.defaults).map(keyOf))
    const table = this.#request.tables.find(one => one.hidden.length > 0 && wanted.has(keyOf(one.name)))
    if (table === undefined) return []
    const alias = textOf(from['alias']) || name
    const before = table.columns.findIndex(column => table.hidden.includes(column.name))
    if (list(from['column_name_alias']).length > before) refuse('names for all columns of a table')
    return [{ alias, table }]
  }
}

/** A name alone that no column has stands for the row. */
function checkRow(names: readonly unknown[], hiding: readonly Hiding[]): void {
  if (names.length !== 1) return
  const name = textOf(names[0]).toLowerCase()
  const isRow = hiding.some(({ alias }) => alias.toLowerCase() === name)
  const isColumn = hiding.some(({ table }) => table.columns.some(column => column.name.toLowerCase() === name))
  if (isRow && !isColumn) refuse('a row as a whole')
}

/** The token `*` of a star that begins at `at`: `*`, `t.*`, `COLUMNS(*)`, `COLUMNS(t.*)`; -1: it begins otherwise. */
function starBehind(tokens: readonly SqlToken[], at: number): number {
  const isColumns = tokens[at]?.text.toUpperCase() === 'COLUMNS' && tokens[at + 1]?.text === '('
  let position = isColumns ? at + 2 : at
  while (tokens[position + 1]?.text === '.') position += 2
  return tokens[position]?.text === '*' ? position : -1
}

function leftmost(from: unknown): Tree {
  let node: unknown = from
  while (isTree(node) && node['type'] === 'JOIN') node = node['left']
  return isTree(node) ? node : {}
}

function hasNatural(from: unknown): boolean {
  if (!isTree(from) || from['type'] !== 'JOIN') return false
  return from['ref_type'] === 'NATURAL' || hasNatural(from['left']) || hasNatural(from['right'])
}

function fromOf(query: unknown): unknown {
  return isTree(query) ? query['from_table'] : undefined
}

/** Equal if two trees differ in nothing but places and what is excluded. */
function shape(trees: readonly unknown[], excluded: ReadonlySet<string>): string {
  return JSON.stringify(trees, (key, value: unknown) => {
    if (key === 'query_location') return undefined
    if (!isTree(value) || value['class'] !== 'STAR') return value
    const { exclude_list: names = [], qualified_exclude_list: qualified = [], ...star } = value
    const isOther = (name: unknown): boolean => !excluded.has(textOf(name).toLowerCase())
    return {
      ...star, names: list(names).filter(isOther),
      qualified: list(qualified).filter(one => isTree(one) && isOther(one['column'])),
    }
  })
}

function keyOf({ catalog, schema, table }: TableName): string {
  return [catalog, schema, table].join('\n').toLowerCase()
}

function offsetOf(node: Tree): number | null {
  const at = node['query_location']
  return typeof at === 'number' && Number.isSafeInteger(at) ? at : null
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value as unknown[] : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
