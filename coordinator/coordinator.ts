/**
 * One coordinator, joined from its parts: store, membership, planner, catalog, queries, and the doors to all of it.
 * Everything that is made here is closed here, in the opposite order.
 */

import { join } from 'node:path'
import { openStores } from '../cache/bucket-stores.ts'
import { openCatalog } from '../catalog/catalog.ts'
import { BUCKET_SCHEMA } from '../catalog/definitions.ts'
import { EmbeddedStore } from '../cluster/embedded-store.ts'
import { MembershipView, type MembershipEvent } from '../cluster/membership.ts'
import { addStoreService } from '../cluster/store-server.ts'
import { Planner } from '../planner/planner.ts'
import type { PlanThresholds } from '../planner/planned-query.ts'
import type { Clock } from '../proto/clock.ts'
import { unreachable, type QueryError } from '../proto/errors.ts'
import { bearerGuard } from '../proto/bearer.ts'
import { GrpcServer } from '../proto/grpc-server.ts'
import type { CoordinatorId, ExecutorId, Incarnation, QueryId } from '../proto/ids.ts'
import type { CoordinatorLaunch, Ready } from '../proto/launch.ts'
import { openDoors, type Doors } from './doors.ts'
import { ExecutorCaches } from './executor-caches.ts'
import { explain, explanationText, type Explanation } from './explain.ts'
import { faces, type FaceOptions } from './faces.ts'
import type { ExecutorView } from './fleet-actor.ts'
import { GrpcExecutorChannel } from './grpc-executor-channel.ts'
import type { Log } from './log.ts'
import { planPorts } from './plan-ports.ts'
import { planQuery, type PlanPorts } from './plan-query.ts'
import type { Room } from './place.ts'
import { QueryService } from './query-service.ts'
import type { QueryRequest } from './running-query.ts'
import { texts } from './session/answer.ts'
import type { NameDefaults } from './session/session.ts'
import { Sessions } from './session/sessions.ts'
import { Statements } from './session/statements.ts'

const LOCALHOST = '127.0.0.1'

export interface CoordinatorOptions {
  readonly launch: CoordinatorLaunch
  readonly clock: Clock
  readonly log: Log
  readonly processId: number
  /** Nobody can guess the next one. */
  readonly newId: () => string
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Signs what clients bring back; as random as the ids. */
  readonly key: Uint8Array
  /** Exact; executors of another one are not used. */
  readonly duckdbVersion: string
  readonly onFatal: (cause: QueryError) => void
}

export interface Coordinator {
  readonly ready: Ready
  readonly stop: () => Promise<void>
}

export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const closers: (() => void | Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    return { ready: await start(options, close => closers.push(close)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(options: CoordinatorOptions, onStop: (close: () => void | Promise<void>) => void): Promise<Ready> {
  const { launch, clock, log, newId } = options
  const store = await EmbeddedStore.open(join(launch.dataDir, 'store', 'journal'), clock)
  onStop(() => store.close())
  const inner = new GrpcServer({ authenticate: bearerGuard(launch.secret) })
  addStoreService(inner, store)
  onStop(() => inner.close())
  const storePort = await inner.listen(LOCALHOST, 0)

  const skeletonFolder = join(launch.dataDir, 'skeletons')
  const planner = new Planner({ skeletonDirectory: skeletonFolder, clock })
  onStop(() => planner.close())
  const stores = await openStores(launch.config.buckets, { clock, random: options.random })
  onStop(() => { for (const bucket of stores.values()) bucket.close() })
  const catalog = openCatalog({
    config: launch.config, stores, skeletonFolder, footerFolder: join(launch.dataDir, 'footers'), clock,
    describe: files => planner.describeFiles({ ...files, options: {} }),
  })
  const ports = planPorts(planner, catalog, thresholds(launch))
  const caller = {
    coordinator: newId() as CoordinatorId, incarnation: newId() as Incarnation, secret: launch.secret,
  }
  const queries = new QueryService({
    ...ports, clock, newQueryId: () => newId() as QueryId, limits: { holdBytes: launch.config.resultHoldBytes },
    groups: launch.config.resourceGroups,
    connect: info => new GrpcExecutorChannel(info, caller, clock),
    onCrash: (actor, reason) => log.error({ actor, err: reason }, 'an actor crashed'),
    onFatal: options.onFatal,
  })
  onStop(() => queries.close('the coordinator stops'))
  const members = new MembershipView({
    store, clock, duckdbVersion: options.duckdbVersion, onEvent: event => membershipChanged(queries, log, event),
  })
  onStop(() => members.close())
  await members.start()

  const sessions = new Sessions({ clock, defaults: nameDefaults(launch) })
  onStop(() => sessions.closeAll())
  const doors = await open(options, { catalog, stores, queries, ports, planner, sessions })
  onStop(() => doors.close())
  return {
    ready: true, role: 'coordinator', pid: options.processId, storeAddress: `${LOCALHOST}:${storePort}`,
    http: doors.http, flight: doors.flight, admin: doors.admin,
  }
}

function thresholds({ wholeBytes, broadcastRows }: CoordinatorLaunch): PlanThresholds {
  return {
    wholeBytes: wholeBytes ?? DEFAULT_THRESHOLDS.wholeBytes,
    broadcastRows: broadcastRows ?? DEFAULT_THRESHOLDS.broadcastRows,
    // a table that every task reads is a broadcast too
    replicateRows: broadcastRows === 0 ? 0 : DEFAULT_THRESHOLDS.replicateRows,
  }
}

/** Below 32 MB of columns a stage's fixed costs outweigh what it saves; rows: see bench/results.md. */
const DEFAULT_THRESHOLDS: PlanThresholds = {
  wholeBytes: 32 * 1024 * 1024, broadcastRows: 200_000, replicateRows: 10_000,
}

function membershipChanged(queries: QueryService, log: Log, event: MembershipEvent): void {
  const { kind, info } = event
  log.info({ executor: info.id, address: info.address, pid: info.processId }, `executor ${kind}`)
  switch (kind) {
    case 'joined': return queries.executorJoined(info)
    case 'changed': return queries.executorChanged(info)
    case 'left': return queries.executorLeft(info)
    case 'refused': return
    default: return unreachable(kind)
  }
}

interface Parts extends Pick<FaceOptions, 'catalog' | 'stores' | 'queries' | 'sessions'> {
  readonly ports: PlanPorts
  readonly planner: Planner
}

function nameDefaults({ config }: CoordinatorLaunch): NameDefaults {
  return { catalog: config.defaultCatalog, schema: BUCKET_SCHEMA }
}

function open(options: CoordinatorOptions, { ports, planner, ...parts }: Parts): Promise<Doors> {
  const { launch, clock, log, newId, key } = options
  const { queries, sessions, catalog } = parts
  const isRemote = (bucket: string): boolean => launch.config.buckets[bucket]?.provider !== 'local'
  const defaults = nameDefaults(launch)
  const explained = (request: QueryRequest): Promise<Explanation> =>
    explain(request, ports, { rooms: rooms(queries), isRemote })
  const statements = new Statements({
    sessions, clock, newId, queries,
    statementsIn: sql => planner.statements(sql),
    catalogs: () => catalog.list(),
    describe: async request => (await planQuery(request, ports)).planned.columns,
    explain: async request => texts(['explain_key', 'explain_value'], [
      ['physical_plan', explanationText(await explained(request))],
    ]),
  })
  const handlers = faces({
    ...parts, clock, statements, key, newId, workerSlug: 'coordinator', defaults,
    cacheAdmin: {
      caches: new ExecutorCaches(() => active(queries).map(({ info }) => info), launch.secret),
      tables: { find: async name => (await catalog.resolve([name], defaults))[0], seen: () => catalog.seen() },
      ground: () => ({ rooms: rooms(queries), wholeBytes: thresholds(launch).wholeBytes }),
    },
    explain: explained,
  })
  return openDoors(handlers, {
    listen: launch.config.listen, newId,
    onFault: (error, requestId) => log.error({ requestId, err: error }, 'a request failed by our own fault'),
  })
}

/** Those that take tasks. */
function active(queries: QueryService): readonly ExecutorView[] {
  return queries.executors().filter(({ state }) => state === 'active')
}

function rooms(queries: QueryService): Room[] {
  return active(queries).map(({ info }) => ({ id: info.id as ExecutorId, slots: info.slots }))
}
