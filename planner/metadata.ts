/** What tells of the catalog itself rather than of tables: functions, views and statements that list what is there. */

import { metadataFunctions } from '../proto/table-functions.ts'
import type { Mention, Syntax } from './syntax.ts'

/** Views of every database with the names of these functions, and DuckDB's forms of what others have. */
const views = new RegExp(`^(${[
  'duckdb_(databases|schemas|tables|views|columns|constraints|indexes|types)',
  'sqlite_(schema|master|temp_schema|temp_master)',
  'pg_(attrdef|attribute|class|constraint|database|depend|description|enum|index|indexes|namespace|proc|sequence)',
  'pg_(sequences|tables|tablespace|type|views)',
].join('|')})$`, 'i')
const schemas: ReadonlySet<string> = new Set(['information_schema', 'pg_catalog'])
/** SHOW and its like, which need more than the names that they mention. */
const listing = (show: Mention): boolean => show.name !== 'DESCRIBE' && show.name !== 'SUMMARY'

export function readsMetadata({ tables, tableFunctions, shows }: Syntax): boolean {
  return shows.some(listing) || tableFunctions.some(({ name }) => metadataFunctions.has(name))
    || tables.some(({ schema, name }) => schemas.has(schema?.toLowerCase() ?? '') || views.test(name))
}
