/**
 * POST /explain: what would be done for a statement, or with `analyze` what was done; `text` is for people, `mermaid` a
 * drawing, the rest for programs. A client that goes away cancels what is analyzed.
 */

import type { DialectName } from '../../planner/dialect/dialect.ts'
import { dialectOf } from '../../planner/dialect/dialect-name.ts'
import { ofTranslation } from '../../planner/dialect/of-translation.ts'
import { QueryError } from '../../proto/errors.ts'
import type { SessionId } from '../../proto/ids.ts'
import type { Analyzed } from '../explain-query.ts'
import { explanationMermaid } from '../explain-mermaid.ts'
import { explanationText } from '../explain-text.ts'
import type { Explanation } from '../explanation.ts'
import type { NameDefaults } from '../query-ports.ts'
import type { QueryRequest } from '../running-query.ts'
import type { HttpExchange, Route } from './http.ts'
import { callerOf } from './http-query.ts'
import { Fields, jsonObject } from './json-fields.ts'

export interface HttpExplainOptions {
  readonly queries: {
    explain(request: QueryRequest): Promise<Explanation>
    analyze(request: QueryRequest, format: 'json'): Pick<Analyzed, 'explanation' | 'cancel' | 'release'>
  }
  readonly statements: { translated(sql: string, dialect: DialectName): Promise<string> }
  readonly newId: () => string
  readonly defaults: () => NameDefaults
}

export function explainRoute({ queries, statements, newId, defaults }: HttpExplainOptions): Route {
  return {
    method: 'POST', path: '/explain',
    async handle(exchange: HttpExchange) {
      const { statement, dialect, catalog, schema, analyze } = parse(await exchange.body())
      const from = defaults()
      const sql = dialect === null ? statement : await statements.translated(statement, dialect)
      const request: QueryRequest = {
        sql, defaultCatalog: catalog ?? from.catalog, defaultSchema: schema ?? from.schema, settings: {},
        principal: callerOf(exchange), sessionId: newId() as SessionId, clientInterface: 'HttpQuery',
        ...dialect === null ? {} : { dialect },
      }
      const explanation = await (analyze ? analyzed(queries.analyze(request, 'json'), exchange.gone)
        : queries.explain(request)).catch((thrown: unknown) => {
        throw dialect === null ? thrown : ofTranslation(thrown, sql)
      })
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
  readonly dialect: DialectName | null
  readonly catalog: string | undefined
  readonly schema: string | undefined
  readonly analyze: boolean
}

function parse(body: Buffer): Asked {
  const fields = new Fields(jsonObject(body))
  const statement = fields.text('statement')
  if (statement === undefined) throw new QueryError('INVALID_REQUEST', 'statement is missing')
  return {
    statement, dialect: dialectOf(fields.text('dialect') ?? ''), catalog: fields.text('catalog'),
    schema: fields.text('schema'), analyze: fields.flag('analyze') ?? false,
  }
}
