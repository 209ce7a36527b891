/** The rows of the system tables, as this coordinator knows them now. */

import type { Row, RowCell } from '../../catalog/row-file.ts'
import type { Clock } from '../../proto/clock.ts'
import type { ExecutorCaches } from '../executor-caches.ts'
import type { ExecutorView } from '../fleet-actor.ts'
import type { Events } from '../serve/events.ts'
import type { LoggedQuery } from '../serve/ports.ts'
import { hasEnded } from '../serve/query-times.ts'
import type { Setting } from '../settings.ts'
import { rowOf, type SystemTableName } from './columns.ts'
import type { QueryLog } from './query-log.ts'

export interface SourcePorts {
  readonly coordinator: string
  readonly clock: Clock
  readonly log: Pick<QueryLog, 'rows' | 'taskRows'>
  /** Running ones and the last that ended, newest first. */
  readonly queries: () => readonly LoggedQuery[]
  readonly executors: () => readonly ExecutorView[]
  readonly caches: Pick<ExecutorCaches, 'look'>
  readonly settings: () => readonly Setting[]
  readonly events: Pick<Events, 'last'>
}

/** `principal`: whose rows; null: all. In parts, none of them large. */
export function sourceRows(
  table: SystemTableName, principal: string | null, ports: SourcePorts,
): AsyncIterable<readonly Row[]> | Promise<readonly Row[]> | readonly Row[] {
  const { coordinator, log, settings } = ports
  switch (table) {
    case 'queries': return log.rows(principal)
    case 'tasks': return log.taskRows(principal)
    case 'executors': return executorRows(ports)
    case 'cache': return cacheRows(ports)
    case 'settings': return settings().map(({ name, value }) => rowOf('settings', { coordinator, name, value }))
    case 'events': return eventRows(principal, ports)
  }
}

function executorRows({ executors, queries }: SourcePorts): Row[] {
  const running = new Map<string, number>()
  for (const query of queries()) {
    if (hasEnded(query)) continue
    for (const { executor, state } of query.tasks()) {
      if (state === 'running') running.set(executor, (running.get(executor) ?? 0) + 1)
    }
  }
  return executors().map(({ info, state }) => rowOf('executors', {
    id: info.id, address: info.address, pid: info.processId, state: state === 'connecting' ? 'joining' : state,
    slots: info.slots, running_tasks: running.get(info.id) ?? 0, memory_bytes: Number(info.memoryBytes),
    version: info.skeinVersion, duckdb_version: info.duckdbVersion, labels: JSON.stringify(info.labels),
  }))
}

/** Of an executor that does not answer, its name alone. */
async function cacheRows({ caches }: SourcePorts): Promise<Row[]> {
  return (await caches.look()).map(({ executor, state }) => rowOf('cache', state === null ? { executor } : {
    executor, budget_bytes: Number(state.budgetBytes), used_bytes: Number(state.usedBytes), files: state.files,
    chunks: state.chunks, bytes_fetched: Number(state.bytesFetched), bytes_cached: Number(state.bytesCached),
    damaged: state.damaged, results: state.results, result_bytes: Number(state.resultBytes),
    result_budget_bytes: Number(state.resultBudgetBytes), result_hits: Number(state.resultHits),
    bytes_from_peers: Number(state.bytesFromPeers),
  }))
}

/** Of executors operators are told, of queries whoever sent them. */
function eventRows(principal: string | null, { coordinator, events }: SourcePorts): Row[] {
  return events.last().flatMap(({ atMs, event }) => {
    if (event?.case === undefined) return []
    const { case: kind, value } = event
    if (principal !== null && (kind !== 'query' || value.principal !== principal)) return []
    const more: Record<string, RowCell> = kind === 'executor' ? { address: value.address ?? null } : {
      principal: value.principal ?? null, error_code: value.code === '' ? null : value.code ?? null,
      elapsed_ms: value.elapsedMs ?? null,
    }
    return [rowOf('events', {
      coordinator, happened_at: atMs ?? null, kind, id: value.id ?? null, state: value.state ?? null, ...more,
    })]
  })
}
