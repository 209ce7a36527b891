/** Where USE leads: DuckDB takes one name for a schema of the current catalog, or else for a catalog. */

import type { CatalogNames } from '../../catalog/catalog.ts'
import { QueryError } from '../../proto/errors.ts'
import type { OwnInstances } from './own-instances.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

/** Of every catalog. */
const MAIN = 'main'

interface Known {
  readonly sessions: Sessions
  readonly catalogs: () => CatalogNames
  readonly own: OwnInstances
}

export interface Place {
  readonly catalog: string
  readonly schema: string
}

/** null: back to the defaults. Throws TABLE_NOT_FOUND where there is nothing of that name. */
export function pathIn(
  path: readonly string[] | null, session: Session,
  { sessions, catalogs, own }: Known,
): Place {
  if (path === null) return sessions.defaults
  const schemas = new Map([...own.objects(session)].map(name => [name, []]))
  const names: CatalogNames = new Map([...catalogs(), ['memory', schemas], ['temp', new Map()],
    ...own.databases.names.map((name): [string, Map<string, []>] => [name, new Map()])])
  const [first = '', second] = path
  if (second !== undefined) {
    const catalog = named(first, names.keys())
    // which schemas a file has is seen where it is
    const isFile = catalog !== undefined && own.databases.has(catalog)
    const schema = catalog === undefined ? undefined : isFile ? second : schemaIn(second, catalog, names)
    if (catalog !== undefined && schema !== undefined) return { catalog, schema }
  } else {
    const schema = schemaIn(first, session.catalog, names)
    if (schema !== undefined) return { catalog: session.catalog, schema }
    const catalog = named(first, names.keys())
    if (catalog !== undefined) return { catalog, schema: MAIN }
  }
  const text = path.join('.')
  throw new QueryError('TABLE_NOT_FOUND', `Catalog Error: SET schema: No catalog + schema named "${text}" found.`)
}

function schemaIn(schema: string, catalog: string, names: CatalogNames): string | undefined {
  const own = named(catalog, names.keys())
  return named(schema, [MAIN, ...(own === undefined ? [] : names.get(own)?.keys() ?? [])])
}

/** DuckDB's names do not differ by case. */
function named(name: string, among: Iterable<string>): string | undefined {
  return [...among].find(one => one.toLowerCase() === name.toLowerCase())
}
