/** REFRESH of a table or of a catalog: its files are looked at again, now, also those of immutable tables. */

import type { Catalog } from '../../catalog/catalog.ts'
import { QueryError } from '../../proto/errors.ts'
import type { NameDefaults } from './session.ts'

/** TABLE_NOT_FOUND if the name means nothing; rejects with what keeps the first table from being loaded. */
export async function refresh(
  catalog: Pick<Catalog, 'refresh'>, path: readonly string[], defaults: NameDefaults,
): Promise<void> {
  const tables = await catalog.refresh(path, defaults)
  if (tables.length === 0) throw new QueryError('TABLE_NOT_FOUND', `no table or catalog named "${path.join('.')}"`)
  for (const table of tables) if (table.state === 'failed') throw table.error
}
