/** Names of dialects as clients give them. */

import { QueryError } from '../../proto/errors.ts'
import type { DialectName } from './dialect.ts'

export const dialectNames: readonly DialectName[] = ['mysql', 'snowflake', 'bigquery', 'tsql', 'trino']

/** null: DuckDB's own. Throws INVALID_REQUEST for a name that none has. */
export function dialectOf(text: string): DialectName | null {
  const lower = text.toLowerCase()
  if (lower === '' || lower === 'duckdb') return null
  const name = lower === 'transactsql' ? 'tsql' : lower
  const dialect = dialectNames.find(known => known === name)
  if (dialect !== undefined) return dialect
  throw new QueryError('INVALID_REQUEST', `no dialect '${text}': there are duckdb, ${dialectNames.join(', ')}`)
}
