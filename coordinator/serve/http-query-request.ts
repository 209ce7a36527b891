/**
 * The body of POST /query: what is asked, checked, with its defaults. Fields that are not known are accepted, because
 * clients of other servers send theirs.
 */

import type { EnumForm } from '../../proto/arrow-schema.ts'
import type { QueryId, SessionId } from '../../proto/ids.ts'
import { QueryError } from '../../proto/errors.ts'
import { timeZone } from '../../proto/time-zone.ts'

export type QueryFormat = 'default' | 'csv' | 'jsonl' | 'arrow'

export interface HttpQueryRequest {
  readonly statement: string
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

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
export function readQueryRequest(body: Buffer): HttpQueryRequest {
  const fields = new Fields(parse(body))
  const timezone = fields.text('timezone')
  if (timezone !== undefined) timeZone(timezone)
  const dialect = fields.text('dialect')
  if (dialect !== undefined && dialect !== '' && dialect !== 'duckdb') {
    throw new QueryError('UNSUPPORTED_STATEMENT', `unsupported dialect: ${dialect}`)
  }
  const statement = fields.text('statement')
  if (statement === undefined) throw new QueryError('INVALID_REQUEST', 'statement is missing')
  const asked = format(fields.text('format') ?? '')
  return {
    statement,
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

function parse(body: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new QueryError('INVALID_REQUEST', `the body is not JSON: ${(cause as Error).message}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new QueryError('INVALID_REQUEST', 'the body must be a JSON object')
  }
  return value as Record<string, unknown>
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

/** Reads typed fields; null counts as absent. */
class Fields {
  readonly #fields: Record<string, unknown>

  constructor(fields: Record<string, unknown>) {
    this.#fields = fields
  }

  text(name: string): string | undefined {
    const value = this.#fields[name] ?? undefined
    if (value === undefined || typeof value === 'string') return value
    throw new QueryError('INVALID_REQUEST', `${name} must be a string`)
  }

  id(name: string): string | undefined {
    const text = this.text(name)
    if (text === undefined || UUID.test(text)) return text
    throw new QueryError('INVALID_REQUEST', `${name} must be a UUID, not '${text}'`)
  }

  flag(name: string): boolean | undefined {
    const value = this.#fields[name] ?? undefined
    if (value === undefined || typeof value === 'boolean') return value
    throw new QueryError('INVALID_REQUEST', `${name} must be true or false`)
  }

  count(name: string): number | null {
    const value = this.#fields[name] ?? null
    if (value === null) return null
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw new QueryError('INVALID_REQUEST', `${name} must be a whole number, 0 or more`)
  }
}
