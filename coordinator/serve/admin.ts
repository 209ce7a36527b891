/** What operators see and do: the cluster, executors, queries, an end to one of them, settings, buckets, caches. */

import type { ObjectStore } from '../../cache/object-store.ts'
import type { MetadataStore } from '../../cluster/store.ts'
import type { Clock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import type { AdminService } from '../../proto/gen/admin_pb.js'
import type { ServiceHandlers } from '../../proto/grpc-server.ts'
import type { QueryId } from '../../proto/ids.ts'
import { messageWithoutSecrets, withoutSecrets } from '../../proto/secret-words.ts'
import type { ExecutorView } from '../fleet-actor.ts'
import type { TaskReport } from '../running-query.ts'
import type { Setting } from '../settings.ts'
import { isSystemTable } from '../system/columns.ts'
import type { SystemTables } from '../system/system-tables.ts'
import { cacheAdminHandlers, type CacheAdminPorts } from './cache-admin.ts'
import { coordinatorAdminHandlers, type CoordinatorAdmin } from './coordinator-admin.ts'
import type { Events } from './events.ts'
import type { LoggedQuery, QueryAdmin } from './ports.ts'
import { storeAdminHandlers } from './store-admin.ts'
import { userAdminHandlers, type UserAdmin } from './user-admin.ts'
import { hasEnded, startedAtMs } from './query-times.ts'

/** Of one answer; the newest are kept. */
const MAX_QUERIES = 1_000

export interface AdminPorts {
  readonly queries: QueryAdmin
  readonly clock: Clock
  /** By the names of their buckets. */
  readonly stores: ReadonlyMap<string, Pick<ObjectStore, 'check'>>
  readonly cacheAdmin: CacheAdminPorts
  readonly users: UserAdmin
  /** Brings what the executor has in its cache to those that own it next; how many files. */
  readonly moveCache: (executor: string) => Promise<number>
  readonly coordinators: CoordinatorAdmin
  readonly about: AboutCoordinator
  /** As they are now. */
  readonly settings: () => readonly Setting[]
  /** The configuration is read again; the keys that have changed. */
  readonly reload: () => Promise<readonly string[]>
  readonly events: Events
  readonly system: Pick<SystemTables, 'parts'>
  readonly store: MetadataStore
}

export interface AboutCoordinator {
  readonly coordinator: string
  readonly version: string
  readonly duckdbVersion: string
  /** By the clock's nowMs. */
  readonly startedMs: number
}

export function adminHandlers(ports: AdminPorts): ServiceHandlers<typeof AdminService> {
  const { queries, clock, stores, cacheAdmin, users, moveCache, settings, reload, events, system } = ports
  return {
    getCluster: () => cluster(ports),
    getQuery: ({ id }) => {
      const found = queries.list().find(each => each.id === id)
      if (found === undefined) throw new QueryError('NOT_FOUND', `no query ${id}`)
      return { query: query(found, clock), tasks: found.tasks().map(task) }
    },
    listSettings: () => ({ settings: settings().map(({ name, value }) => ({ name, value })) }),
    reloadConfig: async () => ({ changed: [...await reload()] }),
    watchEvents: (_, { signal }) => events.read(signal),
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
    readSystemTable: ({ table, principal, all }) => {
      if (!isSystemTable(table)) throw new QueryError('NOT_FOUND', `no table ${table} in the catalog of the system`)
      return system.parts(table, all ? null : principal)
    },
    ...coordinatorAdminHandlers(ports.coordinators),
    ...cacheAdminHandlers(cacheAdmin),
    ...storeAdminHandlers(ports.store),
    ...userAdminHandlers(users),
  }
}

function cluster({ queries, clock, about }: AdminPorts) {
  const { startedMs, ...texts } = about
  const active = queries.executors().filter(({ state }) => state === 'active')
  return {
    ...texts, uptimeMs: clock.nowMs() - startedMs, executors: queries.executors().length,
    activeExecutors: active.length, slots: active.reduce((sum, { info }) => sum + info.slots, 0),
    memoryBytes: active.reduce((sum, { info }) => sum + info.memoryBytes, 0n),
    runningQueries: queries.load.running, waitingQueries: queries.load.waiting,
  }
}

function task(report: TaskReport) {
  const { rows, outputBytes, bytesFetched, bytesCached, exchangeBytes, peakBytes } = report
  const { stage, partition, attempt, executor, state, runMs, progress, spilled } = report
  return {
    stage, partition, attempt, executor, state, runMs, progress, spilled,
    rows: BigInt(rows), outputBytes: BigInt(outputBytes), bytesFetched: BigInt(bytesFetched),
    bytesCached: BigInt(bytesCached), exchangeBytes: BigInt(exchangeBytes), peakBytes: BigInt(peakBytes),
  }
}

function executor({ info, state }: ExecutorView, tasks: number) {
  return {
    id: info.id, address: info.address, pid: info.processId, state: state === 'connecting' ? 'joining' : state,
    slots: info.slots, runningTasks: tasks, memoryBytes: info.memoryBytes, duckdbVersion: info.duckdbVersion,
    reason: info.reason,
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
  const error = each.error()
  return {
    id: each.id, sql: withoutSecrets(sql), state: each.state(), principal, clientInterface, stages, tasks,
    finishedTasks: each.tasks().filter(({ state }) => state === 'succeeded').length,
    startedAtMs: startedAtMs(each, clock), elapsedMs: elapsed_ms,
    error: error === null ? '' : messageWithoutSecrets(error.message, sql),
    progress: each.progress(),
  }
}
