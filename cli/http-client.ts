/**
 * Skein's HTTP API as the commands use it: a query whose rows come as an Arrow stream, its state and numbers by its id,
 * and its plan. Errors of the server arrive as the QueryErrors they were.
 */

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { errorCode, QueryError } from '../proto/errors.ts'
import type { RawFlightData } from '../proto/flight-data.ts'
import { readStream } from '../proto/arrow-stream.ts'
import type { Identity } from './identity.ts'

/** An answer that is not rows: a plan, an error. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024

export interface QueryReport {
  readonly state?: string
  readonly error?: string | null
  readonly error_code?: string | null
  readonly progress: { readonly percentage: number }
  readonly stats: Readonly<Record<string, unknown>>
  readonly task_reports?: readonly TaskReport[]
}

/** One task of a query, as GET /query/{id} tells it. */
export interface TaskReport {
  readonly stage: number
  readonly partition: number
  readonly attempt: number
  readonly executor: string
  readonly state: string
  readonly files: readonly string[]
  readonly rows: number
  readonly outputBytes: number
  readonly bytesFetched: number
  readonly bytesCached: number
  readonly exchangeBytes: number
  readonly runMs: number
}

/** Of the body of POST /query. */
export interface QueryFields {
  /** False: no kept result answers it. */
  readonly cache?: boolean
  readonly session_id?: string
  /** Of the statement; absent: DuckDB's own. */
  readonly dialect?: string
  /** False: not in lists of queries. */
  readonly visible?: boolean
}

export interface Suggestion {
  readonly suggestion: string
  /** In characters of the text: what stands from there on is replaced. */
  readonly suggestion_start: number
}

/** For people, as a drawing, and all else for programs. */
export interface ExplainAnswer {
  readonly text: string
  readonly mermaid: string
  readonly [field: string]: unknown
}

export class HttpClient {
  readonly #url: URL
  readonly #identity: Identity

  constructor(url: string, identity: Identity = {}) {
    const { protocol, username } = URL.canParse(url) ? new URL(url) : { protocol: '', username: '' }
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new QueryError('INVALID_REQUEST', `--url takes an http:// or https:// address, not '${url}'`)
    }
    if (username !== '') throw new QueryError('INVALID_REQUEST', '--url takes no user: see --user')
    this.#url = new URL(url)
    this.#identity = identity
  }

  /** The messages of the result, schema first; leaving the loop early cancels the query. `fields`: of the request. */
  async *query(
    statement: string, queryId: string, signal: AbortSignal, fields: QueryFields = {},
  ): AsyncGenerator<RawFlightData> {
    const body = { ...fields, statement, query_id: queryId, format: 'arrow' }
    const response = await this.#send('POST', '/query', body, signal)
    try {
      yield* readStream(response)
    } catch (error) {
      throw await this.#explainFailure(error, queryId, signal)
    } finally {
      response.destroy()
    }
  }

  async report(queryId: string): Promise<QueryReport> {
    return JSON.parse(await text(await this.#send('GET', `/query/${queryId}`))) as QueryReport
  }

  /** What may stand at the end of the text, best first. */
  async complete(statement: string, sessionId: string): Promise<readonly Suggestion[]> {
    const body = { statement, session_id: sessionId }
    const answer = await text(await this.#send('POST', '/autocomplete', body))
    return (JSON.parse(answer) as { readonly suggestions: readonly Suggestion[] }).suggestions
  }

  /** What the session holds is freed. */
  async closeSession(sessionId: string): Promise<void> {
    await text(await this.#send('DELETE', `/session/${sessionId}`))
  }

  /** With `analyze` it runs; a signal cancels it. */
  async explain(
    statement: string, fields: { readonly analyze: boolean; readonly dialect?: string | undefined },
    signal: AbortSignal,
  ): Promise<ExplainAnswer> {
    const response = await this.#send('POST', '/explain', { statement, ...fields }, signal)
    return JSON.parse(await text(response)) as ExplainAnswer
  }

  /** A stream that breaks says only that it broke; the query's record says why. */
  async #explainFailure(error: unknown, queryId: string, signal: AbortSignal): Promise<unknown> {
    if (signal.aborted) return new QueryError('CANCELLED', 'the query was cancelled')
    const record = await this.#send('GET', `/query/${queryId}`).then(text).catch(() => '{}')
    const { error: message, error_code: code } = JSON.parse(record) as QueryReport
    if (typeof message === 'string') return new QueryError(errorCode(code ?? '') ?? 'INTERNAL', message)
    if (error instanceof QueryError) return error
    return new QueryError('UNAVAILABLE', `the server went away: ${(error as Error).message}`, { cause: error })
  }

  async #send(method: string, path: string, body?: object, signal?: AbortSignal): Promise<IncomingMessage> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const { authorization, ...tls } = this.#identity
      const headers = { 'content-type': 'application/json', ...authorization === undefined ? {} : { authorization } }
      const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest
      const request = send(new URL(path, this.#url), {
        ...tls, method, headers, ...(signal === undefined ? {} : { signal }),
      }, resolve)
      request.on('error', error => {
        if (signal?.aborted === true) return reject(new QueryError('CANCELLED', 'the query was cancelled'))
        const what = `no answer from ${this.#url.origin}: ${error.message}`
        reject(new QueryError('UNAVAILABLE', what, { cause: error }))
      })
      request.end(body === undefined ? undefined : JSON.stringify(body))
    })
    if (response.statusCode === 200) return response
    throw failure(await text(response), response.statusCode ?? 0)
  }
}

function failure(body: string, status: number): QueryError {
  try {
    const { error } = JSON.parse(body) as { error: { code: string; message: string; position?: number } }
    return new QueryError(errorCode(error.code) ?? 'INTERNAL', error.message, { position: error.position })
  } catch {
    return new QueryError('UNAVAILABLE', `the server answered ${status}: ${body.slice(0, 200)}`)
  }
}

async function text(response: IncomingMessage): Promise<string> {
  let body = ''
  response.setEncoding('utf8')
  for await (const piece of response) {
    body += String(piece)
    if (body.length > MAX_TEXT_BYTES) throw new QueryError('RESULT_TOO_LARGE', `an answer over ${MAX_TEXT_BYTES} bytes`)
  }
  return body
}
