/**
 * What a statement may do on the instance that a session owns, decided on DuckDB's own plan as it was bound there,
 * before it runs. The session's own are the catalogs `memory` and `temp`; the cluster's tables are read, and nothing
 * there is changed; all else is refused.
 */

import { QueryError } from './errors.ts'
import { isDeniedScalarFunction, readableSettings } from './scalar-functions.ts'
import { allowedTableFunctions, metadataFunctions } from './table-functions.ts'

/** As plan-outline.ts of the executor writes it. */
export interface PlanOutline {
  readonly operators: readonly string[]
  readonly functions: readonly { readonly name: string; readonly text: string | null }[]
  readonly sources: readonly (
    | { readonly kind: 'table'; readonly catalog: string; readonly schema: string; readonly table: string }
    | { readonly kind: 'files'; readonly table: number }
    | { readonly kind: 'function'; readonly name: string }
  )[]
  readonly targets: readonly {
    readonly operator: string; readonly entry: string; readonly catalog: string; readonly schema: string
    readonly name: string
  }[]
  readonly returning: boolean
  /** Columns of the tables that are read, as their files name them; absent: any. */
  readonly reads?: readonly { readonly table: number; readonly columns: readonly string[] }[]
}

export interface OwnAuthority {
  /** The cluster's tables that are read, by position, and of each what may be; null: any of its columns. */
  readonly tables: readonly { readonly table: number; readonly columns: readonly string[] | null }[]
  /** It changes data or objects. */
  readonly changes: boolean
  /** It gives rows; a change that does not gives their number. */
  readonly givesRows: boolean
}

const reading: ReadonlySet<string> = new Set([
  'PROJECTION', 'FILTER', 'AGGREGATE_AND_GROUP_BY', 'WINDOW', 'UNNEST', 'LIMIT', 'ORDER_BY', 'TOP_N', 'DISTINCT',
  'SAMPLE', 'PIVOT',
  'GET', 'CHUNK_GET', 'DELIM_GET', 'EXPRESSION_GET', 'DUMMY_SCAN', 'EMPTY_RESULT', 'CTE_REF',
  'JOIN', 'DELIM_JOIN', 'COMPARISON_JOIN', 'ANY_JOIN', 'CROSS_PRODUCT', 'POSITIONAL_JOIN', 'ASOF_JOIN',
  'DEPENDENT_JOIN', 'UNION', 'EXCEPT', 'INTERSECT', 'RECURSIVE_CTE', 'MATERIALIZED_CTE',
])
/** Each names what it changes; DROP and ALTER only of the entries below. */
const changing: ReadonlySet<string> = new Set([
  'INSERT', 'UPDATE', 'DELETE', 'MERGE_INTO', 'CREATE_TABLE', 'CREATE_VIEW', 'CREATE_MACRO', 'CREATE_SCHEMA',
  'CREATE_SEQUENCE', 'CREATE_TYPE', 'CREATE_INDEX', 'DROP', 'ALTER', 'SET_VARIABLE', 'RESET_VARIABLE',
])
/** Of a DROP; secrets, functions of the system and prepared statements are not among them. */
const droppable: ReadonlySet<string> = new Set([
  'TABLE_ENTRY', 'VIEW_ENTRY', 'MACRO_ENTRY', 'TABLE_MACRO_ENTRY', 'SCHEMA_ENTRY', 'SEQUENCE_ENTRY', 'TYPE_ENTRY',
  'INDEX_ENTRY',
])
/** About the session's own sequences. */
const sequences: ReadonlySet<string> = new Set(['nextval', 'currval'])

/**
 * `own`: catalogs, in lower case, that the session may change. `listing`: it may read what tells of the catalog.
 * `refusal`: of a change of another catalog, where there is more to say than that it is read-only.
 */
export function authoriseOwn(
  outline: PlanOutline, own: ReadonlySet<string>, listing: boolean,
  refusal: (catalog: string) => QueryError | undefined = () => undefined,
): OwnAuthority {
  const { operators, functions, sources, targets, returning, reads } = outline
  for (const operator of operators) {
    if (!reading.has(operator) && !changing.has(operator)) denied(`the operation ${operator}`)
  }
  for (const { name, text } of functions) allowFunction(name, text)
  for (const source of sources) {
    if (source.kind === 'function' && !allowedTableFunctions.has(source.name)
      && !(listing && metadataFunctions.has(source.name))) denied(`the function ${source.name}`)
    if (source.kind === 'files' && source.table < 0) denied('reading what is no table of a catalog')
  }
  for (const { operator, entry, catalog } of targets) {
    if (operator === 'DROP' && !droppable.has(entry)) denied(`DROP of a ${entry.toLowerCase()}`)
    // a DROP IF EXISTS of what is not there has no catalog
    if (catalog === '' && operator === 'DROP') continue
    if (!own.has(catalog.toLowerCase())) throw refusal(catalog) ?? readOnly(catalog)
  }
  return {
    tables: sources.flatMap(source => source.kind === 'files' ? [source.table] : []).sort((a, b) => a - b)
      .map(table => ({
        table, columns: reads === undefined ? null : reads.find(one => one.table === table)?.columns ?? [],
      })),
    changes: targets.length > 0,
    givesRows: targets.length === 0 || returning,
  }
}

function allowFunction(name: string, text: string | null): void {
  if (isDeniedScalarFunction(name) && !sequences.has(name)) denied(`the function ${name}`)
  if (name !== 'current_setting') return
  if (text === null) denied('reading a setting of a computed name')
  if (!readableSettings.has(text.toLowerCase())) denied(`reading the setting ${text}`)
}

function denied(what: string): never {
  throw new QueryError('PERMISSION_DENIED', `${what} is not allowed`)
}

function readOnly(catalog: string): QueryError {
  return new QueryError('PERMISSION_DENIED', `catalog ${catalog} is read-only; tables of your own go to memory or temp`)
}
