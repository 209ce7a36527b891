/** Casts: what DuckDB's own would not do alike. */

import type { CastType, Dialect, Kind, Rendered, Value } from './dialect.ts'

const floats = `('DOUBLE', 'FLOAT')`
/** Of them it is known that they are no fractions. */
const whole: ReadonlySet<Kind> = new Set(['text', 'integer', 'boolean', 'null'])
const numbers: ReadonlySet<Kind> = new Set(['fraction', 'number'])

export function castTo(value: Value, type: CastType, isTry: boolean, { castsOfFractions: how }: Dialect): Rendered {
  const cast = (sql: string): string => `${isTry ? 'TRY_CAST' : 'CAST'}(${sql} AS ${type.sql})`
  const isPlain = how === undefined || type.kind !== 'integer' || whole.has(value.kind)
  const sql = isPlain ? cast(value.sql) : toInteger(value, how, cast)
  return { sql: type.length === null ? sql : `left(${sql}, ${type.length})`, kind: type.kind }
}

/** What a column is, the text does not say; `cast` must bind whatever it is. */
function toInteger({ sql, kind }: Value, how: 'cut' | 'half-up', cast: (sql: string) => string): string {
  const name = how === 'cut' ? 'trunc' : 'round'
  if (numbers.has(kind)) return cast(`${name}(${sql})`)
  const ofFloat = `WHEN typeof(${sql}) IN ${floats} THEN ${cast(`${name}(TRY_CAST(${sql} AS DOUBLE))`)}`
  const ofDecimal = how === 'half-up' ? ''
    : ` WHEN typeof(${sql}) LIKE 'DECIMAL%' THEN ${cast(`split_part(CAST(${sql} AS VARCHAR), '.', 1)`)}`
  return `CASE ${ofFloat}${ofDecimal} ELSE ${cast(sql)} END`
}
