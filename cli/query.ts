/** `skein query` and `skein explain`: one statement on a server that runs, or on a private cluster made for it. */

import { QueryError, unreachable } from '../proto/errors.ts'
import { UTC } from '../proto/time-zone.ts'
import { writeAnswer, type Format, type Write } from './answer.ts'
import type { ClusterOptions } from './cluster.ts'
import { HttpClient } from './http-client.ts'
import type { Identity } from './identity.ts'
import { withPrivateCluster } from './private-cluster.ts'

/** Where the statement runs: at an address, or on a cluster of its own. */
export type Where = { readonly url: string; readonly identity?: Identity } | { readonly cluster: ClusterOptions }

export interface Statement {
  readonly sql: string
  readonly where: Where
  readonly signal: AbortSignal
  /** Of the text; absent: DuckDB's own. */
  readonly dialect?: string | undefined
  /** False: no kept result answers it. */
  readonly cache: boolean
  readonly newId: () => string
  readonly write: Write
}

export async function query(
  { sql, dialect, where, signal, cache, newId, write }: Statement, format: Format,
): Promise<void> {
  await withServer(where, signal, async client => {
    const queryId = newId()
    const stats = async (): Promise<object> => (await client.report(queryId)).stats
    const frames = client.query(sql, queryId, signal, { cache, ...dialect === undefined ? {} : { dialect } })
    await writeAnswer(format, { frames, zone: UTC, stats }, write)
  })
}

export type ExplainFormat = 'text' | 'json' | 'mermaid'

export function explainFormatOf(word: string | undefined): ExplainFormat {
  switch (word) {
    case undefined: case 'table': return 'text'
    case 'text': case 'json': case 'mermaid': return word
    default: throw new QueryError('INVALID_REQUEST', `--format of explain takes text, json or mermaid, not '${word}'`)
  }
}

/** `analyze`: the statement runs. */
export async function explain(
  { sql, dialect, where, signal, write }: Statement, format: ExplainFormat, analyze: boolean,
): Promise<void> {
  await withServer(where, signal, async client => {
    const { text, mermaid, ...answer } = await client.explain(sql, { analyze, dialect }, signal)
    switch (format) {
      case 'text': return write(text)
      case 'mermaid': return write(mermaid)
      case 'json': return write(`${JSON.stringify(answer)}\n`)
      default: return unreachable(format)
    }
  })
}

export async function withServer(
  where: Where, signal: AbortSignal, use: (client: HttpClient) => Promise<void>,
): Promise<void> {
  if ('url' in where) return use(new HttpClient(where.url, where.identity))
  return withPrivateCluster(where.cluster, cluster => {
    if (signal.aborted) throw new QueryError('CANCELLED', 'the query was cancelled')
    return use(new HttpClient(`http://${cluster.doors.http}`))
  })
}
