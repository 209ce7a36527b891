/** GET and DELETE /query/{id}: what became of a query, and its end. Queries of all faces are found here. */

import type { Clock } from '../../proto/clock.ts'
import type { QueryId } from '../../proto/ids.ts'
import { messageWithoutSecrets, withoutSecrets } from '../../proto/secret-words.ts'
import { HttpStatus, type HttpExchange } from './http.ts'
import type { LoggedQuery, QueryLog } from './ports.ts'
import { hasEnded, startedAtMs } from './query-times.ts'

export interface HttpQueryLogOptions {
  readonly queries: QueryLog
  readonly clock: Clock
  /** What the request said of it besides; undefined for queries of other faces. */
  readonly noteOf: (id: QueryId) => QueryNote | undefined
}

/** What only the HTTP face knows of a query. */
export interface QueryNote {
  readonly visible: boolean
  readonly requestedBy: string | null
  readonly userAgent: string | null
}

export async function getQuery(exchange: HttpExchange, options: HttpQueryLogOptions): Promise<void> {
  exchange.json(200, report(find(exchange, options.queries), options))
}

export async function deleteQuery(exchange: HttpExchange, { queries }: HttpQueryLogOptions): Promise<void> {
  const session = exchange.query.get('session_id')
  if (session === null) throw new HttpStatus(400, 'session_id is missing')
  const query = find(exchange, queries)
  if (query.request.sessionId !== session) {
    exchange.json(200, { cancelled: false, message: 'Session ID does not match' })
  } else if (hasEnded(query)) {
    exchange.json(200, { cancelled: false, message: `the query has ${query.state()}` })
  } else {
    query.cancel('cancelled by its client')
    exchange.json(200, { cancelled: true, message: 'the query is cancelled' })
  }
}

/** Another user's query is as unknown as none. */
function find(exchange: HttpExchange, queries: QueryLog): LoggedQuery {
  const id = exchange.parameters['id'] as QueryId
  const query = queries.get(id)
  const isForeign = exchange.user !== null && query?.request.principal !== exchange.user
  if (query === null || isForeign) throw new HttpStatus(404, `no query ${id}`)
  return query
}

function report(query: LoggedQuery, { clock, noteOf }: HttpQueryLogOptions): object {
  const stats = query.stats()
  const tasks = query.tasks()
  const ended = hasEnded(query)
  const startMs = startedAtMs(query, clock)
  const note = noteOf(query.id)
  const error = query.error()
  const { sql } = query.request
  return {
    uuid: query.id,
    start_time: new Date(startMs).toISOString(),
    end_time: ended ? new Date(startMs + stats.elapsed_ms).toISOString() : null,
    duration_ms: ended ? stats.elapsed_ms : null,
    query: withoutSecrets(sql),
    session_id: query.request.sessionId,
    client_interface: query.request.clientInterface,
    state: query.state(),
    error: error === null ? null : messageWithoutSecrets(error.message, sql),
    error_code: error?.code ?? null,
    error_position: error?.position ?? null,
    visible: note?.visible ?? true,
    requested_by: note?.requestedBy ?? null,
    user_agent: note?.userAgent ?? null,
    progress: {
      percentage: Math.round(query.progress() * 1000) / 10,
      rows_processed: tasks.reduce((sum, { rows }) => sum + rows, 0),
      total_rows: null,
    },
    stats,
    task_reports: tasks,
  }
}
