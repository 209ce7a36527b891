/**
 * What a text mentions, read from DuckDB's own syntax tree (json_serialize_sql: parsed, no name bound). It is the first
 * wall: what a plan can no longer tell apart (a path that the user typed from a view's) is seen here. It reports too
 * much rather than too little: a mentioned name may be a CTE's.
 */

import { errorAtByte } from '../proto/error-place.ts'

export interface Syntax {
  readonly statementCount: number
  readonly tables: readonly Mention[]
  /** Functions in FROM, in lower case as DuckDB keeps them. */
  readonly tableFunctions: readonly Mention[]
  readonly scalarFunctions: readonly Mention[]
  /** Of SHOW, DESCRIBE and SUMMARIZE in any place: DuckDB's word for what they show. */
  readonly shows: readonly Mention[]
  readonly parameters: readonly string[]
  readonly commonTables: ReadonlySet<string>
  /** What stands in FROM, as it is in the tree: tables and functions. */
  readonly relations: readonly Tree[]
}

export interface Mention {
  readonly catalog: string | null
  readonly schema: string | null
  readonly name: string
  /** In bytes of the text; null: not known. */
  readonly offset: number | null
}

/** A text that DuckDB parses but that is not a SELECT (or several statements of which one is not). */
export const NOT_SELECT = 'not-select'

/** From the answer of json_serialize_sql. Rejects what does not parse with the parser's message and place. */
export function readSyntax(json: string, sql: string): Syntax | typeof NOT_SELECT {
  const tree = JSON.parse(json) as Tree
  if (tree['error'] === true) {
    if (tree['error_type'] === 'not implemented') return NOT_SELECT
    const offset = tree['position'] === undefined ? undefined : Number(tree['position'])
    throw errorAtByte('SYNTAX_ERROR', `Parser Error: ${text(tree['error_message'])}`, offset, sql)
  }
  const statements = Array.isArray(tree['statements']) ? tree['statements'] : []
  return collect(statements)
}

export interface Tree { readonly [key: string]: unknown }

function collect(statements: readonly unknown[]): Syntax {
  const tables: Mention[] = []
  const tableFunctions: Mention[] = []
  const scalarFunctions: Mention[] = []
  const shows: Mention[] = []
  const parameters: string[] = []
  const commonTables = new Set<string>()
  const relations: Tree[] = []
  const visit = (node: Tree): void => {
    const type = node['type']
    if (type === 'BASE_TABLE' || type === 'TABLE_FUNCTION') relations.push(node)
    if (type === 'BASE_TABLE') tables.push(mention(node, node['catalog_name'], node['schema_name'], node['table_name']))
    if (type === 'SHOW_REF') shows.push(mention(node, null, node['table_name'], node['show_type']))
    if (type === 'TABLE_FUNCTION' && isTree(node['function'])) tableFunctions.push(called(node['function']))
    if (typeof node['function_name'] === 'string') scalarFunctions.push(called(node))
    if (node['class'] === 'PARAMETER') parameters.push(text(node['identifier']))
    if (isTree(node['cte_map'])) for (const name of keys(node['cte_map'])) commonTables.add(name.toLowerCase())
  }
  // a stack of our own: how deep the text nests is the user's choice
  const left: unknown[] = [...statements]
  while (left.length > 0) {
    const node = left.pop()
    if (Array.isArray(node)) left.push(...node.toReversed())
    else if (isTree(node)) {
      visit(node)
      left.push(...Object.values(node).reverse())
    }
  }
  return {
    statementCount: statements.length, tables, tableFunctions, scalarFunctions, shows, parameters, commonTables,
    relations,
  }
}

function called(node: Tree): Mention {
  return mention(node, node['catalog'], node['schema'], text(node['function_name']).toLowerCase())
}

function mention(node: Tree, catalog: unknown, schema: unknown, name: unknown): Mention {
  const at = node['query_location']
  return {
    catalog: text(catalog) || null, schema: text(schema) || null, name: text(name),
    offset: typeof at === 'number' && Number.isSafeInteger(at) ? at : null,
  }
}

function keys(map: Tree): string[] {
  const entries = Array.isArray(map['map']) ? map['map'] : []
  return entries.map(entry => isTree(entry) ? text(entry['key']) : '')
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
