/** The columns that a `*` over a FROM means, read from the syntax tree as far as that is possible before binding. */

import type { Tree } from './syntax.ts'
import { isTree, listOf, textOf } from './tree.ts'

/** In the order of `*`, but what USING and NATURAL merge is there twice; null: the tree does not tell. */
export type ColumnNames = readonly string[] | null

/** By name in small letters. */
export type CommonTables = ReadonlyMap<string, ColumnNames>

export interface KnownTables {
  /** Of a table that no CTE hides; undefined: not known. */
  columnsOf(table: Tree): readonly string[] | undefined
}

/** A table, with the columns that `*` means. */
export function columnsOfFrom(from: unknown, common: CommonTables, known: KnownTables): ColumnNames {
  if (!isTree(from)) return null
  switch (from['type']) {
    case 'EMPTY': return []
    case 'BASE_TABLE': return renamed(from, commonTable(from, common) ?? known.columnsOf(from) ?? null)
    case 'SUBQUERY': return renamed(from, columnsOfQuery(from['subquery'], common, known))
    case 'EXPRESSION_LIST': return renamed(from, listOf(listOf(from['values'])[0]).map((_, i) => `col${i}`))
    case 'TABLE_FUNCTION': {
      const name = isTree(from['function']) ? textOf(from['function']['function_name']) : ''
      return /^(range|generate_series|unnest)$/.test(name) ? renamed(from, [name]) : null
    }
    case 'JOIN': {
      const left = columnsOfFrom(from['left'], common, known)
      if (isOneSided(from)) return left
      const right = columnsOfFrom(from['right'], common, known)
      return left === null || right === null ? null : [...left, ...right]
    }
    default: return null
  }
}

/** Of `{ node }` or the node itself. An expression without a name has one that no column has: ''. */
export function columnsOfQuery(query: unknown, common: CommonTables, known: KnownTables): ColumnNames {
  const node = isTree(query) && isTree(query['node']) ? query['node'] : query
  if (!isTree(node)) return null
  const scope = withCommon(node, common, known)
  switch (node['type']) {
    case 'SET_OPERATION_NODE': return columnsOfQuery(node['left'], scope, known)
    case 'SELECT_NODE': {
      const all = listOf(node['select_list']).map(item => columnsOfItem(item, node['from_table'], scope, known))
      return all.includes(null) ? null : all.flatMap(columns => columns ?? [])
    }
    default: return null
  }
}

/** `common`, and the CTEs of the node itself. */
export function withCommon(node: Tree, common: CommonTables, known: KnownTables): CommonTables {
  const entries = isTree(node['cte_map']) ? listOf(node['cte_map']['map']).filter(isTree) : []
  if (entries.length === 0 && node['type'] !== 'RECURSIVE_CTE_NODE') return common
  const scope = new Map(common)
  if (node['type'] === 'RECURSIVE_CTE_NODE') scope.set(textOf(node['cte_name']).toLowerCase(), null)
  for (const { key, value } of entries) {
    const { aliases, query } = isTree(value) ? value : {}
    scope.set(textOf(key).toLowerCase(), renamed({ column_name_alias: aliases }, columnsOfQuery(query, scope, known)))
  }
  return scope
}

/** Of a CTE that the table's name means; undefined: none. */
export function commonTable(table: Tree, common: CommonTables): ColumnNames | undefined {
  const isQualified = textOf(table['schema_name']) !== '' || textOf(table['catalog_name']) !== ''
  return isQualified ? undefined : common.get(textOf(table['table_name']).toLowerCase())
}

/** Only the left side of it is seen. */
export function isOneSided(join: Tree): boolean {
  return /^(SEMI|ANTI)$/.test(textOf(join['join_type']))
}

/** With the names that the FROM gives to the first of them. */
export function renamed({ column_name_alias: aliases }: Tree, columns: ColumnNames): ColumnNames {
  const names = listOf(aliases).map(textOf)
  return columns === null ? null : [...names, ...columns.slice(names.length)]
}

function columnsOfItem(item: unknown, from: unknown, common: CommonTables, known: KnownTables): ColumnNames {
  if (!isTree(item)) return null
  if (item['class'] === 'STAR') {
    const { class: _, type: __, query_location: ___, columns: isColumns, ...more } = item
    return Object.keys(more).length > 0 || isColumns === true ? null : columnsOfFrom(from, common, known)
  }
  const own = item['class'] === 'COLUMN_REF' ? textOf(listOf(item['column_names']).at(-1)) : ''
  return [textOf(item['alias']) || own]
}
