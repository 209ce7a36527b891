/**
 * The body of POST /query: what is asked, checked, with its defaults. Fields that are not known are accepted, because
 * clients of other servers send theirs.
 */

import type { DialectName } from '../../planner/dialect/dialect.ts'
import { dialectOf } from '../../planner/dialect/dialect-name.ts'
import { bindText, findParameters, type BoundText } from '../../planner/parameters.ts'
import type { EnumForm } from '../../proto/arrow-schema.ts'
import type { QueryId, SessionId } from '../../proto/ids.ts'
import { QueryError } from '../../proto/errors.ts'
import { timeZone } from '../../proto/time-zone.ts'
import { Fields, jsonObject } from './json-fields.ts'
import { parameterValues, readParameters } from './json-parameters.ts'

export type QueryFormat = 'default' | 'csv' | 'jsonl' | 'arrow'

export interface HttpQueryRequest {
  readonly statement: string
  /** Of the statement; null: DuckDB's own. */
  readonly dialect: DialectName | null
  /** With values in the places of its parameters; null: no values are given. */
  readonly bound: BoundText | null
  readonly catalog: string | undefined
  readonly schema: string | undefined
  readonly sessionId: SessionId | undefined
  readonly queryId: QueryId | undefined
  readonly format: QueryFormat
  /** Of the format arrow; in the others they are text. */
  readonly enums: EnumForm
  readonly limit: number | null
  readonly offset: number | null
  readonly timezone: string | undefined
  /** False: neither answered with a result that was kept, nor kept. */
  readonly cache: boolean
  /** Shown in lists of queries. */
  readonly visible: boolean
  readonly requestedBy: string | null
}

export function readQueryRequest(body: Buffer): HttpQueryRequest {
  const fields = new Fields(jsonObject(body))
  const timezone = fields.text('timezone')
  if (timezone !== undefined) timeZone(timezone)
  const dialect = dialectOf(fields.text('dialect') ?? '')
  if (dialect !== null && fields.has('parameters')) {
    throw new QueryError('INVALID_REQUEST', 'a statement in a foreign dialect takes no parameters')
  }
  const statement = fields.text('statement')
  if (statement === undefined) throw new QueryError('INVALID_REQUEST', 'statement is missing')
  const asked = format(fields.text('format') ?? '')
  return {
    statement,
    dialect,
    bound: !fields.has('parameters') ? null
      : bindText(statement, parameterValues(findParameters(statement), readParameters(body))),
    catalog: fields.text('catalog'),
    schema: fields.text('schema'),
    sessionId: fields.id('session_id') as SessionId | undefined,
    queryId: fields.id('query_id') as QueryId | undefined,
    format: asked,
    enums: asked === 'arrow' ? enumForm(fields.text('enums') ?? 'text') : 'text',
    limit: fields.count('limit'),
    offset: fields.count('offset'),
    timezone,
    cache: fields.flag('cache') ?? true,
    visible: fields.flag('visible') ?? true,
    requestedBy: fields.text('requested_by') ?? null,
  }
}

function format(text: string): QueryFormat {
  switch (text) {
    case '': case 'default': return 'default'
    case 'csv': case 'jsonl': case 'arrow': return text
    default: throw new UnsupportedFormat(text)
  }
}

function enumForm(text: string): EnumForm {
  if (text === 'text' || text === 'dictionary') return text
  throw new QueryError('INVALID_REQUEST', `enums must be text or dictionary, not '${text}'`)
}

/** Answered as plain text, for that is what clients know. */
export class UnsupportedFormat extends QueryError {
  constructor(format: string) {
    super('INVALID_REQUEST', `Unsupported query format: ${format}`)
  }
}
