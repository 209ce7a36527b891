/**
 * What a statement may touch, decided twice.
 *
 *   screen     on the syntax tree: files and functions that the text names itself
 *   authorise  on the bound plan before it is optimised: every scan, function and operator that will really run
 *
 * Neither is enough alone: a bound plan cannot tell a path that the user typed from the one that a table's view holds,
 * and a syntax tree does not know what a name means. All that is not known to be harmless is refused.
 */

import { QueryError } from '../proto/errors.ts'
import { positionOf } from './duckdb-error.ts'
import { isDeniedScalarFunction, readableSettings } from '../proto/scalar-functions.ts'
import { allowedTableFunctions } from '../proto/table-functions.ts'
import { statementFunctions, volatileFunctions } from './functions.ts'
import type { PlannerTable } from './planned-query.ts'
import { EMPTY_TABLES } from './planning-tables.ts'
import type { Mention, Syntax } from './syntax.ts'

export interface Authority {
  /** Positions of the tables that are read. */
  readonly tables: readonly number[]
  /** Another run over the same files may answer otherwise. */
  readonly volatile: boolean
  /** A function whose answer depends on the statement or the connection that runs; null: there is none. */
  readonly statementFunction: string | null
}

/** The first wall. Rejects with PERMISSION_DENIED and the place in the text. */
export function screen(syntax: Syntax, tables: readonly PlannerTable[], sql: string): void {
  const refuse = (mention: Mention, message: string): never => {
    throw new QueryError('PERMISSION_DENIED', message, { position: positionOf(mention.offset, sql) })
  }
  for (const called of syntax.tableFunctions) {
    if (!allowedTableFunctions.has(called.name)) refuse(called, `the function ${called.name} is not allowed`)
  }
  for (const called of syntax.scalarFunctions) {
    if (isDeniedScalarFunction(called.name)) refuse(called, `the function ${called.name} is not allowed`)
  }
  const known = new Set(tables.map(({ name }) => name.table.toLowerCase()))
  for (const table of syntax.tables) {
    const name = table.name.toLowerCase()
    if (known.has(name) || syntax.commonTables.has(name) || !looksLikeFile(name)) continue
    refuse(table, `"${table.name}" is a file's path; files are read through the tables of a catalog`)
  }
}

/**
 * For a statement that binds but whose plan DuckDB cannot write down (some WITH ORDINALITY), so that there is no second
 * wall: every name has to be a table of the request, or a CTE's that means nothing else where the CTE is out of scope.
 */
export function screenUnread(syntax: Syntax, tables: readonly PlannerTable[], sql: string): void {
  for (const mention of syntax.tables) {
    const name = mention.name.toLowerCase()
    const isCommon = mention.schema === null && syntax.commonTables.has(name)
    if (isCommon && !looksLikeFile(name) && !BUILT_IN.test(name)) continue
    if (tables.some(table => isNamed(table, mention))) continue
    const position = positionOf(mention.offset, sql)
    throw new QueryError('PERMISSION_DENIED', `"${mention.name}" is not a table of a catalog`, { position })
  }
}

/** Views that every database has. */
const BUILT_IN = /^(duckdb|pg|sqlite|pragma)_/

function isNamed({ name }: PlannerTable, { catalog, schema, name: table }: Mention): boolean {
  const isSame = (part: string | null, own: string): boolean =>
    part === null || part.toLowerCase() === own.toLowerCase()
  if (!isSame(table, name.table) || !isSame(catalog, name.catalog)) return false
  return isSame(schema, name.schema) || (catalog === null && isSame(schema, name.catalog))
}

/** What DuckDB would take for a file: a separator, a protocol, a pattern, or an ending. */
function looksLikeFile(name: string): boolean {
  return /[/\\:*?[\]]/.test(name) || /\.[a-z0-9]+$/.test(name)
}

const operators: ReadonlySet<string> = new Set([
  'PROJECTION', 'FILTER', 'AGGREGATE_AND_GROUP_BY', 'WINDOW', 'UNNEST', 'LIMIT', 'ORDER_BY', 'TOP_N', 'DISTINCT',
  'SAMPLE', 'PIVOT',
  'GET', 'CHUNK_GET', 'DELIM_GET', 'EXPRESSION_GET', 'DUMMY_SCAN', 'EMPTY_RESULT', 'CTE_REF',
  'JOIN', 'DELIM_JOIN', 'COMPARISON_JOIN', 'ANY_JOIN', 'CROSS_PRODUCT', 'POSITIONAL_JOIN', 'ASOF_JOIN',
  'DEPENDENT_JOIN',
  'UNION', 'EXCEPT', 'INTERSECT', 'RECURSIVE_CTE', 'MATERIALIZED_CTE',
].map(name => `LOGICAL_${name}`))

interface Tree { readonly [key: string]: unknown }

/** The second wall, over the plan's JSON as DuckDB bound it. */
export function authorise(plan: unknown, tables: readonly PlannerTable[]): Authority {
  const read = new Set<number>()
  let isVolatile = false
  let statementFunction: string | null = null
  const left: unknown[] = [plan]
  while (left.length > 0) {
    const node = left.pop()
    if (Array.isArray(node)) for (const item of node) left.push(item)
    if (!isTree(node)) continue
    const type = node['type']
    if (typeof type === 'string' && type.startsWith('LOGICAL_')) {
      if (!operators.has(type)) denied(`the operation ${type.slice('LOGICAL_'.length)}`)
      if (type === 'LOGICAL_GET') for (const table of scannedTables(node, tables)) read.add(table)
      if (type === 'LOGICAL_SAMPLE' || hasSample(node)) isVolatile = true
    }
    const called = calledFunction(node)
    if (called !== null) {
      allowFunction(called, node)
      if (isVolatileCall(called, node)) isVolatile = true
      if (statementFunctions.has(called) || readsClock(called, node)) statementFunction = called
    }
    for (const child of Object.values(node)) if (typeof child === 'object') left.push(child)
  }
  return { tables: [...read].sort((a, b) => a - b), volatile: isVolatile, statementFunction }
}

function denied(what: string): never {
  throw new QueryError('PERMISSION_DENIED', `${what} is not allowed`)
}

/** The tables that the scan reads, which are named by their skeletons: two, if a table has two names. */
export function scannedTables(node: object, tables: readonly PlannerTable[]): readonly number[] {
  const { name: called, function_data: data }: Tree = { ...node }
  const name = text(called)
  if (allowedTableFunctions.has(name)) return []
  if (name !== 'seq_scan') denied(`the function ${name}`)
  const { catalog, table: scanned } = isTree(data) ? data : {}
  const found = catalog === EMPTY_TABLES
    ? tables.flatMap((table, i) => table.skeletonPath === scanned ? [i] : []) : []
  // the view of an earlier request, or a table that DuckDB has of itself
  if (found.length === 0) denied('reading what is no table of a catalog')
  return found
}

function hasSample(node: Tree): boolean {
  return isTree(node['extra_info']) && isTree(node['extra_info']['sample_options'])
}

function calledFunction(node: Tree): string | null {
  switch (node['expression_class']) {
    case 'BOUND_FUNCTION': case 'BOUND_AGGREGATE': case 'BOUND_WINDOW': return text(node['name']).toLowerCase()
    default: return null
  }
}

function allowFunction(name: string, node: Tree): void {
  if (isDeniedScalarFunction(name)) denied(`the function ${name}`)
  if (name !== 'current_setting') return
  const setting = constantText(node['children'])
  if (setting === null) denied('reading a setting of a computed name')
  if (!readableSettings.has(setting.toLowerCase())) denied(`reading the setting ${setting}`)
}

function isVolatileCall(name: string, node: Tree): boolean {
  return volatileFunctions.has(name) || readsClock(name, node)
}

/** age(x) with one argument reads the clock where it runs (it is not folded); with two it computes. */
function readsClock(name: string, node: Tree): boolean {
  return name === 'age' && Array.isArray(node['children']) && node['children'].length === 1
}

function constantText(children: unknown): string | null {
  const [first] = Array.isArray(children) ? children as unknown[] : []
  const value = isTree(first) && first['expression_class'] === 'BOUND_CONSTANT' ? first['value'] : undefined
  return isTree(value) && typeof value['value'] === 'string' ? value['value'] : null
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
