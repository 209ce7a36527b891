/** Types in emitted SQL. */

import { typeText, type DuckType } from '../proto/types.ts'
import { Unsupported } from './unsupported.ts'

/** The type as it stands in a cast; a struct without names, as row() makes it, cannot be written. */
export function typeName(type: DuckType): string {
  if (!hasName(type)) throw new Unsupported('type of an unnamed struct')
  return typeText(type)
}

export function hasName(type: DuckType): boolean {
  switch (type.kind) {
    case 'scalar': case 'decimal': case 'enum': return true
    case 'list': case 'array': return hasName(type.child)
    case 'map': return hasName(type.key) && hasName(type.value)
    case 'struct': return type.fields.every(field => field.name !== '' && hasName(field.type))
    case 'union': return type.members.every(member => hasName(member.type))
  }
}
