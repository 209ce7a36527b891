/** Arrow's extension types that are known here: metadata of a field whose values have an ordinary type. */

import type { DuckType } from './types.ts'

export const EXTENSION_NAME = 'ARROW:extension:name'
const EXTENSION_METADATA = 'ARROW:extension:metadata'

/** FixedSizeBinary(16), first byte first. */
export const UUID_EXTENSION = 'arrow.uuid'

/** Metadata of a field of this type. Readers that do not know the extension see the ordinary type. */
export function extensionMetadata(type: DuckType): readonly (readonly [string, string])[] {
  if (type.kind !== 'scalar' || type.name !== 'UUID') return []
  return [[EXTENSION_NAME, UUID_EXTENSION], [EXTENSION_METADATA, '']]
}
