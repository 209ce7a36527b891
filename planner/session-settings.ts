/** The settings of a client's session that planning depends on: which ones there are, and the SQL that makes them. */

import { QueryError } from '../proto/errors.ts'
import { quoteText } from '../proto/sql-text.ts'

/** All are of a connection. Others reach outside the session, or do not change what a statement means. */
const allowed: ReadonlySet<string> = new Set([
  'timezone', 'calendar', 'default_null_order', 'default_order', 'default_collation', 'integer_division',
  'ieee_floating_point_ops', 'scalar_subquery_error_on_multiple_rows', 'order_by_non_integer_literal',
])

/** One of them as DuckDB and we write it, whatever its case. Throws PERMISSION_DENIED for others. */
export function sessionSetting(name: string): string {
  const lower = name.toLowerCase()
  if (!allowed.has(lower)) throw new QueryError('PERMISSION_DENIED', `the setting ${name} cannot be changed`)
  return lower === 'timezone' ? 'TimeZone' : lower
}

/** Rejects with PERMISSION_DENIED for a setting that a session may not have. */
export function settingStatements(settings: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(settings).map(([name, value]) => {
    if (allowed.has(name.toLowerCase())) return `SET SESSION ${name} = ${quoteText(value)}`
    throw new QueryError('PERMISSION_DENIED', `the setting ${name} cannot be changed`)
  })
}

/**
 * Those that emitted SQL is run with. The plan says what a collation does to each comparison: a default one would do it
 * again where the plan, and so DuckDB, does not (LIKE, INTERSECT).
 */
export function fragmentSettings(settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => name.toLowerCase() !== 'default_collation'))
}
