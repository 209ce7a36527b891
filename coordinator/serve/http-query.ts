/**
 * POST /query: a text of one statement or more, in the session that the request names or in one of its own; the rows of
 * the last statement are streamed as they come.
 *
 * format default is NDJSON: a line of metadata as soon as the statement is accepted, a line of columns, a line a row.
 * Whatever fails after acceptance, even before the first byte was sent, is a line `{"error", "code", "position"}`
 * after which nothing follows; a status other than 200 means that the statement was not accepted and never ran.
 *
 * csv, jsonl and arrow (an IPC stream) have no place for an error. So nothing is sent before the first rows are there:
 * a failure until then is an HTTP status with a JSON body, a later one breaks the connection.
 *
 * A client that goes away cancels its query.
 */

import type { TableColumn } from '../../catalog/table.ts'
import { placedError } from '../../planner/parameters.ts'
import { encapsulate, END_OF_STREAM } from '../../proto/arrow-stream.ts'
import type { Clock } from '../../proto/clock.ts'
import { asQueryError, QueryError, unreachable } from '../../proto/errors.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import type { QueryId, SessionId } from '../../proto/ids.ts'
import { timeZone, UTC } from '../../proto/time-zone.ts'
import { readTraceContext, TRACE_HEADER } from '../../proto/trace-context.ts'
import type { RunningQuery } from '../running-query.ts'
import type { Sessions } from '../session/sessions.ts'
import type { StatementInput } from '../session/statement-input.ts'
import type { Statements } from '../session/statements.ts'
import { basicUser } from './basic-user.ts'
import { HttpStatus, type HttpExchange } from './http.ts'
import { readQueryRequest, UnsupportedFormat, type HttpQueryRequest } from './http-query-request.ts'
import type { QueryNote } from './http-query-log.ts'
import { rowText } from './row-text.ts'

export interface HttpQueryOptions {
  readonly sessions: Sessions
  readonly statements: Statements
  readonly clock: Clock
  readonly newId: () => string
  /** Names this coordinator to clients. */
  readonly workerSlug: string
}

/** DuckDB's name of the setting. */
const TIME_ZONE_SETTING = 'TimeZone'
/** Who does not say who it is. */
const ANONYMOUS = 'anonymous'
/** This npm client reads the line of columns as strings. */
const STRING_COLUMNS_AGENT = /^altertable-lakehouse-js\/0\./

/** `note` keeps what the query itself does not. */
export async function postQuery(
  exchange: HttpExchange, options: HttpQueryOptions, note: (id: QueryId, value: QueryNote) => void,
): Promise<void> {
  const startMs = options.clock.nowMs()
  const asked = await readAsked(exchange)
  if (asked === undefined) return
  if (asked.queryId !== undefined && options.statements.get(asked.queryId) !== null) {
    throw new HttpStatus(409, `query ${asked.queryId} exists already`)
  }
  const query = options.statements.submit(statementInput(asked, exchange, options))
  const { visible, requestedBy } = asked
  note(query.id, { visible, requestedBy, userAgent: exchange.header('user-agent') || null })
  const cancel = () => query.cancel('the client went away')
  if (exchange.gone.aborted) cancel()
  else exchange.gone.addEventListener('abort', cancel, { once: true })
  try {
    const { bound } = asked
    const answer = new Answer(exchange, query, thrown => bound === null ? thrown : placedError(thrown, bound))
    if (asked.format !== 'default') await answer.plain(asked.format)
    else await answer.lines(metadata(asked, query, options, startMs))
  } finally {
    query.release()
  }
}

async function readAsked(exchange: HttpExchange): Promise<HttpQueryRequest | undefined> {
  const body = await exchange.body()
  try {
    return readQueryRequest(body)
  } catch (error) {
    if (!(error instanceof UnsupportedFormat)) throw error
    exchange.text(error.class.http, error.message)
    return undefined
  }
}

/** Who asks. */
export function callerOf(exchange: HttpExchange): string {
  return exchange.user ?? basicUser(exchange.header('authorization')) ?? ANONYMOUS
}

function statementInput(
  asked: HttpQueryRequest, exchange: HttpExchange, { sessions, newId }: HttpQueryOptions,
): StatementInput {
  const { statement, dialect, bound, sessionId, queryId, catalog, schema, timezone, enums, cache } = asked
  const { limit, offset } = asked
  const user = callerOf(exchange)
  const session = sessionId === undefined
    ? sessions.once(newId() as SessionId, user) : sessions.use(sessionId, user)
  return {
    session, sql: bound?.sql ?? statement, dialect, unbound: bound === null ? undefined : statement,
    trace: readTraceContext(exchange.header(TRACE_HEADER)),
    clientInterface: 'HttpQuery', queryId, catalog, schema, enums, cache, limit, offset,
    settings: timezone === undefined ? {} : { [TIME_ZONE_SETTING]: timezone },
  }
}

function metadata(asked: HttpQueryRequest, query: RunningQuery, options: HttpQueryOptions, startMs: number): object {
  return {
    statement: asked.statement,
    rows_limit: asked.limit,
    rows_offset: asked.offset,
    init_time_ms: Math.max(1, Math.round(options.clock.nowMs() - startMs)),
    connections_errors: {},
    session_id: query.request.sessionId,
    query_id: query.id,
    worker_slug: options.workerSlug,
  }
}

/** Sends one query's result. */
class Answer {
  readonly #exchange: HttpExchange
  readonly #query: RunningQuery
  /** Turns an error's place in the text that runs into one in the text that was sent. */
  readonly #placed: (thrown: unknown) => unknown

  constructor(exchange: HttpExchange, query: RunningQuery, placed: (thrown: unknown) => unknown) {
    this.#exchange = exchange
    this.#query = query
    this.#placed = placed
  }

  async lines(metadata: object): Promise<void> {
    this.#exchange.start('application/x-ndjson')
    await this.#exchange.write(`${JSON.stringify(metadata)}\n`)
    try {
      const columns = await this.#query.columns
      await this.#exchange.write(`${JSON.stringify(this.#columnsLine(columns))}\n`)
      await this.#send(this.#rows(columns, 'arrays'))
    } catch (thrown) {
      const { code, message, position, retryAfterMs } = asQueryError(this.#placed(thrown))
      const line = { error: message, code, position, retry_after_ms: retryAfterMs }
      await this.#exchange.write(`${JSON.stringify(line)}\n`)
    }
    this.#exchange.end()
  }

  async plain(format: 'csv' | 'jsonl' | 'arrow'): Promise<void> {
    try {
      const columns = await this.#query.columns
      await this.#send(this.#pieces(format, columns), contentType(format))
    } catch (thrown) {
      throw this.#placed(thrown)
    }
    this.#exchange.end()
  }

  #pieces(format: 'csv' | 'jsonl' | 'arrow', columns: readonly TableColumn[]): AsyncIterable<string | Uint8Array> {
    switch (format) {
      case 'arrow': return ipcStream(withFirstRows(this.#query.frames()))
      case 'csv': return this.#rows(columns, 'csv')
      case 'jsonl': return this.#rows(columns, 'objects')
      default: return unreachable(format)
    }
  }

  #rows(columns: readonly TableColumn[], style: 'arrays' | 'objects' | 'csv'): AsyncIterable<string> {
    const zone = this.#query.request.settings[TIME_ZONE_SETTING]
    return rowText(withFirstRows(this.#query.frames()), columns, style, zone === undefined ? UTC : timeZone(zone))
  }

  /** With a content type, the answer starts at the first piece. */
  async #send(pieces: AsyncIterable<string | Uint8Array>, contentType?: string): Promise<void> {
    let started = contentType === undefined
    for await (const piece of pieces) {
      if (!started) this.#exchange.start(contentType ?? '')
      started = true
      await this.#exchange.write(piece)
      if (this.#exchange.gone.aborted) throw new QueryError('CANCELLED', 'the client went away')
    }
    if (!started) this.#exchange.start(contentType ?? '')
  }

  #columnsLine(columns: readonly TableColumn[]): readonly unknown[] {
    if (STRING_COLUMNS_AGENT.test(this.#exchange.header('user-agent'))) return columns.map(({ name }) => name)
    return columns.map(({ name, type }) => ({ name, type }))
  }
}

/** More than a socket takes without saying that it is full. */
const SMALL_BYTES = 64 * 1024

/** Holds the schema back until the message after it is there, or the end: whoever sends it knows that rows came. */
async function* withFirstRows(frames: AsyncIterable<RawFlightData>): AsyncGenerator<RawFlightData> {
  let schema: RawFlightData | undefined
  let first = true
  for await (const frame of frames) {
    if (first) {
      const { dataHeader, dataBody } = frame
      schema = { dataHeader: Uint8Array.from(dataHeader), dataBody } // a frame is its reader's until the next one
      first = false
      continue
    }
    if (schema !== undefined) yield schema
    schema = undefined
    yield frame
  }
  if (schema !== undefined) yield schema
}

/** A piece is valid until the next one is asked for, unless it is so small that it may wait in a buffer of Node's. */
async function* ipcStream(frames: AsyncIterable<RawFlightData>): AsyncGenerator<Uint8Array> {
  for await (const frame of frames) {
    const [head, body] = encapsulate(frame)
    yield head
    if (body.length > 0) yield body.length < SMALL_BYTES ? Uint8Array.from(body) : body
  }
  yield END_OF_STREAM
}

function contentType(format: 'csv' | 'jsonl' | 'arrow'): string {
  switch (format) {
    case 'csv': return 'text/csv; charset=utf-8'
    case 'jsonl': return 'application/x-ndjson'
    case 'arrow': return 'application/vnd.apache.arrow.stream'
    default: return unreachable(format)
  }
}
