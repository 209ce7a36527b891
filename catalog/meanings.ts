/** What a name in a text may mean: DuckDB leaves out parts of it, and fills them in. */

import { BUCKET_SCHEMA } from './definitions.ts'
import type { TableName } from './table.ts'

export interface NameDefaults {
  readonly catalog: string
  readonly schema: string
}

/** DuckDB takes `a.b` for schema and table or for catalog and table, whichever there is. */
export function meanings(name: readonly string[], defaults: NameDefaults): TableName[] {
  const [first, second, third] = name
  if (first === undefined) return []
  if (second === undefined) return [{ ...defaults, table: first }]
  if (third !== undefined) return [{ catalog: first, schema: second, table: third }]
  return [
    { catalog: defaults.catalog, schema: first, table: second },
    { catalog: first, schema: BUCKET_SCHEMA, table: second },
  ]
}
