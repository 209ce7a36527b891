/**
 * Types at exchanges: Parquet changes some values without a word (HUGEINT becomes DOUBLE, an INTERVAL loses its
 * microseconds), so a column is cast to its wire type when it is written and back when it is read. Measured type by
 * type with DuckDB 1.5; whatever is not in a list here comes back unchanged.
 */

import type { DuckField, DuckType } from '../proto/types.ts'
import { unreachable } from '../proto/errors.ts'

const TEXT: DuckType = { kind: 'scalar', name: 'VARCHAR' }

/** The type of the column in the Parquet file; the very same value if nothing changes; null: no exact way exists. */
export function wireType(type: DuckType): DuckType | null {
  switch (type.kind) {
    case 'scalar': return wireScalar(type)
    case 'decimal': return type
    case 'enum': return TEXT
    case 'union': return null // comes back as a STRUCT with a tag
    case 'list': {
      const child = partType(type.child)
      return child === type.child ? type : child && { kind: 'list', child }
    }
    case 'array': {
      const child = partType(type.child)
      return child && { kind: 'list', child }
    }
    case 'struct': {
      const fields = wireFields(type.fields)
      return fields === type.fields ? type : fields && { kind: 'struct', fields }
    }
    case 'map': {
      const [key, value] = [partType(type.key), partType(type.value)]
      if (key === type.key && value === type.value) return type
      return key && value && { kind: 'map', key, value }
    }
    default: return unreachable(type)
  }
}

/** Of a part of another type: DuckDB writes a VARIANT as a column of its own only. */
function partType(type: DuckType): DuckType | null {
  return type.kind === 'scalar' && type.name === 'VARIANT' ? null : wireType(type)
}

function wireScalar(type: Extract<DuckType, { kind: 'scalar' }>): DuckType {
  switch (type.name) {
    case 'HUGEINT': case 'UHUGEINT': // DECIMAL(38,0) ends before HUGEINT does
    case 'INTERVAL': case 'TIME WITH TIME ZONE': case 'BIT': case 'BIGNUM':
    case 'BLOB': // DuckDB writes its escaped text as the minimum and maximum, and then prunes by them: rows get lost
      return TEXT
    case 'TIMESTAMP_S': case 'TIMESTAMP_MS': return { kind: 'scalar', name: 'TIMESTAMP' }
    case '"NULL"': return { kind: 'scalar', name: 'INTEGER' }
    default: return type
  }
}

/** A struct without names cannot be written in a cast. */
function wireFields(fields: readonly DuckField[]): readonly DuckField[] | null {
  const wired: DuckField[] = []
  for (const { name, type } of fields) {
    const wire = partType(type)
    if (wire === null || name === '') return null
    wired.push({ name, type: wire })
  }
  return wired.every(({ type }, i) => type === fields[i]?.type) ? fields : wired
}
