/** What CommandStatementIngest asks for: into which table, and what if it is missing or there. */

import { QueryError } from '../../proto/errors.ts'
import {
  CommandStatementIngest_TableDefinitionOptions_TableExistsOption as IfThere,
  CommandStatementIngest_TableDefinitionOptions_TableNotExistOption as IfMissing, type CommandStatementIngest,
} from '../../proto/gen/flight_sql_pb.js'
import type { IngestMode, IngestTarget } from '../session/write-streams.ts'
import type { NameDefaults } from '../session/session.ts'

/** Of every catalog. */
const MAIN = 'main'

/** Where a name without catalog or schema leads the session knows. Throws INVALID_REQUEST. */
export function ingestTarget(command: CommandStatementIngest, defaults: NameDefaults): IngestTarget {
  const { table, catalog, schema, temporary } = command
  if (table === '') throw invalid('the ingest names no table')
  if (!temporary) {
    const inDefault = catalog === undefined || catalog.toLowerCase() === defaults.catalog.toLowerCase()
    return { catalog: catalog ?? defaults.catalog, schema: schema ?? (inDefault ? defaults.schema : MAIN), table }
  }
  if (catalog !== undefined || schema !== undefined) throw invalid('a temporary table has no catalog and no schema')
  return { catalog: 'temp', schema: MAIN, table }
}

/** Throws INVALID_REQUEST for what is left open. */
export function ingestMode({ tableDefinitionOptions, options }: CommandStatementIngest): IngestMode {
  const [option] = Object.keys(options)
  if (option !== undefined) throw invalid(`the ingest option ${option} is not known`)
  const ifMissing = missing[tableDefinitionOptions?.ifNotExist ?? IfMissing.UNSPECIFIED]
  const ifThere = there[tableDefinitionOptions?.ifExists ?? IfThere.UNSPECIFIED]
  if (ifMissing === undefined) throw invalid('the ingest does not say what is done if its table is missing')
  if (ifThere === undefined) throw invalid('the ingest does not say what is done if its table is there')
  return { ifMissing, ifThere }
}

const missing: Readonly<Record<number, IngestMode['ifMissing']>> = {
  [IfMissing.CREATE]: 'create', [IfMissing.FAIL]: 'fail',
}
const there: Readonly<Record<number, IngestMode['ifThere']>> = {
  [IfThere.FAIL]: 'fail', [IfThere.APPEND]: 'append', [IfThere.REPLACE]: 'replace',
}

function invalid(message: string): QueryError {
  return new QueryError('INVALID_REQUEST', message)
}
