/** Casts: what DuckDB's own would not do alike. */

import type { CastType, Dialect, Rendered, Value } from './dialect.ts'

export function castTo(value: Value, type: CastType, isTry: boolean, { truncatesCasts }: Dialect): Rendered {
  const word = isTry ? 'TRY_CAST' : 'CAST'
  const cuts = truncatesCasts === true && type.kind === 'integer' && value.kind !== 'text' && value.kind !== 'integer'
    && value.kind !== 'boolean' && value.kind !== 'null'
  const sql = `${word}(${cuts ? `trunc(${value.sql})` : value.sql} AS ${type.sql})`
  return { sql: type.length === null ? sql : `left(${sql}, ${type.length})`, kind: type.kind }
}
