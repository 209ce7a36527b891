/**
 * What Flight SQL's drivers read of a column besides its Arrow type: metadata of its field, by the names of Arrow's
 * FlightSql.proto. A function of DuckDB's type alone, so that coordinator and executors write the same.
 */

import { unreachable } from './errors.ts'
import { knownDuckType, type DuckType, type ScalarName } from './types.ts'

const PREFIX = 'ARROW:FLIGHT:SQL:'

/** Decimal digits. */
const digits: Readonly<Partial<Record<ScalarName, number>>> = {
  TINYINT: 3, SMALLINT: 5, INTEGER: 10, BIGINT: 19, HUGEINT: 39, UTINYINT: 3, USMALLINT: 5, UINTEGER: 10, UBIGINT: 20,
  UHUGEINT: 39,
}
/** Compared by their letters. */
const texts: ReadonlySet<string> = new Set(['VARCHAR', 'JSON', 'ENUM'])

/** Of a column of a result. */
export function resultMetadata(typeText: string): readonly (readonly [string, string])[] {
  const type = knownDuckType(typeText)
  if (type === undefined) return []
  const sizes = type.kind === 'decimal' ? [type.width, type.scale]
    : type.kind === 'scalar' ? [digits[type.name], digits[type.name] === undefined ? undefined : 0] : []
  const [precision, scale] = sizes
  return [
    [`${PREFIX}TYPE_NAME`, typeName(type)],
    ...precision === undefined ? [] : [[`${PREFIX}PRECISION`, String(precision)] as const],
    ...scale === undefined ? [] : [[`${PREFIX}SCALE`, String(scale)] as const],
  ]
}

export interface ColumnPlace {
  readonly catalog: string
  readonly schema: string
  readonly table: string
  readonly remarks: string | null
  /** No statement may change it. */
  readonly readOnly: boolean
}

/** Of a column of a table. */
export function tableMetadata(
  typeText: string, { catalog, schema, table, remarks, readOnly }: ColumnPlace,
): readonly (readonly [string, string])[] {
  const type = knownDuckType(typeText)
  const isText = type !== undefined && texts.has(typeName(type))
  const place: Readonly<Record<string, string>> = {
    CATALOG_NAME: catalog, TABLE_NAME: table,
    // C++ and Java read the one, the text of the standard says the other
    SCHEMA_NAME: schema, DB_SCHEMA_NAME: schema,
    IS_AUTO_INCREMENT: '0', IS_CASE_SENSITIVE: isText ? '1' : '0', IS_READ_ONLY: readOnly ? '1' : '0',
    IS_SEARCHABLE: '1',
    ...remarks === null ? {} : { REMARKS: remarks },
  }
  return [
    ...resultMetadata(typeText), ...Object.entries(place).map(([name, value]) => [`${PREFIX}${name}`, value] as const),
  ]
}

/** Without parameters, as XdbcTypeInfo lists it. */
function typeName(type: DuckType): string {
  switch (type.kind) {
    case 'scalar': return type.name === '"NULL"' ? 'NULL' : type.name
    case 'decimal': case 'list': case 'array': case 'struct': case 'map': case 'union': case 'enum':
      return type.kind.toUpperCase()
    default: return unreachable(type)
  }
}
