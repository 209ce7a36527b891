/**
 * Tells the logs, the metrics and those who look on of queries. Texts of statements stay out of the process's log: they
 * may hold what is secret.
 */

import { asQueryError } from '../proto/errors.ts'
import type { KeptQuery } from './explain-query.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { QueryWatcher } from './query-service.ts'
import type { RunningQuery } from './running-query.ts'
import type { Events } from './serve/events.ts'
import type { QueryLog } from './system/query-log.ts'

export interface WatchPorts {
  readonly log: Log
  readonly metrics: Metrics
  readonly events: Events
  readonly queryLog: QueryLog
  readonly traced: (query: KeptQuery) => void
}

export function queryWatcher({ log, metrics, events, queryLog, traced }: WatchPorts): QueryWatcher {
  return {
    started: query => {
      queryLog.started(query)
      const { id, request } = query
      const { principal, clientInterface, sessionId } = request
      log.info({ query: id, user: principal, face: clientInterface, session: sessionId }, 'query started')
      events.say({ case: 'query', value: { id, state: 'started', principal } })
    },
    ended: query => {
      queryLog.ended(query)
      traced(query)
      const { code, state, stats } = endOf(query)
      metrics.ended({
        state, code, elapsedMs: stats.elapsed_ms, planMs: stats.plan_ms, bytesFetched: stats.bytes_fetched,
        bytesCached: stats.bytes_cached, exchangeBytes: stats.exchange_bytes,
      })
      log.info({
        query: query.id, state, ...(code === '' ? {} : { code }), elapsedMs: Math.round(stats.elapsed_ms),
        stages: stats.stages, tasks: stats.tasks, bytesFetched: stats.bytes_fetched,
      }, 'query ended')
      const { id, request: { principal } } = query
      events.say({ case: 'query', value: { id, state, principal, code, elapsedMs: stats.elapsed_ms } })
    },
    refused: () => metrics.refused(),
  }
}

function endOf(query: RunningQuery) {
  const error = query.error()
  return { code: error === null ? '' : asQueryError(error).code, state: query.state(), stats: query.stats() }
}
