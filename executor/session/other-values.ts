/**
 * A statement that was bound with some values, and runs with others. It may then do more: DuckDB leaves out what is
 * done with a NULL when it binds, and so what was decided on the first plan does not hold for every row.
 */

import { QueryError } from '../../proto/errors.ts'
import type { RepeatBegin } from '../../proto/gen/session_pb.js'
import { authoriseOwn } from '../../proto/own-authority.ts'
import { meaningfulTokens, type SqlToken } from '../../proto/sql-tokens.ts'
import type { PlanOutline } from './plan-outline.ts'

/**
 * True: it does more, and may. Throws PERMISSION_DENIED if it may not, UNSUPPORTED_STATEMENT if DuckDB cannot tell (an
 * outline is null), or if it reads a table that was not opened: such files have no position.
 */
export function doesMore(outline: PlanOutline | null, bound: PlanOutline | null): boolean {
  if (outline === null || bound === null) {
    throw new QueryError('UNSUPPORTED_STATEMENT', 'DuckDB cannot tell what this statement would do: it may not run')
  }
  const known = new Set(thingsIn(bound))
  if (thingsIn(outline).every(thing => known.has(thing))) return false
  if (outline.sources.some(source => source.kind === 'files' && source.table < 0)) {
    throw new QueryError('UNSUPPORTED_STATEMENT', 'some rows of values read a table that the first ones do not')
  }
  authoriseOwn(outline, new Set(bound.targets.map(({ catalog }) => catalog.toLowerCase())), false)
  return true
}

/** An INSERT of values without any call, which never does more: most are, and a plan costs as much as running one. */
export function isOnlyValues(sql: string): boolean {
  const tokens = meaningfulTokens(sql)
  const start = tokens.findIndex(token => word(token) === 'values')
  if (start < 0 || word(tokens[0]) !== 'insert' || tokens.slice(0, start).some(token => reading.has(word(token)))) {
    return false
  }
  return tokens.slice(start + 1).every((token, i, values) => {
    const before = word(values[i - 1])
    if (token.text === '(') return !/^\w/.test(before) || before === 'cast' || isTypeIn(values, i - 1)
    return token.kind === 'text' || /^[0-9]/.test(token.text) || plain.has(word(token))
  })
}

/** The DECIMAL of a cast. */
function isTypeIn(values: readonly SqlToken[], at: number): boolean {
  return word(values[at]) === 'decimal' && word(values[at - 1]) === 'as'
}

const word = (token: SqlToken | undefined): string => token?.text.toLowerCase() ?? ''
/** What reads in front of the values. */
const reading: ReadonlySet<string> = new Set(['with', 'select', 'from', 'table'])
/** Of literals, as planner/literal.ts writes them, and between them. */
const plain: ReadonlySet<string> = new Set([
  ')', ',', '[', ']', '-', '.', ';', 'null', 'true', 'false', 'cast', 'as', 'boolean', 'tinyint', 'smallint', 'integer',
  'bigint', 'hugeint', 'utinyint', 'usmallint', 'uinteger', 'ubigint', 'uhugeint', 'float', 'double', 'decimal',
  'varchar', 'blob', 'date', 'time', 'timestamp', 'timestamp_s', 'timestamp_ms', 'timestamp_ns', 'with', 'zone', 'uuid',
])

/** Arguments of functions are values, but for names of settings. */
function thingsIn({ operators, functions, sources, targets }: PlanOutline): string[] {
  const called = functions.map(({ name, text }) => name === 'current_setting' ? [name, text] : [name])
  const read = sources.filter(source => source.kind !== 'files' || source.table < 0)
  return [...operators, ...[...called, ...read, ...targets].map(thing => JSON.stringify(thing))]
}

/** What it does more may read any of them. */
export function withAllColumns({ tables, carried }: RepeatBegin): Pick<RepeatBegin, 'tables' | 'carried'> {
  return { tables: tables.map(scan => ({ ...scan, touched: scan.columns.map((_, i) => i) })), carried }
}
