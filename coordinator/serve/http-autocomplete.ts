/** POST /autocomplete: what may stand at the end of a statement that is being written. Nothing runs. */

import { QueryError } from '../../proto/errors.ts'
import type { SessionId } from '../../proto/ids.ts'
import type { Completions } from '../session/completions.ts'
import type { Sessions } from '../session/sessions.ts'
import type { HttpExchange, Route } from './http.ts'
import { callerOf } from './http-query.ts'
import { Fields, jsonObject } from './json-fields.ts'

const DEFAULT_SUGGESTIONS = 20
/** Nobody reads more. */
const MAX_SUGGESTIONS = 200

export interface AutocompleteOptions {
  readonly sessions: Sessions
  readonly completions: Completions
  readonly newId: () => string
}

export function autocompleteRoute({ sessions, completions, newId }: AutocompleteOptions): Route {
  return {
    method: 'POST', path: '/autocomplete',
    async handle(exchange: HttpExchange) {
      const fields = new Fields(jsonObject(await exchange.body()))
      const statement = fields.text('statement')
      if (statement === undefined) throw new QueryError('INVALID_REQUEST', 'statement is missing')
      const principal = callerOf(exchange)
      const sessionId = fields.id('session_id') as SessionId | undefined
      const session = (sessionId === undefined ? undefined : sessions.known(sessionId, principal))
        ?? sessions.once(newId() as SessionId, principal)
      const { catalog = session.catalog, schema = session.schema } = {
        catalog: fields.text('catalog'), schema: fields.text('schema'),
      }
      const most = Math.min(fields.count('max_suggestions') ?? DEFAULT_SUGGESTIONS, MAX_SUGGESTIONS)
      const found = await completions.complete(session, statement, { catalog, schema }, most)
      const suggestions = found.map(({ text, start, kind, score, next }) => ({
        suggestion: text, suggestion_start: start, suggestion_type: kind, suggestion_score: score,
        ...(next === null ? {} : { extra_char: next }),
      }))
      exchange.json(200, { suggestions, statement, connections_errors: {} })
    },
  }
}
