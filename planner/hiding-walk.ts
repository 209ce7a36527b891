/**
 * The walk through a syntax tree that finds what means all columns of a table, and writes it without those that are
 * hidden; see hidden-columns. A name alone that no relation has as a column stands for a row, of the nearest relation
 * that is called so.
 */

import { meanings } from '../catalog/meanings.ts'
import type { TableName } from '../catalog/table.ts'
import { QueryError } from '../proto/errors.ts'
import { quoteName, quoteText } from '../proto/sql-text.ts'
import { identifier } from '../proto/sql-tokens.ts'
import { cannotHide, nameApart, type HidingRequest, type HidingTable } from './hidden-columns.ts'
import {
  columnsOfFrom, commonTable, isOneSided, renamed, withCommon, type ColumnNames, type CommonTables, type KnownTables,
} from './relation-columns.ts'
import type { Tree } from './syntax.ts'
import type { Edit } from './text-edits.ts'
import { TextPlaces } from './text-places.ts'
import { isPlaced, isTree, listOf, textOf } from './tree.ts'

/** A table in a FROM, under the name that it has there. */
interface Hiding {
  readonly alias: string
  /** The text gives it that name. */
  readonly isAliased: boolean
  readonly table: HidingTable
  /** That `*` means. */
  readonly columns: readonly string[]
  /** That it does not. */
  readonly hidden: readonly string[]
}

/** What a name alone may mean: of a select, or the parameters of a lambda. The nearest come first. */
interface Scope {
  readonly columns: ColumnNames
  /** Of what may stand for a row, in small letters; null: of no table that hides columns. */
  readonly rows: ReadonlyMap<string, Hiding | null>
  /** Of what is selected, in small letters. */
  readonly aliases: ReadonlySet<string>
}

export class HidingWalk implements KnownTables {
  readonly edits: Edit[] = []
  /** Names that the new text excludes, in small letters. */
  readonly excluded = new Set<string>()
  /** By node: what stands in its place. */
  readonly rewritten = new Map<Tree, { readonly text: string; readonly isRelation: boolean }>()
  /** By node: what it is now, but for what is in it. */
  readonly changed = new Map<Tree, Tree>()
  readonly #request: HidingRequest
  readonly #places: TextPlaces
  /** Of a table inside of a PIVOT: what that means of the hidden columns. */
  readonly #kept = new Map<Tree, readonly string[]>()
  /** Names alone that are what is selected: the result has their name. */
  readonly #selected = new Set<Tree>()

  constructor(request: HidingRequest) {
    this.#request = request
    this.#places = new TextPlaces(request.sql)
  }

  visit(node: unknown, common: CommonTables = new Map(), scopes: readonly Scope[] = []): void {
    if (Array.isArray(node)) for (const item of node) this.visit(item, common, scopes)
    if (!isTree(node)) return
    const inner = withCommon(node, common, this)
    let own = scopes
    switch (node['type']) {
      case 'SELECT_NODE': own = [this.#select(node, inner), ...scopes]; break
      case 'LAMBDA': own = [{ columns: namesIn(node['lhs']), rows: new Map(), aliases: new Set() }, ...scopes]; break
      case 'PIVOT': this.#pivot(node, inner); break
      case 'JOIN': if (node['ref_type'] === 'NATURAL') this.#natural(node, inner); break
      case 'BASE_TABLE': this.#table(node, inner); break
      default: if (node['class'] === 'COLUMN_REF') this.#column(node, scopes)
    }
    for (const child of Object.values(node)) this.visit(child, inner, own)
  }

  columnsOf(table: Tree): readonly string[] | undefined {
    return this.#own(table)?.columns ?? this.#visible(this.#clusterTable(table))
  }

  #select(select: Tree, common: CommonTables): Scope {
    const from = select['from_table']
    const hiding = this.#hidingIn(from, common)
    const columns = columnsOfFrom(from, common, this)
    if (hiding.length > 0) for (const star of starsOf(select)) this.#star(star, hiding, from, columns)
    const rows = new Map<string, Hiding | null>(aliasesIn(from).map(alias => [alias.toLowerCase(), null]))
    for (const one of hiding) rows.set(one.alias.toLowerCase(), one)
    const aliases = new Set<string>()
    for (const item of listOf(select['select_list'])) {
      const alias = isTree(item) ? textOf(item['alias']).toLowerCase() : ''
      if (alias !== '') aliases.add(alias)
      if (isTree(item) && item['class'] === 'COLUMN_REF' && alias === '') this.#selected.add(item)
    }
    return { columns, rows, aliases }
  }

  #star(star: Tree, hiding: readonly Hiding[], from: unknown, visible: ColumnNames): void {
    const relation = textOf(star['relation_name']).toLowerCase()
    const meant = relation === '' ? hiding : hiding.filter(({ alias }) => alias.toLowerCase() === relation)
    const named = changedBy(star)
    const columns = meant.flatMap(({ alias, hidden }) => hidden.flatMap(name => {
      if (named.has(name)) {
        if (!excludes(star, name) || visible === null) throw cannotHide('a star that names one of them')
        if (visible.some(column => column.toLowerCase() === name)) return [] // both go
        throw new QueryError('BIND_ERROR', `Binder Error: Column "${name}" in EXCLUDE list not found in FROM clause`)
      }
      this.excluded.add(name.toLowerCase())
      return [`${quoteName(alias)}.${quoteName(name)}`]
    })).join(', ')
    if (columns === '') return
    const at = this.#places.atStar(star)
    if (this.#places.tokens[at]?.text.toUpperCase() === 'ALL') return // ORDER BY ALL: of what is selected
    if (isTree(star['expr'])) return this.#condition(star, star['expr'], at, columns)
    const end = this.#places.starBehind(at)
    if (end === -1) return this.#withoutSelect(from, columns)
    const [word, open, next] = this.#places.tokens.slice(end + 1)
    if (word?.text.toUpperCase() !== 'EXCLUDE') this.#insert(this.#places.tokens[end]?.end, ` EXCLUDE (${columns})`)
    else if (open?.text === '(') this.#insert(open.end, `${columns}, `)
    else if (open === undefined || next?.text === '.') throw cannotHide('EXCLUDE without parentheses')
    else this.edits.push({ start: open.start, end: open.end, text: `(${columns}, ${open.text})` })
  }

  /** `COLUMNS('regex')`, `COLUMNS(lambda)`; another condition has its star, which is one of its own. */
  #condition(star: Tree, condition: Tree, at: number, columns: string): void {
    const close = this.#places.closing(at + 1)
    const [from, to] = [this.#places.tokens[at + 1], this.#places.tokens[close]]
    if (from?.text !== '(' || to === undefined) throw cannotHide('COLUMNS of a condition')
    const written = this.#request.sql.slice(from.end, to.start)
    const all = `(* EXCLUDE (${columns}))`
    const isLambda = condition['function_name'] === 'list_filter' && listOf(condition['children']).some(child =>
      isTree(child) && child['class'] === 'STAR' && !isPlaced(child))
    if (isLambda) this.#rewrite(star, from.end, to.start, `list_filter(${all}, ${written})`, at)
    else if (condition['class'] === 'CONSTANT' && !textOf(star['alias']).includes('\\')) {
      this.#rewrite(star, from.end, to.start, `list_filter(${all}, lambda c: regexp_matches(c, ${written}))`, at)
    } else if (condition['class'] === 'CONSTANT') throw cannotHide('COLUMNS with names made of a pattern')
  }

  /** A text whose select is not written: FROM t, TABLE t, DESCRIBE t. */
  #withoutSelect(from: unknown, columns: string): void {
    let at = this.#places.at(leftmost(from)) - 1
    while (this.#places.tokens[at]?.text === '(') at--
    const token = this.#places.tokens[at]
    const select = `SELECT * EXCLUDE (${columns})`
    switch (token?.text.toUpperCase()) {
      case 'FROM': return this.#insert(token.start, `${select} `)
      case 'TABLE': this.edits.push({ start: token.start, end: token.end, text: `${select} FROM` }); return
      case 'DESCRIBE': case 'DESC': case 'SUMMARIZE': case 'SHOW': return this.#insert(token.end, ` ${select} FROM`)
      default: throw cannotHide('this statement')
    }
  }

  #column(node: Tree, scopes: readonly Scope[]): void {
    const names = listOf(node['column_names']).map(textOf)
    const [name] = names
    if (names.length === 1 && name !== undefined) this.#row(node, name.toLowerCase(), scopes)
    else if (names.length > 2 && this.#request.apart !== undefined) this.#qualified(node, names, scopes)
  }

  /** `catalog.schema.table.column`: the table that stands there now has no name but this one. */
  #qualified(node: Tree, names: readonly string[], scopes: readonly Scope[]): void {
    const meant = scopes.flatMap(({ rows }) => [...rows.values()]).find(one => one?.isAliased === false
      && meanings(names.slice(0, -1), this.#request.defaults).some(name => keyOf(name) === keyOf(one.table.name)))
    const at = this.#places.at(node)
    const [first, last] = [this.#places.tokens[at], this.#places.tokens[at + 2 * (names.length - 2)]]
    if (meant === undefined || meant === null || first === undefined || last === undefined) return
    this.edits.push({ start: first.start, end: last.start, text: '' })
    this.changed.set(node, { ...node, column_names: names.slice(-2) })
  }

  #row(node: Tree, meant: string, scopes: readonly Scope[]): void {
    for (const [i, { columns, rows, aliases }] of scopes.entries()) {
      if (columns?.some(column => column.toLowerCase() === meant) === true) return
      const row = rows.get(meant)
      if (columns === null && scopes.slice(i).some(one => (one.rows.get(meant) ?? null) !== null)) {
        throw cannotHide('a row as a whole beside columns that are not known')
      }
      if (row === undefined) continue
      if (row === null) return
      // which of them ORDER BY and its like mean is not known before it is bound
      if (aliases.has(meant)) throw cannotHide('a row as a whole beside an alias of its name')
      const fields = row.columns.map(column => `${quoteText(column)}: ${quoteName(row.alias)}.${quoteName(column)}`)
      const at = this.#places.at(node)
      const token = this.#places.tokens[at]
      if (token === undefined || identifier(token)?.toLowerCase() !== meant) throw cannotHide('a row as a whole')
      const alias = this.#selected.has(node) ? ` AS ${token.text}` : ''
      const printed = row.columns.map(column => `${nameIn(column)} := ${nameIn(row.alias)}\\.${nameIn(column)}`)
      return this.#rewrite(node, token.start, token.end, `{${fields.join(', ')}}${alias}`, at,
        `main\\.struct_pack\\(${printed.join(', ')}\\)`)
    }
  }

  #natural(join: Tree, common: CommonTables): void {
    const sides = [join['left'], join['right']]
    if (sides.every(side => this.#hidingIn(side, common, true).length === 0)) return
    const [left, right] = sides.map(side => columnsOfFrom(side, common, this))
    if (left === null || left === undefined || right === null || right === undefined) {
      throw cannotHide('NATURAL JOIN of columns that are not known')
    }
    // as in DuckDB: a column of the left side meets a hidden one of the right side, not the other way round
    const hidden = this.#hidingIn(join['right'], common, true).flatMap(one => one.hidden)
    const others = new Set([...right, ...hidden].map(name => name.toLowerCase()))
    const using = left.filter((name, i) => others.has(name.toLowerCase()) && left.indexOf(name) === i)
    const at = this.#places.at(join)
    const word = this.#places.tokens[at]
    const end = isTree(join['right']) ? this.#places.endOfJoined(join['right'], at) : -1
    if (using.length === 0) {
      throw new QueryError('BIND_ERROR', 'Binder Error: No columns found to join on in NATURAL JOIN.')
    }
    if (word?.text.toUpperCase() !== 'NATURAL') throw cannotHide('NATURAL JOIN')
    this.edits.push({ start: word.start, end: word.end, text: '' })
    this.#insert(this.#places.tokens[end]?.end, ` USING (${using.map(quoteName).join(', ')})`)
    this.changed.set(join, { ...join, ref_type: 'REGULAR', using_columns: using })
  }

  /** What it means of the hidden columns stays; what it does not mean would be a group of its own. */
  #pivot({ source, ...pivot }: Tree, common: CommonTables): void {
    const meant = new Set(namesIn(pivot).map(name => name.toLowerCase()))
    const tables = tablesIn(source)
    const used = (table: HidingTable): string[] => table.hidden.filter(name => meant.has(name.toLowerCase()))
    const isJoin = isTree(source) && source['type'] === 'JOIN'
    for (const node of tables) {
      const table = this.#tableOf(node, common)
      if (table === undefined) continue
      if (isJoin && namesIn(source).some(name => table.hidden.includes(name.toLowerCase()))) {
        throw cannotHide('PIVOT of a join by them')
      }
      this.#kept.set(node, used(table))
    }
  }

  /** A table under another name, or as a subquery. */
  #table(node: Tree, common: CommonTables): void {
    const table = this.#tableOf(node, common)
    const kept = this.#kept.get(node)
    if (table === undefined || (kept === undefined && this.#request.apart === undefined)) return
    const at = this.#places.at(node)
    const end = this.#places.endOfChain(at)
    const [first, last] = [this.#places.tokens[at], this.#places.tokens[end]]
    if (first === undefined || last === undefined) throw cannotHide('this statement')
    const { catalog, schema, table: name } = table.name
    const path = this.#request.apart === undefined ? this.#request.sql.slice(first.start, last.end)
      : [catalog, schema, nameApart(name)].map(quoteName).join('.')
    const hidden = table.hidden.map(quoteName).join(', ')
    const all = kept === undefined ? path
      : `(SELECT ${[`* EXCLUDE (${hidden})`, ...kept.map(quoteName)].join(', ')} FROM ${path})`
    if (kept !== undefined) for (const name of table.hidden) this.excluded.add(name.toLowerCase())
    const alias = textOf(node['alias']) === '' ? ` AS ${quoteName(textOf(node['table_name']))}` : ''
    this.edits.push({ start: first.start, end: last.end, text: `${all}${alias}` })
    this.rewritten.set(node, { text: `${all}${alias}`, isRelation: true })
  }

  /** `isRight`: also what no star sees. */
  #hidingIn(from: unknown, common: CommonTables, isRight = false): readonly Hiding[] {
    if (!isTree(from)) return []
    if (from['type'] === 'JOIN') {
      const right = isOneSided(from) && !isRight ? [] : this.#hidingIn(from['right'], common, isRight)
      return [...this.#hidingIn(from['left'], common, isRight), ...right]
    }
    const table = from['type'] === 'BASE_TABLE' ? this.#tableOf(from, common) : undefined
    const visible = this.#visible(table)
    if (table === undefined || visible === undefined) return []
    const alias = textOf(from['alias']) || textOf(from['table_name'])
    const names = listOf(from['column_name_alias']).length
    if (names > visible.length) {
      throw new QueryError('BIND_ERROR', `table "${alias}" has ${visible.length} columns available but ${names} named`)
    }
    const hidden = this.#kept.get(from) ?? table.hidden
    const isAliased = textOf(from['alias']) !== ''
    return [{ alias, isAliased, table, columns: renamed(from, visible) ?? [], hidden }]
  }

  /** The table with hidden columns that it means. */
  #tableOf(node: Tree, common: CommonTables): HidingTable | undefined {
    if (commonTable(node, common) !== undefined || this.#own(node) !== undefined) return undefined
    const table = this.#clusterTable(node)
    return table === undefined || table.hidden.length === 0 ? undefined : table
  }

  #clusterTable(node: Tree): HidingTable | undefined {
    const wanted = new Set(meanings(pathOf(node), this.#request.defaults).map(keyOf))
    return this.#request.tables.find(({ name }) => wanted.has(keyOf(name)))
  }

  #own(node: Tree): { readonly columns: readonly string[] } | undefined {
    const path = pathOf(node).join('\n').toLowerCase()
    return this.#request.apart?.own.find(one => one.path.join('\n').toLowerCase() === path)
  }

  #visible(table: HidingTable | undefined): readonly string[] | undefined {
    return table?.columns.map(({ name }) => name).filter(name => !table.hidden.includes(name))
  }

  #insert(at: number | undefined, text: string): void {
    if (at === undefined) throw cannotHide('this statement')
    this.edits.push({ start: at, end: at, text })
  }

  /** An expression, of which [start, end) changes: the token `at`, and the parentheses behind it. */
  #rewrite(node: Tree, start: number, end: number, text: string, at: number, printed?: string): void {
    const { sql } = this.#request
    this.edits.push({ start, end, text, ...printed === undefined ? {} : { printed } })
    const [first, last] = [this.#places.tokens[at], this.#places.tokens[Math.max(at, this.#places.closing(at + 1))]]
    const whole = sql.slice(first?.start, start) + text + (start === first?.start ? '' : sql.slice(end, last?.end))
    this.rewritten.set(node, { text: whole, isRelation: false })
  }
}

/** A pattern of the name as DuckDB writes it, quoted where it has to be. */
function nameIn(name: string): string {
  return `"?${name.replaceAll('"', '""').replaceAll(/[^\w\s]/g, '\\$&')}"?`
}

/** Stars of the select itself, not of what is selected from, nor of selects within. */
function starsOf(select: Tree): readonly Tree[] {
  const { from_table: _, cte_map: __, ...own } = select
  const stars: Tree[] = []
  const collect = (node: unknown, isCondition = false): void => {
    if (Array.isArray(node)) for (const item of node) collect(item, isCondition)
    if (!isTree(node) || node['type'] === 'SELECT_NODE') return
    const isStar = node['class'] === 'STAR'
    // that of COLUMNS(lambda) is not written
    if (isStar && !(isCondition && !isPlaced(node))) stars.push(node)
    for (const child of Object.values(node)) collect(child, isCondition || isStar)
  }
  collect(Object.values(own))
  return stars
}

function excludes(star: Tree, name: string): boolean {
  return listOf(star['exclude_list']).some(one => textOf(one).toLowerCase() === name)
}

/** Names in its EXCLUDE, REPLACE and RENAME, in small letters. */
function changedBy(star: Tree): ReadonlySet<string> {
  const { expr: _, ...lists } = star
  const names = new Set<string>()
  const collect = (node: unknown): void => {
    if (typeof node === 'string') names.add(node.toLowerCase())
    if (Array.isArray(node)) for (const item of node) collect(item)
    if (isTree(node)) for (const key of ['key', 'column', 'name']) collect(node[key])
  }
  for (const list of Object.values(lists)) if (Array.isArray(list)) collect(list)
  return names
}

/** What columns are called, wherever they stand in the tree. */
function namesIn(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(namesIn)
  if (!isTree(node)) return []
  const { groups, using_columns: using, ...rest } = node
  const own = node['class'] === 'COLUMN_REF' ? [textOf(listOf(node['column_names']).at(-1))] : []
  return [...own, ...[...listOf(groups), ...listOf(using)].map(textOf), ...Object.values(rest).flatMap(namesIn)]
}

/** Of joins alone. */
function tablesIn(from: unknown): readonly Tree[] {
  if (!isTree(from)) return []
  if (from['type'] === 'JOIN') return [...tablesIn(from['left']), ...tablesIn(from['right'])]
  return from['type'] === 'BASE_TABLE' ? [from] : []
}

function aliasesIn(from: unknown): readonly string[] {
  if (!isTree(from)) return []
  if (from['type'] === 'JOIN') return [...aliasesIn(from['left']), ...aliasesIn(from['right'])]
  const alias = textOf(from['alias']) || textOf(from['table_name'])
  return alias === '' ? [] : [alias]
}

/** What stands first in it. */
function leftmost(from: unknown): Tree {
  let node: unknown = from
  while (isTree(node) && (node['type'] === 'JOIN' || node['type'] === 'PIVOT')) node = node['left'] ?? node['source']
  return isTree(node) ? node : {}
}

function pathOf(table: Tree): readonly string[] {
  return ['catalog_name', 'schema_name', 'table_name'].map(key => textOf(table[key])).filter(part => part !== '')
}

function keyOf({ catalog, schema, table }: TableName): string {
  return [catalog, schema, table].join('\n').toLowerCase()
}
