/** What operators see and do: executors, queries, an end to one of them, buckets, caches. */

import type { ObjectStore } from '../../cache/object-store.ts'
import type { Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import type { AdminService } from '../../proto/gen/admin_pb.js'
import type { ServiceHandlers } from '../../proto/grpc-server.ts'
import type { QueryId } from '../../proto/ids.ts'
import type { ExecutorView } from '../fleet-actor.ts'
import { cacheAdminHandlers, type CacheAdminPorts } from './cache-admin.ts'
import type { LoggedQuery, QueryAdmin } from './ports.ts'
import { hasEnded, startedAtMs } from './query-times.ts'

/** Of one answer; the newest are kept. */
const MAX_QUERIES = 1_000

export interface AdminPorts {
  readonly queries: QueryAdmin
  readonly clock: Clock
  /** By the names of their buckets. */
  readonly stores: ReadonlyMap<string, Pick<ObjectStore, 'check'>>
  readonly cacheAdmin: CacheAdminPorts
  /** Brings what the executor has in its cache to those that own it next; how many files. */
  readonly moveCache: (executor: string) => Promise<number>
}

export function adminHandlers(
  { queries, clock, stores, cacheAdmin, moveCache }: AdminPorts,
): ServiceHandlers<typeof AdminService> {
  return {
    listExecutors: () => {
      const running = runningTasks(queries.list())
      return { executors: queries.executors().map(view => executor(view, running.get(view.info.id) ?? 0)) }
    },
    listQueries: () => ({ queries: queries.list().slice(0, MAX_QUERIES).map(each => query(each, clock)) }),
    drainExecutor: async ({ id, now }) => {
      const filesMoved = now ? 0 : await moveCache(id)
      await queries.setDraining(id, true)
      return { filesMoved }
    },
    undrainExecutor: async ({ id }) => {
      await queries.setDraining(id, false)
      return {}
    },
    killQuery: ({ id }) => {
      if (!queries.kill(id as QueryId)) throw new QueryError('NOT_FOUND', `no query ${id} is running`)
      return {}
    },
    testBucket: async ({ name }) => {
      const store = stores.get(name)
      if (store === undefined) throw new QueryError('NOT_FOUND', `no bucket named '${name}'`)
      const startedMs = clock.nowMs()
      await store.check()
      return { elapsedMs: clock.nowMs() - startedMs }
    },
    ...cacheAdminHandlers(cacheAdmin),
  }
}

function executor({ info, state }: ExecutorView, tasks: number) {
  return {
    id: info.id, address: info.address, pid: info.processId, state: state === 'connecting' ? 'joining' : state,
    slots: info.slots, runningTasks: tasks, memoryBytes: info.memoryBytes, duckdbVersion: info.duckdbVersion,
  }
}

/** By executor. */
function runningTasks(queries: readonly LoggedQuery[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const each of queries) {
    if (hasEnded(each)) continue
    for (const { executor, state } of each.tasks()) {
      if (state === 'running') counts.set(executor, (counts.get(executor) ?? 0) + 1)
    }
  }
  return counts
}

function query(each: LoggedQuery, clock: Clock) {
  const { stages, tasks, elapsed_ms } = each.stats()
  const { sql, principal, clientInterface } = each.request
  return {
    id: each.id, sql, state: each.state(), principal, clientInterface, stages, tasks,
    finishedTasks: each.tasks().filter(({ state }) => state === 'succeeded').length,
    startedAtMs: startedAtMs(each, clock), elapsedMs: elapsed_ms, error: each.error()?.message ?? '',
    progress: each.progress(),
  }
}
