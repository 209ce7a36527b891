/** The paths of the HTTP API. */

import type { QueryId } from '../../proto/ids.ts'
import type { Route } from './http.ts'
import { postQuery, type HttpQueryOptions } from './http-query.ts'
import { deleteQuery, getQuery, type QueryNote } from './http-query-log.ts'

/** As many as the log of queries keeps. */
const MAX_NOTES = 1_000

export function queryRoutes(options: HttpQueryOptions): Route[] {
  const notes = new Map<QueryId, QueryNote>()
  const log = { queries: options.statements, clock: options.clock, noteOf: (id: QueryId) => notes.get(id) }
  const note = (id: QueryId, value: QueryNote): void => {
    notes.set(id, value)
    const [oldest] = notes.keys()
    if (notes.size > MAX_NOTES && oldest !== undefined) notes.delete(oldest)
  }
  return [
    { method: 'POST', path: '/query', handle: exchange => postQuery(exchange, options, note) },
    { method: 'GET', path: '/query/:id', handle: exchange => getQuery(exchange, log) },
    { method: 'DELETE', path: '/query/:id', handle: exchange => deleteQuery(exchange, log) },
    { method: 'GET', path: '/healthz', handle: async exchange => exchange.json(200, { ok: true }) },
  ]
}
