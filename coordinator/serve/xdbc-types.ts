/** CommandGetXdbcTypeInfo: DuckDB's types in the terms of ODBC and JDBC. Numbers: their specifications' type codes. */

import type { SmallColumn } from '../../proto/arrow-table.ts'

interface XdbcType {
  readonly name: string
  /** What a client declares it as; several of DuckDB's types share one. */
  readonly code: number
  readonly size: number
  /** What stands before and after a literal. */
  readonly literal?: readonly [string, string]
  readonly parameters?: readonly string[]
  readonly unsigned?: boolean
  readonly radix?: number
  readonly scales?: readonly [number, number]
  readonly subcode?: number
}

const NULLABLE = 1
const SEARCHABLE_BASIC = 2
const SEARCHABLE_FULL = 3
const DATETIME = 9
const VARCHAR = 12

/** In the order of the answer: by code, then name. */
const types: readonly XdbcType[] = [
  { name: 'BOOLEAN', code: -7, size: 1 },
  { name: 'TINYINT', code: -6, size: 3, radix: 10, unsigned: false },
  { name: 'BIGINT', code: -5, size: 19, radix: 10, unsigned: false },
  { name: 'UINTEGER', code: -5, size: 10, radix: 10, unsigned: true },
  { name: 'BLOB', code: -3, size: 0x7fff_ffff, literal: ["'", "'::BLOB"] },
  {
    name: 'DECIMAL', code: 3, size: 38, radix: 10, unsigned: false, scales: [0, 38], parameters: ['precision', 'scale'],
  },
  { name: 'HUGEINT', code: 3, size: 39, radix: 10, unsigned: false, scales: [0, 0] },
  { name: 'UBIGINT', code: 3, size: 20, radix: 10, unsigned: true, scales: [0, 0] },
  { name: 'INTEGER', code: 4, size: 10, radix: 10, unsigned: false },
  { name: 'USMALLINT', code: 4, size: 5, radix: 10, unsigned: true },
  { name: 'SMALLINT', code: 5, size: 5, radix: 10, unsigned: false },
  { name: 'UTINYINT', code: 5, size: 3, radix: 10, unsigned: true },
  { name: 'FLOAT', code: 7, size: 24, radix: 2, unsigned: false },
  { name: 'DOUBLE', code: 8, size: 53, radix: 2, unsigned: false },
  { name: 'INTERVAL', code: VARCHAR, size: 64, literal: ["INTERVAL '", "'"] },
  { name: 'JSON', code: VARCHAR, size: 0x7fff_ffff, literal: ["'", "'::JSON"] },
  { name: 'UUID', code: VARCHAR, size: 36, literal: ["'", "'::UUID"] },
  { name: 'VARCHAR', code: VARCHAR, size: 0x7fff_ffff, literal: ["'", "'"], parameters: ['length'] },
  { name: 'DATE', code: 91, size: 10, literal: ["DATE '", "'"], subcode: 1 },
  { name: 'TIME', code: 92, size: 15, literal: ["TIME '", "'"], scales: [6, 6], subcode: 2 },
  { name: 'TIMESTAMP', code: 93, size: 26, literal: ["TIMESTAMP '", "'"], scales: [6, 6], subcode: 3 },
  { name: 'TIMESTAMP WITH TIME ZONE', code: 93, size: 32, literal: ["TIMESTAMPTZ '", "'"], scales: [6, 6], subcode: 3 },
]

/** `asked` is a type code, or undefined for all. */
export function xdbcTypeColumns(asked: number | undefined): readonly SmallColumn[] {
  const rows = types.filter(({ code }) => asked === undefined || code === asked)
  const utf8 = (name: string, nullable: boolean, of: (type: XdbcType) => string | null): SmallColumn =>
    ({ name, kind: 'utf8', nullable, values: rows.map(of) })
  const int32 = (name: string, nullable: boolean, of: (type: XdbcType) => number | null): SmallColumn =>
    ({ name, kind: 'int32', nullable, values: rows.map(of) })
  const bool = (name: string, nullable: boolean, of: (type: XdbcType) => boolean | null): SmallColumn =>
    ({ name, kind: 'bool', nullable, values: rows.map(of) })
  return [
    utf8('type_name', false, ({ name }) => name),
    int32('data_type', false, ({ code }) => code),
    int32('column_size', true, ({ size }) => size),
    utf8('literal_prefix', true, ({ literal }) => literal?.[0] ?? null),
    utf8('literal_suffix', true, ({ literal }) => literal?.[1] ?? null),
    { name: 'create_params', kind: 'texts', nullable: true, values: rows.map(({ parameters }) => parameters ?? null) },
    int32('nullable', false, () => NULLABLE),
    bool('case_sensitive', false, ({ code }) => code === VARCHAR),
    int32('searchable', false, ({ code }) => code === VARCHAR ? SEARCHABLE_FULL : SEARCHABLE_BASIC),
    bool('unsigned_attribute', true, ({ unsigned }) => unsigned ?? null),
    bool('fixed_prec_scale', false, () => false),
    bool('auto_increment', true, () => false),
    utf8('local_type_name', true, ({ name }) => name),
    int32('minimum_scale', true, ({ scales }) => scales?.[0] ?? null),
    int32('maximum_scale', true, ({ scales }) => scales?.[1] ?? null),
    int32('sql_data_type', false, ({ code, subcode }) => subcode === undefined ? code : DATETIME),
    int32('datetime_subcode', true, ({ subcode }) => subcode ?? null),
    int32('num_prec_radix', true, ({ radix }) => radix ?? null),
    int32('interval_precision', true, () => null),
  ]
}
