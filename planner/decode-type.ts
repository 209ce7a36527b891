/**
 * DuckDB's types as the plan's JSON holds them: `{ id, type_info }`. A user's alias is Unsupported. A collation is left
 * out: binding has written what it does to comparisons and orders into the plan, but for set operations (decode.ts).
 */

import type { DuckField, DuckType, ScalarName } from '../proto/types.ts'
import type { JsonNode } from './json-node.ts'

/** Ids that are a type by themselves. */
const scalars: ReadonlySet<string> = new Set<ScalarName>([
  'BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT',
  'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'UHUGEINT',
  'FLOAT', 'DOUBLE', 'VARCHAR', 'BLOB', 'BIT', 'BIGNUM', 'UUID',
  'DATE', 'TIME', 'TIME_NS', 'TIME WITH TIME ZONE', 'INTERVAL',
  'TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMP WITH TIME ZONE', '"NULL"',
])

export function decodeType(node: JsonNode): DuckType {
  node.only('id', 'type_info')
  const id = node.text('id')
  const info = node.nullable('type_info')
  if (info === null) return scalar(node, id)
  switch (info.text('type')) {
    case 'GENERIC_TYPE_INFO': {
      info.only('type', 'alias', 'extension_info')
      const isJson = id === 'VARCHAR' && info.text('alias') === 'JSON' && info.nullable('extension_info') === null
      return isJson ? { kind: 'scalar', name: 'JSON' } : info.refuse(`type ${id} ${info.text('alias')}`)
    }
    case 'STRING_TYPE_INFO':
      plain(info, 'collation')
      return id === 'VARCHAR' ? { kind: 'scalar', name: 'VARCHAR' } : info.refuse(`type ${id}`)
    case 'DECIMAL_TYPE_INFO': {
      plain(info, 'width', 'scale')
      if (id !== 'DECIMAL') return info.refuse(`type ${id}`)
      return { kind: 'decimal', width: info.count('width'), scale: info.count('scale') }
    }
    case 'LIST_TYPE_INFO': return listType(plain(info, 'child_type'), id)
    case 'ARRAY_TYPE_INFO': {
      plain(info, 'child_type', 'size')
      if (id !== 'ARRAY') return info.refuse(`type ${id}`)
      return { kind: 'array', child: decodeType(info.node('child_type')), size: info.count('size') }
    }
    case 'STRUCT_TYPE_INFO': return structType(plain(info, 'child_types'), id)
    case 'ENUM_TYPE_INFO': {
      plain(info, 'values_count', 'values')
      const values = info.list('values').map(value => value.asText())
      if (id !== 'ENUM' || values.length !== info.count('values_count')) return info.refuse(`type ${id}`)
      return { kind: 'enum', values }
    }
    default: return info.refuse(`type ${id} with ${info.text('type')}`)
  }
}

function scalar(node: JsonNode, id: string): DuckType {
  switch (id) {
    case 'INTEGER_LITERAL': return { kind: 'scalar', name: 'INTEGER' }
    case 'STRING_LITERAL': return { kind: 'scalar', name: 'VARCHAR' }
    case 'NULL': case 'SQLNULL': return { kind: 'scalar', name: '"NULL"' }
    default: return scalars.has(id) ? { kind: 'scalar', name: id as ScalarName } : node.refuse(`type ${id}`)
  }
}

/** Refuses aliases: such a type has a name that only the planning instance knows. */
function plain(info: JsonNode, ...fields: readonly string[]): JsonNode {
  info.only('type', 'alias', 'extension_info', ...fields)
  if (info.text('alias') !== '' || info.nullable('extension_info') !== null) info.refuse(`alias ${info.text('alias')}`)
  return info
}

/** A MAP is a LIST of structs of key and value. */
function listType(info: JsonNode, id: string): DuckType {
  const child = decodeType(info.node('child_type'))
  if (id === 'LIST') return { kind: 'list', child }
  if (id !== 'MAP' || child.kind !== 'struct') return info.refuse(`type ${id}`)
  const [key, value, more] = child.fields
  if (key?.name !== 'key' || value?.name !== 'value' || more !== undefined) return info.refuse('map entries')
  return { kind: 'map', key: key.type, value: value.type }
}

/** A UNION is a STRUCT whose first field is the hidden tag; a VARIANT is one of its own. */
function structType(info: JsonNode, id: string): DuckType {
  if (id === 'VARIANT') return { kind: 'scalar', name: 'VARIANT' }
  const fields = info.list('child_types').map((child): DuckField => {
    child.only('first', 'second')
    return { name: child.text('first'), type: decodeType(child.node('second')) }
  })
  if (id === 'STRUCT') return { kind: 'struct', fields }
  const [tag, ...members] = fields
  if (id !== 'UNION' || tag?.name !== '') return info.refuse(`type ${id}`)
  return { kind: 'union', members }
}
