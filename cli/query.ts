/** `skein query` and `skein explain`: one statement on a server that runs, or on a private cluster made for it. */

import { QueryError } from '../proto/errors.ts'
import { UTC } from '../proto/time-zone.ts'
import { writeAnswer, type Format, type Write } from './answer.ts'
import type { ClusterOptions } from './cluster.ts'
import { HttpClient } from './http-client.ts'
import { withPrivateCluster } from './private-cluster.ts'

/** Where the statement runs: at an address, or on a cluster of its own. */
export type Where = { readonly url: string } | { readonly cluster: ClusterOptions }

export interface Statement {
  readonly sql: string
  readonly where: Where
  readonly signal: AbortSignal
  readonly newId: () => string
  readonly write: Write
}

export async function query({ sql, where, signal, newId, write }: Statement, format: Format): Promise<void> {
  await withServer(where, signal, async client => {
    const queryId = newId()
    const stats = async (): Promise<object> => (await client.report(queryId)).stats
    await writeAnswer(format, { frames: client.query(sql, queryId, signal), zone: UTC, stats }, write)
  })
}

export async function explain({ sql, where, signal, write }: Statement, json: boolean): Promise<void> {
  await withServer(where, signal, async client => {
    const answer = await client.explain(sql) as { readonly text: string }
    await write(json ? `${JSON.stringify(answer)}\n` : answer.text)
  })
}

async function withServer(
  where: Where, signal: AbortSignal, use: (client: HttpClient) => Promise<void>,
): Promise<void> {
  if ('url' in where) return use(new HttpClient(where.url))
  return withPrivateCluster(where.cluster, cluster => {
    if (signal.aborted) throw new QueryError('CANCELLED', 'the query was cancelled')
    return use(new HttpClient(`http://${cluster.doors.http}`))
  })
}
