/**
 * DuckDB's types as values: read from DuckDB's own text of a type, and written as text that DuckDB reads back as the
 * same type. The mappings to Arrow, to Parquet's wire types and to JSON start from these.
 */

export type DuckType =
  | { readonly kind: 'scalar'; readonly name: ScalarName }
  | { readonly kind: 'decimal'; readonly width: number; readonly scale: number }
  | { readonly kind: 'list'; readonly child: DuckType }
  | { readonly kind: 'array'; readonly child: DuckType; readonly size: number }
  | { readonly kind: 'struct'; readonly fields: readonly DuckField[] }
  | { readonly kind: 'map'; readonly key: DuckType; readonly value: DuckType }
  | { readonly kind: 'union'; readonly members: readonly DuckField[] }
  | { readonly kind: 'enum'; readonly values: readonly string[] }

export interface DuckField {
  readonly name: string
  readonly type: DuckType
}

/** DuckDB's own spelling, as `typeof` and DESCRIBE give it. */
export type ScalarName =
  | 'BOOLEAN' | 'TINYINT' | 'SMALLINT' | 'INTEGER' | 'BIGINT' | 'HUGEINT'
  | 'UTINYINT' | 'USMALLINT' | 'UINTEGER' | 'UBIGINT' | 'UHUGEINT'
  | 'FLOAT' | 'DOUBLE' | 'VARCHAR' | 'BLOB' | 'BIT' | 'BIGNUM' | 'UUID' | 'JSON' | 'VARIANT' | 'GEOMETRY'
  | 'DATE' | 'TIME' | 'TIME_NS' | 'TIME WITH TIME ZONE' | 'INTERVAL'
  | 'TIMESTAMP' | 'TIMESTAMP_S' | 'TIMESTAMP_MS' | 'TIMESTAMP_NS' | 'TIMESTAMP WITH TIME ZONE'
  | '"NULL"'
