/**
 * `skein admin cluster | executors | coordinators | queries | query ID | kill ID | drain ID | undrain ID | settings
 * | bucket test NAME | refresh … | reload | cache … | user … | store …`: what an operator sees and does, over the admin
 * gRPC API.
 */

import type { Clock } from '../proto/clock.ts'
import { QueryError, unreachable } from '../proto/errors.ts'
import {
  AdminService, type Coordinator, type Executor, type GetClusterResponse, type Query, type RefreshedTable, type Task,
} from '../proto/gen/admin_pb.js'
import type { GrpcChannel } from '../proto/grpc-channel.ts'
import { cacheCommand, cacheRows, cacheUsage, type CacheCommand } from './cache-admin.ts'
import { drainUsage, runDrain, type DrainCommand } from './drain-admin.ts'
import { runStore, storeCommand, storeUsage, type StoreCommand } from './store-admin.ts'
import { formatTable } from './table.ts'
import { runUser, userCommand, userUsage, type UserCommand } from './user-admin.ts'

/** An admin call reads memory; one that takes longer has lost its server. */
const DEADLINE_MS = 10_000
/** The coordinator itself waits 10 s for a bucket. */
const BUCKET_DEADLINE_MS = 15_000
/** Lists files, and reads footers that are not known. */
const REFRESH_DEADLINE_MS = 120_000
/** A process that does not answer is given up after 10 s; so are those that then take back what they had taken. */
const RELOAD_DEADLINE_MS = 40_000
/** Where not the coordinator but what it asks may be what does not answer: its own words say so. */
const asksOthers: ReadonlySet<AdminCommand['kind']> = new Set(['bucket-test', 'reload', 'refresh'])
const SQL_SHOWN = 60

export type AdminCommand =
  | { readonly kind: 'cluster' | 'executors' | 'coordinators' | 'queries' | 'settings' | 'reload' }
  | { readonly kind: 'query' | 'kill'; readonly id: string }
  | { readonly kind: 'bucket-test'; readonly name: string }
  | { readonly kind: 'refresh'; readonly name: string }
  | DrainCommand
  | UserCommand
  | CacheCommand
  | StoreCommand

/** What stands in the command line besides words. */
export interface AdminFlags {
  readonly now: boolean
  readonly wait: boolean
  readonly replace: boolean
}

export function adminCommand(words: readonly string[], { now, wait, replace }: AdminFlags): AdminCommand {
  const [kind, id, ...rest] = words
  if (kind === 'bucket') return bucketCommand(id, rest)
  if (kind === 'user') return userCommand(id, rest) ?? refuse()
  if (kind === 'store') return storeCommand(id, rest, replace) ?? refuse()
  if (kind === 'cache') return cacheCommand(id, rest) ?? refuse()
  if (rest.length > 0) throw usage()
  switch (kind) {
    case 'cluster': case 'executors': case 'coordinators': case 'queries': case 'settings': case 'reload':
      if (id !== undefined) throw usage()
      return { kind }
    case 'refresh': return { kind, name: id ?? '' }
    case 'query': case 'kill':
      if (id === undefined) throw usage()
      return { kind, id }
    case 'drain': case 'undrain':
      if (id === undefined) throw usage()
      return { kind, id, now, wait }
    default: throw usage()
  }
}

function bucketCommand(verb: string | undefined, [name, ...more]: readonly string[]): AdminCommand {
  if (verb !== 'test' || name === undefined || more.length > 0) throw usage()
  return { kind: 'bucket-test', name }
}

function refuse(): never {
  throw usage()
}

function usage(): QueryError {
  const words = [
    'cluster', 'executors', 'coordinators', 'queries', 'query ID', 'kill ID', 'settings', 'events', ...drainUsage,
    'bucket test NAME', 'refresh [TABLE|CATALOG]', 'reload',
    ...cacheUsage, ...userUsage, ...storeUsage,
  ]
  return new QueryError('INVALID_REQUEST', `use: skein admin ${words.join(' | ')}`)
}

export interface AdminInput {
  readonly clock: Clock
  /** Asked for once, by what needs one. */
  readonly password: () => string
}

/** The text to print. Ends the channel. */
export async function admin(
  command: AdminCommand, channel: GrpcChannel, json: boolean, { clock, password }: AdminInput,
): Promise<string> {
  const service = channel.service(AdminService)
  const options = { deadlineMs: DEADLINE_MS }
  try {
    switch (command.kind) {
      case 'cluster': return print([clusterRow(await service.getCluster({}, options))], json)
      case 'settings': {
        const { settings } = await service.listSettings({}, options)
        return print(settings.map(({ name, value }) => ({ name, value })), json)
      }
      case 'query': {
        const { query, tasks } = await service.getQuery({ id: command.id }, options)
        const own = query === undefined ? [] : [queryRow(query, json)]
        return json ? print(own.map(row => ({ ...row, task_reports: tasks.map(taskRow) })), json)
          : print(own, json) + print(tasks.map(taskRow), json)
      }
      case 'executors': {
        const { executors } = await service.listExecutors({}, options)
        return print(executors.map(executorRow), json)
      }
      case 'coordinators': {
        const { coordinators } = await service.listCoordinators({}, options)
        return print(coordinators.map(coordinatorRow), json)
      }
      case 'queries': {
        const { queries } = await service.listQueries({}, options)
        return print(queries.map(query => queryRow(query, json)), json)
      }
      case 'kill':
        await service.killQuery({ id: command.id }, options)
        return json ? '[]\n' : `killed ${command.id}\n`
      case 'drain': case 'undrain': {
        const text = await runDrain(command, service, options, clock)
        return json ? '[]\n' : text
      }
      case 'refresh': {
        const { tables } = await service.refreshTables({ name: command.name }, { deadlineMs: REFRESH_DEADLINE_MS })
        return print(tables.map(tableRow), json)
      }
      case 'reload': {
        const { changed } = await service.reloadConfig({}, { deadlineMs: RELOAD_DEADLINE_MS })
        if (json) return print(changed.map(key => ({ key })), json)
        return changed.length === 0 ? 'the configuration is what it was\n' : `reloaded: ${changed.join(', ')}\n`
      }
      case 'bucket-test': {
        const { name } = command
        const { elapsedMs } = await service.testBucket({ name }, { deadlineMs: BUCKET_DEADLINE_MS })
        const elapsed_ms = Math.round(elapsedMs)
        return json ? print([{ bucket: name, elapsed_ms }], json) : `bucket ${name} answers, in ${elapsed_ms} ms\n`
      }
      case 'cache-status': case 'cache-tables': case 'cache-evict': case 'cache-warm':
        return print(await cacheRows(command, service, options), json)
      case 'user-add': case 'user-passwd': case 'user-remove': case 'user-list': {
        const told = await runUser(command, service, options, password)
        if (typeof told !== 'string') return print(told, json)
        return json ? '[]\n' : told
      }
      case 'store-backup': case 'store-restore': {
        const told = await runStore(command, service)
        return json ? '[]\n' : told
      }
      default: return unreachable(command)
    }
  } catch (error) {
    if (!(error instanceof QueryError) || error.code !== 'UNAVAILABLE' || asksOthers.has(command.kind)) throw error
    // gRPC's own text is long
    throw new QueryError('UNAVAILABLE', `no answer from grpc://${channel.address}`, { cause: error })
  } finally {
    channel.close()
  }
}

function tableRow({ catalog, schema, table, files, rows, bytes, error }: RefreshedTable): Row {
  return { table: `${catalog}.${schema}.${table}`, files, rows: Number(rows), bytes: Number(bytes), error }
}

export type Row = Readonly<Record<string, unknown>>

function clusterRow({ coordinator, version, duckdbVersion, uptimeMs, ...counts }: GetClusterResponse): Row {
  return {
    coordinator, version, duckdb_version: duckdbVersion, uptime_ms: Math.round(uptimeMs), executors: counts.executors,
    active_executors: counts.activeExecutors, slots: counts.slots, memory_bytes: Number(counts.memoryBytes),
    running_queries: counts.runningQueries, waiting_queries: counts.waitingQueries,
  }
}

function taskRow(task: Task): Row {
  return {
    stage: task.stage, partition: task.partition, attempt: task.attempt, executor: task.executor, state: task.state,
    rows: Number(task.rows), output_bytes: Number(task.outputBytes), bytes_fetched: Number(task.bytesFetched),
    bytes_cached: Number(task.bytesCached), exchange_bytes: Number(task.exchangeBytes),
    run_ms: Math.round(task.runMs), peak_bytes: Number(task.peakBytes), spilled: task.spilled,
  }
}

function coordinatorRow({ id, pid, state, http, flight, admin, version, duckdbVersion }: Coordinator): Row {
  return { id, pid, state, http, flight, admin, version, duckdb_version: duckdbVersion }
}

export function executorRow(executor: Executor): Row {
  return {
    id: executor.id, address: executor.address, pid: executor.pid, state: executor.state, slots: executor.slots,
    running_tasks: executor.runningTasks, memory_bytes: Number(executor.memoryBytes),
    duckdb_version: executor.duckdbVersion, reason: executor.reason,
  }
}

export function queryRow(query: Query, whole: boolean): Row {
  return {
    id: query.id, state: query.state, principal: query.principal, client_interface: query.clientInterface,
    stages: query.stages, tasks: query.tasks, finished_tasks: query.finishedTasks,
    progress: Math.round(query.progress * 100) / 100, elapsed_ms: Math.round(query.elapsedMs), error: query.error,
    sql: whole ? query.sql : query.sql.replace(/\s+/g, ' ').slice(0, SQL_SHOWN),
  }
}

export function print(rows: readonly Row[], json: boolean): string {
  if (json) return `${JSON.stringify(rows)}\n`
  if (rows.length === 0) return 'none\n'
  const names = Object.keys(rows[0] ?? {})
  return formatTable(names, rows.map(row => names.map(name => String(row[name] ?? ''))))
}
