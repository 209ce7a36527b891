/**
 * POST /explain: what would be done for a statement, or with `analyze` what was done; `text` is for people, `mermaid` a
 * drawing, the rest for programs. A client that goes away cancels what is analyzed.
 */

import { QueryError } from '../../proto/errors.ts'
import type { SessionId } from '../../proto/ids.ts'
import type { Analyzed } from '../explain-query.ts'
import { explanationMermaid } from '../explain-mermaid.ts'
import { explanationText } from '../explain-text.ts'
import type { Explanation } from '../explanation.ts'
import type { QueryRequest } from '../running-query.ts'
import type { HttpExchange, Route } from './http.ts'

export interface HttpExplainOptions {
  readonly queries: {
    explain(request: QueryRequest): Promise<Explanation>
    analyze(request: QueryRequest, format: 'json'): Pick<Analyzed, 'explanation' | 'cancel' | 'release'>
  }
  readonly newId: () => string
  readonly defaultCatalog: string
  readonly defaultSchema: string
}

export function explainRoute({ queries, newId, defaultCatalog, defaultSchema }: HttpExplainOptions): Route {
  return {
    method: 'POST', path: '/explain',
    async handle(exchange: HttpExchange) {
      const { statement, catalog, schema, analyze } = parse(await exchange.body())
      const request: QueryRequest = {
        sql: statement, defaultCatalog: catalog ?? defaultCatalog, defaultSchema: schema ?? defaultSchema, settings: {},
        principal: exchange.user ?? 'anonymous', sessionId: newId() as SessionId, clientInterface: 'HttpQuery',
      }
      const explanation = await (analyze ? analyzed(queries.analyze(request, 'json'), exchange.gone)
        : queries.explain(request))
      const [text, mermaid] = [explanationText(explanation), explanationMermaid(explanation)]
      exchange.json(200, { ...explanation, text, mermaid })
    },
  }
}

async function analyzed(
  query: Pick<Analyzed, 'explanation' | 'cancel' | 'release'>, gone: AbortSignal,
): Promise<Explanation> {
  const cancel = (): void => query.cancel('the client went away')
  gone.addEventListener('abort', cancel, { once: true })
  try {
    if (gone.aborted) cancel()
    return await query.explanation()
  } finally {
    gone.removeEventListener('abort', cancel)
    query.release()
  }
}

interface Asked {
  readonly statement: string
  readonly catalog: string | undefined
  readonly schema: string | undefined
  readonly analyze: boolean
}

function parse(body: Buffer): Asked {
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
  const analyze: unknown = fields.get('analyze') ?? false
  if (typeof analyze !== 'boolean') throw new QueryError('INVALID_REQUEST', 'analyze is not true or false')
  return { statement, catalog: text('catalog'), schema: text('schema'), analyze }
}
