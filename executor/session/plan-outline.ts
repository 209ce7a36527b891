/**
 * What a bound plan does, in short: read from the JSON that DuckDB writes of it, before it is optimised, so that who
 * decides whether it may run needs no path of this machine. A node that is not understood is listed by its name.
 */

/** Where rows come from. */
export type OutlineSource =
  | { readonly kind: 'table'; readonly catalog: string; readonly schema: string; readonly table: string }
  /** Position among the tables that were bound; -1: files of none of them. */
  | { readonly kind: 'files'; readonly table: number }
  | { readonly kind: 'function'; readonly name: string }

/** What is made, changed or dropped. */
export interface OutlineTarget {
  readonly operator: string
  /** Of DuckDB's catalog entries, e.g. TABLE_ENTRY; empty where there is only one kind. */
  readonly entry: string
  readonly catalog: string
  readonly schema: string
  readonly name: string
}

export interface PlanOutline {
  /** Without LOGICAL_; each once. */
  readonly operators: readonly string[]
  /** Lower case, each once with its first argument if that is a constant text. */
  readonly functions: readonly { readonly name: string; readonly text: string | null }[]
  readonly sources: readonly OutlineSource[]
  readonly targets: readonly OutlineTarget[]
  /** Of a change: it gives the rows that it has changed. */
  readonly returning: boolean
}

interface Tree { readonly [key: string]: unknown }

/** Plans nest as deep as the text: a stack of our own. `tableOf`: the position of the table that has the file. */
export function outlineOf(plans: unknown, tableOf: (path: string) => number | undefined): PlanOutline {
  const operators = new Set<string>()
  const functions = new Map<string, { name: string; text: string | null }>()
  const sources = new Map<string, OutlineSource>()
  const targets: OutlineTarget[] = []
  let returning = false
  const left: unknown[] = [plans]
  while (left.length > 0) {
    const node = left.pop()
    if (Array.isArray(node)) for (const item of node) left.push(item)
    if (!isTree(node)) continue
    const type = text(node['type'])
    if (type.startsWith('LOGICAL_')) {
      const operator = operatorOf(type.slice('LOGICAL_'.length), node)
      operators.add(operator)
      if (operator === 'GET') for (const source of sourcesOf(node, tableOf)) sources.set(JSON.stringify(source), source)
      const target = targetOf(operator, node)
      if (target !== undefined) targets.push(target)
      if (node['return_chunk'] === true) returning = true
    }
    const called = calledFunction(node)
    if (called !== undefined) functions.set(JSON.stringify(called), called)
    for (const child of Object.values(node)) if (typeof child === 'object') left.push(child)
  }
  return {
    operators: [...operators], functions: [...functions.values()], sources: [...sources.values()], targets, returning,
  }
}

/** SET and RESET of a variable are other operations than those of a setting. */
function operatorOf(name: string, node: Tree): string {
  return (name === 'SET' || name === 'RESET') && node['scope'] === 'VARIABLE' ? `${name}_VARIABLE` : name
}

function sourcesOf(node: Tree, tableOf: (path: string) => number | undefined): readonly OutlineSource[] {
  const name = text(node['name'])
  const data = isTree(node['function_data']) ? node['function_data'] : {}
  if (name === 'seq_scan') {
    return [{
      kind: 'table', catalog: text(data['catalog']), schema: text(data['schema']), table: text(data['table']),
    }]
  }
  if (name !== 'read_parquet' && name !== 'parquet_scan') return [{ kind: 'function', name: name.toLowerCase() }]
  const files = Array.isArray(data['files']) ? data['files'] as unknown[] : ['']
  const tables = new Set(files.map(file => tableOf(text(file)) ?? -1))
  return [...tables].map(table => ({ kind: 'files', table }))
}

/** Entries are named by `info`, rows go to `table_info`; a variable is as temporary as what is in `temp`. */
function targetOf(operator: string, node: Tree): OutlineTarget | undefined {
  if (operator.endsWith('_VARIABLE')) {
    return { operator, entry: '', catalog: 'temp', schema: '', name: text(node['name']) }
  }
  const isMade = /^(CREATE|DROP|ALTER)/.test(operator)
  const info = isMade ? node['info'] : /^(INSERT|UPDATE|DELETE|MERGE_INTO)$/.test(operator) ? node['table_info'] : null
  if (!isMade && info === null) return undefined
  const tree = isTree(info) ? info : {}
  const name = [tree['name'], tree['table'], tree['view_name']].map(text).find(one => one !== '') ?? ''
  const entry = text(tree['type'])
  return { operator, entry, catalog: text(tree['catalog']), schema: text(tree['schema']), name }
}

function calledFunction(node: Tree): { name: string; text: string | null } | undefined {
  switch (node['expression_class']) {
    case 'BOUND_FUNCTION': case 'BOUND_AGGREGATE': case 'BOUND_WINDOW':
      return { name: text(node['name']).toLowerCase(), text: constantText(node['children']) }
    default: return undefined
  }
}

function constantText(children: unknown): string | null {
  const [first] = Array.isArray(children) ? children as unknown[] : []
  const value = isTree(first) && first['expression_class'] === 'BOUND_CONSTANT' ? first['value'] : undefined
  return isTree(value) && typeof value['value'] === 'string' ? value['value'].slice(0, MAX_TEXT) : null
}

/** Names of settings are short. */
const MAX_TEXT = 200

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
