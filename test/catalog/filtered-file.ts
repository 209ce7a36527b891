/**
 * A table of four row groups that only Bloom filters tell apart: row group g has the numbers 4n + g below 4000, of many
 * types, with NULLs between them. DuckDB's rows are the judge.
 */

import type { StatValue } from '../../cache/statistics.ts'

export const GROUPS = 4
export const GROUP_ROWS = 20_480
/** In the file; each in one row group. */
export const PRESENT = [0, 1, 2, 3, 8, 401, 2002, 3999] as const

/** A column: SQL of its value where `n` is the number, SQL of a literal, and the value as pruning has it. */
export interface FilteredColumn {
  readonly name: string
  readonly sql: string
  readonly literal: (n: number) => string
  readonly value: (n: number) => StatValue
  /** Numbers below this one are all that the type holds. */
  readonly below?: number
}

const integer = (name: string, type: string, below?: number): FilteredColumn => ({
  name, sql: `n::${type}`, literal: n => `${n}::${type}`, value: n => BigInt(n),
  ...below === undefined ? {} : { below },
})
const decimal = (name: string, precision: number, scale: number): FilteredColumn => ({
  name, sql: `n::DECIMAL(${precision},${scale})`, literal: n => `${n}::DECIMAL(${precision},${scale})`,
  value: n => BigInt(n) * 10n ** BigInt(scale),
})
const float = (name: string, type: string): FilteredColumn => ({
  name, sql: `CASE n WHEN 0 THEN '-0.0'::${type} WHEN 8 THEN 'nan' ELSE n::${type} END`,
  literal: n => `${n}::${type}`, value: n => n,
})
const timestamp = (name: string, type: string, perHour: bigint): FilteredColumn => ({
  name, sql: `(TIMESTAMP '1970-01-01' + INTERVAL (n) HOUR)::${type}`,
  literal: n => `(TIMESTAMP '1970-01-01' + INTERVAL (${n}) HOUR)::${type}`, value: n => BigInt(n) * perHour,
})

const MICROS = 3_600_000_000n

export const filteredColumns: readonly FilteredColumn[] = [
  integer('i1', 'TINYINT', 128), integer('u1', 'UTINYINT', 256), integer('i2', 'SMALLINT'), integer('u2', 'USMALLINT'),
  integer('i4', 'INTEGER'), integer('u4', 'UINTEGER'), integer('i8', 'BIGINT'), integer('u8', 'UBIGINT'),
  float('f4', 'FLOAT'), float('f8', 'DOUBLE'), decimal('d5', 5, 1), decimal('d9', 9, 2), decimal('d18', 18, 3),
  { name: 'v', sql: `'é' || n`, literal: n => `'é${n}'`, value: n => `é${n}` },
  {
    name: 'da', sql: `DATE '1970-01-01' + n::INTEGER`, literal: n => `(DATE '1970-01-01' + ${n})`,
    value: n => BigInt(n),
  },
  timestamp('ts', 'TIMESTAMP', MICROS), timestamp('tz', 'TIMESTAMPTZ', MICROS), timestamp('tm', 'TIMESTAMP_MS', MICROS),
  timestamp('tn', 'TIMESTAMP_NS', 1000n * MICROS),
]

/** Of the whole table; `pad` makes it large enough that filters are worth reading. */
export function filteredSelect(columns = filteredColumns): string {
  const list = columns.map(({ name, sql, below }) =>
    `CASE WHEN i % 7 <> 3${below === undefined ? '' : ` AND n < ${below}`} THEN ${sql} END AS ${name}`)
  const rows = GROUPS * GROUP_ROWS
  return `SELECT ${list.join(', ')}, uuid() AS pad
    FROM (SELECT i, 4 * (i % 1000) + i // ${GROUP_ROWS} AS n FROM range(${rows}) t(i)) ORDER BY i`
}
