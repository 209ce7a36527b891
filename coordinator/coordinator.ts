/**
 * One coordinator, joined from its parts: store, membership, planner, catalog, queries, and the doors to all of it.
 * Everything that is made here is closed here, in the opposite order.
 */

import { join } from 'node:path'
import { BucketStores } from '../cache/bucket-stores.ts'
import { PATIENT } from '../cache/store-health.ts'
import { openCatalog, type Catalog } from '../catalog/catalog.ts'
import { SkeletonFiles } from '../catalog/skeleton-files.ts'
import { DutyKeeper } from '../cluster/duty.ts'
import { Election } from '../cluster/election.ts'
import { Housekeeping } from '../cluster/housekeeping.ts'
import { MembershipView, type MembershipEvent } from '../cluster/membership.ts'
import { openStore } from '../cluster/open-store.ts'
import type { Registration } from '../cluster/registration.ts'
import type { MetadataStore } from '../cluster/store.ts'
import { addStoreService } from '../cluster/store-server.ts'
import { Planner } from '../planner/planner.ts'
import type { Clock } from '../proto/clock.ts'
import { asQueryError, unreachable, type QueryError } from '../proto/errors.ts'
import type { CoordinatorId, ExecutorId, Incarnation, QueryId } from '../proto/ids.ts'
import type { CoordinatorChange, CoordinatorLaunch, Ready } from '../proto/launch.ts'
import { ExecutorInfo_State as State } from '../proto/gen/cluster_pb.js'
import { nodeGuard, nodeServer, type NodeAuth } from '../proto/node-auth.ts'
import { packageVersion } from '../proto/package-version.ts'
import type { Leave } from '../proto/parent.ts'
import { signingKey } from '../proto/signed-text.ts'
import { stableId } from '../proto/stable-id.ts'
import { readDoorTls, readTls, type DoorTls } from '../proto/tls.ts'
import { openDoors, passwordWarning, type Doors } from './doors.ts'
import { ExecutorCaches } from './executor-caches.ts'
import { explained, explainFormat } from './explain-query.ts'
import { faces, type FaceOptions } from './faces.ts'
import type { ExecutorView } from './fleet-actor.ts'
import { GrpcExecutorChannel } from './grpc-executor-channel.ts'
import { LiveConfig } from './live-config.ts'
import type { Log } from './log.ts'
import { Metrics, type Gauges } from './metrics.ts'
import { moveCache } from './move-cache.ts'
import { coordinatorAdmin, leaveDoors, leaveOf } from './own-drain.ts'
import { register } from './own-registration.ts'
import { planPorts } from './plan-ports.ts'
import { prepareQuery, type PlanPorts } from './plan-query.ts'
import type { Room } from './place.ts'
import { QueryService } from './query-service.ts'
import { queryWatcher } from './query-watch.ts'
import { Events } from './serve/events.ts'
import type { HealthPorts } from './serve/http-health.ts'
import { Completions } from './session/completions.ts'
import { refresh } from './session/refresh.ts'
import { OwnCatalog } from './session/own-catalog.ts'
import { OwnDatabases } from './session/own-databases.ts'
import { OwnInstances } from './session/own-instances.ts'
import { GrpcSessionChannel } from './session/session-channel.ts'
import { Sessions } from './session/sessions.ts'
import { settingsOf } from './settings.ts'
import { Statements } from './session/statements.ts'
import { settledTables } from './settled-tables.ts'
import type { AllTables } from './system/all-tables.ts'
import { openSystem } from './system/open-system.ts'
import type { Peers } from './system/peers.ts'
import type { QueryLog } from './system/query-log.ts'
import { thresholds } from './thresholds.ts'
import { openTracing } from './tracing/open-tracing.ts'
import { Users } from './users.ts'

const LOCALHOST = '127.0.0.1'

export interface CoordinatorOptions {
  readonly launch: CoordinatorLaunch
  readonly clock: Clock
  readonly log: Log
  readonly processId: number
  /** What this process uses. */
  readonly use: () => Pick<Gauges, 'residentBytes' | 'cpuSeconds'>
  /** Nobody can guess the next one. */
  readonly newId: () => string
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Bytes that nobody can guess. */
  readonly randomBytes: (byteCount: number) => Uint8Array
  /** Exact; executors of another one are not used. */
  readonly duckdbVersion: string
  /** Has the configuration read again by whoever started this process: the keys that have changed. */
  readonly reload: () => Promise<readonly string[]>
  readonly onFatal: (cause: QueryError) => void
}

export interface Coordinator {
  readonly ready: Ready
  /** Takes the configuration wholly, or rejects and stays as it was. */
  readonly reload: (change: CoordinatorChange) => Promise<void>
  readonly leave: Leave
  readonly stop: () => Promise<void>
}

export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const closers: (() => void | Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    return { ...await start(options, close => closers.push(close)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  options: CoordinatorOptions, onStop: (close: () => void | Promise<void>) => void,
): Promise<Pick<Coordinator, 'ready' | 'reload' | 'leave'>> {
  const { launch, clock, log, newId, randomBytes } = options
  const { config } = launch
  const tls = config.tls === null ? null : readTls('tls', config.tls, clock.wallMs())
  const clientTls = config.clientTls === null ? null : readDoorTls(config.clientTls, clock.wallMs())
  const warning = passwordWarning(config)
  if (warning !== null) log.warn({}, warning)
  const journal = join(launch.dataDir, 'store', 'journal')
  const { store, secret } = await openStore(launch.store, { clock, journal, newId, randomBytes })
  onStop(() => store.close())
  const auth: NodeAuth = { secret, tls }
  const isEmbedded = launch.store.kind === 'embedded'
  const storeAddress = isEmbedded ? await serveStore(store, { secret, tls: null }, onStop) : undefined

  const skeletonFolder = join(launch.dataDir, 'skeletons')
  const skeletons = new SkeletonFiles(skeletonFolder)
  const planner = new Planner({ skeletonDirectory: skeletonFolder, clock })
  onStop(() => planner.close())
  const live = new LiveConfig(config)
  const stores = await BucketStores.open(config.buckets, { clock, random: options.random, policy: PATIENT })
  onStop(() => stores.close())
  const catalog = openCatalog({
    config, stores: stores.byName, skeletons, footerFolder: join(launch.dataDir, 'footers'), clock,
    describe: files => planner.describeFiles(files),
  })
  const id = await stableId(join(launch.dataDir, 'id'), newId()) as CoordinatorId
  const caller = { coordinator: id, incarnation: newId() as Incarnation, auth }
  const late: { registration?: Registration } = {}
  const [metrics, events, startedMs] = [new Metrics(), new Events(clock), clock.nowMs()]
  const duty = new DutyKeeper('coordinator')
  const { queryLog, system, tables, peers } = await openSystem({
    live, dataDir: launch.dataDir, catalog, skeletons, log, onStop, store, clock, own: id, auth, events,
    queries: () => queries.list(), executors: () => queries.executors(), caches: { look: () => caches.look() },
  })
  const tracing = openTracing(config.tracing, { clock, coordinator: id, chance: randomBytes }, log)
  onStop(() => tracing.close())
  const ports = planPorts(planner, catalog, tables, thresholds(launch))
  const queries: QueryService = new QueryService({
    ...ports, clock, newQueryId: () => newId() as QueryId,
    watcher: queryWatcher({ log, metrics, events, queryLog, traced: tracing.traced }),
    limits: {
      holdBytes: launch.config.resultHoldBytes, shareResults: launch.config.node.resultCacheBytes > 0,
    },
    isSettled: settledTables(bucket => !live.isRemote(bucket), clock),
    groups: () => live.now.resourceGroups,
    isRemote: bucket => live.isRemote(bucket),
    connect: info => new GrpcExecutorChannel(info, caller, clock),
    onCrash: (actor, reason) => log.error({ actor, err: reason }, 'an actor crashed'),
    onFatal: options.onFatal,
    checkMembership: () => late.registration?.check(),
    measureCache: wanted => caches.measure(wanted),
  })
  const caches: ExecutorCaches = new ExecutorCaches(() => active(queries).map(({ info }) => info), auth)
  onStop(() => queries.close('the coordinator stops'))
  const members = new MembershipView({
    store, clock, duckdbVersion: options.duckdbVersion,
    onEvent: event => membershipChanged(queries, log, events, event),
  })
  onStop(() => members.close())
  await members.start()

  const users = new Users({ store, clock, chance: randomBytes })
  onStop(() => users.close())
  await users.start()
  const sessions = new Sessions({ clock, defaults: () => live.defaults, duty })
  onStop(() => sessions.closeAll())
  const mayTakeQueries = (): void => {
    duty.check()
    late.registration?.check()
  }
  const health = healthPorts(queries, metrics, options, startedMs, mayTakeQueries,
    () => ({ lostRecords: queryLog.lost, lostSpans: tracing.lost() }))
  const about = { coordinator: id, version: packageVersion(), duckdbVersion: options.duckdbVersion, startedMs }
  const doors = await open(options, {
    catalog: tables, ofBuckets: catalog, stores: stores.byName, live, queries, planner, ports, sessions, users, caches,
    auth, clientTls, health, events, about, system, store, queryLog, coordinator: caller.coordinator, duty, peers,
    channelTo: coordinator => peers.channelTo(coordinator),
  })
  onStop(() => doors.close())
  onStop(async () => {
    queries.close('the coordinator stops')
    await leaveDoors(doors, clock)
  })
  late.registration = await register(options, store, caller, doors, duty)
  duty.follow(next => {
    log.info({ id }, `the coordinator is ${next}`)
    doors.endConnections(next !== 'active')
    late.registration?.update().catch((reason: unknown) => {
      log.warn({ reason: asQueryError(reason).message }, 'the store does not know yet')
    })
  })
  onStop(() => late.registration?.stop())
  keepHouse(options, store, id, onStop)
  return {
    ready: {
      ready: true, role: 'coordinator', pid: options.processId, ...(storeAddress === undefined ? {} : { storeAddress }),
      http: doors.http, flight: doors.flight, admin: doors.admin,
    },
    reload: async change => {
      await live.change(change.config, stores, catalog)
      log.info({}, 'configuration reloaded')
    },
    leave: leaveOf(duty, clock, config.node.drainMs),
  }
}

async function serveStore(
  store: MetadataStore, auth: NodeAuth, onStop: (close: () => void) => void,
): Promise<string> {
  const server = nodeServer(auth)
  addStoreService(server, store)
  onStop(() => server.close())
  return `${LOCALHOST}:${await server.listen(LOCALHOST, 0)}`
}

/** One coordinator of the cluster at a time. */
function keepHouse(
  { clock, log }: CoordinatorOptions, store: MetadataStore, id: CoordinatorId,
  onStop: (close: () => void | Promise<void>) => void,
): void {
  const election = new Election({
    store, clock, office: 'housekeeping', candidate: id,
    onChange: isHolder => log.info({ id }, isHolder ? 'keeps house for the cluster' : 'keeps house no more'),
  })
  onStop(() => election.stop())
  const housekeeping = new Housekeeping({
    store, clock, election,
    onTurn: outcome => {
      if ('failed' in outcome) log.warn({ reason: asQueryError(outcome.failed).message }, 'housekeeping failed')
      else log.info({ revision: String(outcome.compactedTo) }, "the store's history is given up to here")
    },
  })
  onStop(() => housekeeping.stop())
}

function membershipChanged(queries: QueryService, log: Log, events: Events, event: MembershipEvent): void {
  const { kind, info } = event
  log.info({ executor: info.id, address: info.address, pid: info.processId }, `executor ${kind}`)
  events.say({ case: 'executor', value: { id: info.id, state: stateOf(event), address: info.address } })
  switch (kind) {
    case 'joined': return queries.executorJoined(info)
    case 'changed': return queries.executorChanged(info)
    case 'left': return queries.executorLeft(info)
    case 'refused': return
    default: return unreachable(kind)
  }
}

function stateOf({ kind, info: { state } }: MembershipEvent): string {
  if (kind !== 'changed') return kind
  return state === State.DRAINING ? 'draining' : state === State.DRAINED ? 'drained' : 'active'
}

function healthPorts(
  queries: QueryService, metrics: Metrics, { clock, use }: CoordinatorOptions, startedMs: number,
  checkMembership: () => void, lost: () => Pick<Gauges, 'lostRecords' | 'lostSpans'>,
): HealthPorts {
  return {
    notReady: () => {
      try {
        checkMembership()
      } catch (error) {
        return asQueryError(error).message
      }
      return active(queries).length > 0 ? null : 'no executor is active'
    },
    metrics: () => metrics.text({
      ...queries.load, ...use(), ...lost(), executors: queries.executors(),
      uptimeSeconds: (clock.nowMs() - startedMs) / 1000,
    }),
  }
}

type FaceParts = 'stores' | 'queries' | 'sessions' | 'users' | 'health' | 'events' | 'about' | 'system' | 'store'
  | 'channelTo' | 'duty'

interface Parts extends Pick<FaceOptions, FaceParts> {
  readonly live: LiveConfig
  readonly catalog: AllTables
  readonly ofBuckets: Catalog
  readonly queryLog: QueryLog
  readonly peers: Peers
  readonly caches: ExecutorCaches
  readonly planner: Planner
  readonly ports: PlanPorts
  readonly auth: NodeAuth
  readonly clientTls: DoorTls | null
  readonly coordinator: CoordinatorId
}

function open(options: CoordinatorOptions, joined: Parts): Promise<Doors> {
  const { planner, ports, caches, auth, clientTls, coordinator, live, ofBuckets, queryLog, peers, ...parts } = joined
  const { launch, clock, log, newId } = options
  const { queries, sessions, catalog, duty } = parts
  const own = new OwnInstances({
    sessions, clock, newId, catalog, planner, coordinator, holdBytes: launch.config.resultHoldBytes,
    slowReaders: queries.slowReaders, executors: () => queries.executors(),
    databases: new OwnDatabases(launch.config.databases),
    connect: info => new GrpcSessionChannel(info, auth),
  })
  const statements = new Statements({
    sessions, clock, newId, queries, own, log: queryLog,
    statementsIn: (sql, dialect) => planner.statements(sql, dialect),
    catalogs: () => catalog.list(),
    refresh: (path, from) => refresh(ofBuckets, path, from),
    describe: request => queries.describe(request),
    prepare: request => prepareQuery(request, { planner, catalog: ports.catalog }),
    explain: async (request, { analyze, format: word }) => {
      const format = explainFormat(word)
      return analyze ? queries.analyze(request, format) : explained(await queries.explain(request), format)
    },
  })
  const completions = new Completions({
    own, complete: request => planner.complete(request), tables: () => catalog.tables(),
  })
  const handlers = faces({
    ...parts, clock, statements, completions, ownCatalog: new OwnCatalog(own, newId),
    auth: launch.config.auth, newId, workerSlug: 'coordinator',
    defaults: () => live.defaults, nodeGuard: nodeGuard(auth),
    key: signingKey(auth.secret),
    cacheAdmin: {
      caches,
      tables: {
        find: async name => (await ofBuckets.resolve([name], live.defaults))[0], seen: () => ofBuckets.seen(),
        refresh: name => ofBuckets.refresh(name, live.defaults),
      },
      ground: () => ({ rooms: rooms(queries), wholeBytes: thresholds(launch).wholeBytes }),
    },
    settings: () => settingsOf(live.now), reload: options.reload,
    coordinators: coordinatorAdmin(peers, duty, coordinator),
    moveCache: id => moveCache(id, rooms(queries).map(room => room.id), caches, clock),
  })
  return openDoors(handlers, {
    listen: launch.config.listen, newId, tls: auth.tls, clientTls,
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
