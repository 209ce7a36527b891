/** POST /explain: what would be done for a statement; `text` is for people, the rest for programs. */

import { QueryError } from '../../proto/errors.ts'
import type { SessionId } from '../../proto/ids.ts'
import { explanationText, type Explanation } from '../explain.ts'
import type { QueryRequest } from '../running-query.ts'
import type { HttpExchange, Route } from './http.ts'

export interface HttpExplainOptions {
  readonly explain: (request: QueryRequest) => Promise<Explanation>
  readonly newId: () => string
  readonly defaultCatalog: string
  readonly defaultSchema: string
}

export function explainRoute({ explain, newId, defaultCatalog, defaultSchema }: HttpExplainOptions): Route {
  return {
    method: 'POST', path: '/explain',
    async handle(exchange: HttpExchange) {
      const { statement, catalog, schema } = parse(await exchange.body())
      const explanation = await explain({
        sql: statement, defaultCatalog: catalog ?? defaultCatalog, defaultSchema: schema ?? defaultSchema, settings: {},
        principal: 'anonymous', sessionId: newId() as SessionId, clientInterface: 'HttpQuery',
      })
      exchange.json(200, { ...explanation, text: explanationText(explanation) })
    },
  }
}

function parse(body: Buffer): { statement: string; catalog: string | undefined; schema: string | undefined } {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new QueryError('INVALID_REQUEST', 'the body is not JSON', { cause })
  }
  const fields = new Map(typeof value === 'object' && value !== null ? Object.entries(value) : [])
  const text = (name: string): string | undefined => {
    const field: unknown = fields.get(name) ?? undefined
    if (field === undefined || typeof field === 'string') return field
    throw new QueryError('INVALID_REQUEST', `${name} is not text`)
  }
  const statement = text('statement')
  if (statement === undefined) throw new QueryError('INVALID_REQUEST', 'statement is missing')
  return { statement, catalog: text('catalog'), schema: text('schema') }
}
