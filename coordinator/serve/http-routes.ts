/** The paths of the HTTP API. */

import type { QueryId, SessionId } from '../../proto/ids.ts'
import type { Route } from './http.ts'
import { callerOf, postQuery, type HttpQueryOptions } from './http-query.ts'
import type { Logins } from './logins.ts'
import { deleteQuery, getQuery, type QueryNote } from './http-query-log.ts'

const HEALTH = '/healthz'
/** As many as the log of queries keeps. */
const MAX_NOTES = 1_000

/** The route for callers who log in; whether the server lives is anyone's to ask. */
export function forUsers(route: Route, logins: Logins): Route {
  if (route.path === HEALTH) return route
  return {
    ...route,
    async handle(exchange) {
      const { principal } = await logins.caller({
        authorization: exchange.header('authorization') || undefined, address: exchange.address,
        certificate: exchange.certificate,
      })
      exchange.user = principal
      await route.handle(exchange)
    },
  }
}

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
    {
      method: 'DELETE', path: '/session/:id',
      async handle(exchange) {
        const closed = options.sessions.close(exchange.parameters['id'] as SessionId, callerOf(exchange))
        exchange.json(200, { closed })
      },
    },
    { method: 'GET', path: HEALTH, handle: async exchange => exchange.json(200, { ok: true }) },
  ]
}
