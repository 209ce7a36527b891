/** Puts an executor together from its launch parameters: instances, exchange, service, registration; and stops it. */

import { rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { DutyKeeper, memberState, type Duty } from '../cluster/duty.ts'
import { memberKey } from '../cluster/keys.ts'
import { openStore } from '../cluster/open-store.ts'
import { LEASE_TTL_MS, Registration } from '../cluster/registration.ts'
import type { Entry } from '../cluster/store.ts'
import type { Clock } from '../proto/clock.ts'
import { decodeExecutorInfo, encodeExecutorInfo, executorInfo, WIRE_VERSION } from '../proto/cluster-values.ts'
import { asQueryError, type QueryError } from '../proto/errors.ts'
import { clientServer, clientUri } from '../proto/client-door.ts'
import type { ExecutorInfo } from '../proto/gen/cluster_pb.js'
import { CacheService } from '../proto/gen/cache_pb.js'
import { ExecutorService } from '../proto/gen/executor_pb.js'
import { FlightService } from '../proto/gen/flight_pb.js'
import { SessionService } from '../proto/gen/session_pb.js'
import type { ExecutorId, Incarnation, TaskId } from '../proto/ids.ts'
import type { ExecutorChange, ExecutorLaunch, Ready } from '../proto/launch.ts'
import { nodeChannel, nodeServer, type NodeAuth } from '../proto/node-auth.ts'
import type { Leave } from '../proto/parent.ts'
import { stableId } from '../proto/stable-id.ts'
import { Signer, signingKey } from '../proto/signed-text.ts'
import { readDoorTls, readTls } from '../proto/tls.ts'
import { BodyPool } from '../proto/body-pool.ts'
import { openBucketFiles } from './bucket-files.ts'
import { cacheHandlers } from './cache-service.ts'
import { checkLaunch, openFolders, parseAddress, type ExecutorFolders } from './config.ts'
import { CpuShare, processCpuMs } from './cpu-share.ts'
import { ExchangeFiles } from './exchange-files.ts'
import { ExchangeReader } from './exchange-reader.ts'
import { Executor } from './executor.ts'
import { InstanceSet, LEASE_BYTES } from './instance-set.ts'
import { duckdbVersion } from './instances.ts'
import { KeptResults } from './kept-results.ts'
import { flightDoor } from './flight-door.ts'
import { openLog, type Log } from './log.ts'
import { PartReadings } from './part-readings.ts'
import { askPeers } from './peer-chunks.ts'
import { PeerChannels } from './peer-channels.ts'
import { Reservations } from './reservations.ts'
import { ResultSpool, type SpoolOptions } from './result-spool.ts'
import { SpoolMemory } from './spool-memory.ts'
import { executorHandlers, type Identity } from './service.ts'
import { ByteBudget } from './byte-budget.ts'
import { TaskQueue } from './task-queue.ts'
import { TableReads } from './table-reads.ts'
import { DatabaseFiles } from './session/database-files.ts'
import { SessionHost } from './session/session-host.ts'
import { sessionHandlers } from './session/session-service.ts'
import { TaskRunner } from './task-runner.ts'
import { Troubles } from './troubles.ts'

/** An executor that lives answers at once. */
const IDENTIFY_MS = 1_000
/** Of results in memory, over all queries: the rest is on disk. */
const SPOOL_MEMORY_BYTES = 256 * 1024 * 1024

export interface StartOptions {
  readonly clock: Clock
  /** Random names: of the executor if it has none yet, and of this start of it. */
  readonly randomId: () => string
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly version: string
  readonly logLevel: string
  /** Bytes that nobody can guess. */
  readonly randomBytes: (byteCount: number) => Uint8Array
  /** This process has no place in the cluster any more, and has to end. */
  readonly onFatal: (cause: QueryError) => void
}

export interface StartedExecutor {
  readonly ready: Ready & { readonly ready: true }
  readonly leave: Leave
  readonly reload: (change: ExecutorChange) => Promise<void>
  /** Cancels everything, takes the executor out of the cluster and removes its work folders. */
  readonly stop: () => Promise<void>
}

export async function startExecutor(launch: ExecutorLaunch, options: StartOptions): Promise<StartedExecutor> {
  checkLaunch(launch)
  const { clock, randomId } = options
  const listen = parseAddress(launch.listen)
  const folders = await openFolders(launch.dataDir)
  const log = openLog(folders.log, options.logLevel)
  const id = await stableId(folders.idFile, randomId()) as ExecutorId
  const tls = launch.tls === undefined ? null : readTls('tls', launch.tls, clock.wallMs())
  const { store, secret } = await openStore(launch.store, {
    clock, journal: '', newId: randomId, randomBytes: options.randomBytes,
  })
  const auth: NodeAuth = { secret, tls }
  const peers = new PeerChannels(auth)
  const duty = new DutyKeeper('executor')
  const late: { registration?: Registration; identity?: Identity } = {}
  const tell = (): void => {
    late.registration?.update().catch((reason: unknown) => {
      log.warn({ reason: asQueryError(reason).message }, 'the store does not know yet')
    })
  }
  const troubles = new Troubles({
    clock, duty, freeShare: () => freeShare(launch.dataDir), onUnfit: options.onFatal,
    onChange: reason => {
      log.error({ id, reason }, reason === '' ? 'the trouble is over' : 'the executor drains itself')
      tell()
    },
  })
  const parts = await openParts(launch, options, folders, log, randomId(), peers, troubles)
  const server = nodeServer(auth)
  duty.follow(next => {
    log.info({ id }, `the executor is ${next}`)
    tell()
  })
  const executor = new Executor({
    ...parts, duty,
    onCoordinatorGone: coordinator => { void parts.sessions.closeOf(coordinator) },
    checkMembership: () => late.registration?.check(),
  })
  server.addService(ExecutorService, executorHandlers(executor, parts.exchangeFiles, clock, () => {
    if (late.identity === undefined) throw new Error('a call before the executor listens')
    return late.identity
  }))
  server.addService(CacheService, cacheHandlers(parts))
  server.addService(SessionService, sessionHandlers(parts.sessions))
  const bound = await server.listen(listen.host, listen.port)
  const readings = new PartReadings({ store, auth, clock })
  const door = await openResults(launch, executor, readings, new Signer(signingKey(secret), clock), clock)
  const address = advertised(launch, bound)
  const begin = (): Identity =>
    identityOf({ id, incarnation: randomId() as Incarnation, address, files: parts.exchangeFiles })
  late.identity = begin()
  const now = (): Identity => late.identity ?? begin()
  late.registration = await Registration.start({
    store, clock, key: memberKey(id), name: `executor ${id}`,
    // longer than the coordinators', who can tell their clients why
    graceMs: launch.storeGraceMs + LEASE_TTL_MS,
    value: () => encodeExecutorInfo(infoOf(
      launch, options.version, now(), { address, flight: door.uri }, duty.duty, troubles.reason)),
    isAlive: earlier => isAnother(earlier, now(), auth),
    onLost: async () => {
      log.warn({ id }, 'lease lost: dropping what it held, registering anew')
      late.identity = begin()
      await executor.drop('the executor has lost its lease')
      await parts.sessions.closeAll()
    },
    onUsurped: cause => {
      log.error({ id, reason: cause.message }, 'this executor has no place any more')
      options.onFatal(cause)
    },
    onReach: reason => {
      if (reason === null) log.info({}, 'the store answers again')
      else log.warn({ reason: reason.message }, 'no keepalive')
    },
  })
  log.info({ id, incarnation: now().incarnation, address, pid: process.pid }, 'executor ready')
  return {
    ready: { ready: true, role: 'executor', id, address, flight: door.uri, pid: process.pid },
    reload: async change => {
      await parts.files.reload(change)
      log.info({ buckets: Object.keys(change.buckets) }, 'buckets reloaded')
    },
    leave: {
      withinMs: launch.drainMs,
      drained: () => {
        duty.drain()
        return duty.whenDrained()
      },
    },
    stop: async () => {
      troubles.stop()
      await late.registration?.stop()
      await executor.stop()
      await parts.sessions.closeAll()
      server.close()
      door.close()
      peers.close()
      await store.close()
      await parts.instances.close()
      await parts.closeFiles()
      const made = [folders.exchange, folders.spools, folders.results, folders.carried]
      await Promise.all(made.map(path => rm(path, { recursive: true, force: true })))
      log.info({ id }, 'executor stopped')
    },
  }
}

/** Of the disk of a folder. */
async function freeShare(folder: string): Promise<number> {
  const { bavail, blocks } = await statfs(folder)
  return bavail / blocks
}

/** The door of clients; without one its URI is empty. */
async function openResults(
  { results }: ExecutorLaunch, executor: Executor, readings: PartReadings, signer: Signer, clock: Clock,
): Promise<{ readonly uri: string; readonly close: () => void }> {
  if (results === undefined) return { uri: '', close: () => undefined }
  const tls = results.tls === null ? null : readDoorTls(results.tls, clock.wallMs())
  const server = clientServer(tls)
  server.addService(FlightService, flightDoor({ executor, signer, readings }))
  const { host, port } = parseAddress(results.listen)
  const bound = await server.listen(host, port)
  return { uri: clientUri(`${results.host}:${bound}`, tls), close: () => server.close() }
}

/** host:port for others. */
function advertised({ listen, advertise = listen }: ExecutorLaunch, bound: number): string {
  const { host, port } = parseAddress(advertise)
  return `${host}:${port === 0 ? bound : port}`
}

/** Does another process than this one answer for an earlier entry? */
async function isAnother(earlier: Entry, own: Identity, auth: NodeAuth): Promise<boolean> {
  const info = decodeExecutorInfo(earlier.value)
  if (info === null || info.incarnation === own.incarnation) return false
  const channel = nodeChannel(info.address, auth)
  try {
    const hello = await channel.service(ExecutorService).identify({}, { deadlineMs: IDENTIFY_MS })
    return hello.executorId === info.id && hello.incarnation === info.incarnation
  } catch {
    return false // nobody answers there, or somebody else
  } finally {
    channel.close()
  }
}

async function openParts(
  launch: ExecutorLaunch, options: StartOptions, folders: ExecutorFolders, log: Log, markerToken: string,
  peers: PeerChannels, troubles: Troubles,
) {
  const { clock } = options
  const files = await openBucketFiles(launch, options, askPeers(peers), folders)
  const { memoryBytes, spillBytes, threads } = launch
  const disk = new ByteBudget(spillBytes)
  const exchangeFiles = await ExchangeFiles.open(folders.exchange, markerToken, disk)
  await rm(folders.spools, { recursive: true, force: true })
  await rm(folders.results, { recursive: true, force: true })
  const instances = await InstanceSet.open({
    clock, directories: [...files.directories, exchangeFiles.root], spillFolder: folders.spill,
    disk, memoryBytes, threads,
  })
  const exchangeReader = new ExchangeReader(exchangeFiles, ({ address, queryId, path, offset }, signal) =>
    peers.to(address).tasks.fetchExchange({ queryId, path, offset: BigInt(offset) }, { signal }), clock)
  const reads = new TableReads()
  const pool = new BodyPool()
  const runner = new TaskRunner({
    clock, instances, exchangeFiles, exchangeReader, files: files.source, pool, reads, troubles,
    cpu: new CpuShare(processCpuMs),
  })
  const memory = new SpoolMemory(SPOOL_MEMORY_BYTES)
  const databaseFiles = new DatabaseFiles(files.directories, clock)
  const newSpool = (name: string, of: Pick<SpoolOptions, 'family' | 'onOutgrown'> = {}): ResultSpool =>
    new ResultSpool({ folder: join(folders.spools, name), memory, disk, clock, ...of })
  return {
    clock, log, exchangeFiles, instances, runner,
    closeFiles: async () => {
      files.close()
      await databaseFiles.close()
    },
    files, reads,
    kept: new KeptResults(folders.results, launch.resultCacheBytes ?? 0),
    queue: new TaskQueue(launch.slots, clock),
    reservations: new Reservations({
      totalBytes: instances.totalBytes, leasableBytes: instances.leasableBytes, leaseBytes: LEASE_BYTES,
    }),
    newSpool: (taskId: TaskId, family: Set<ResultSpool>, onOutgrown: () => void) =>
      newSpool(taskId, { family, onOutgrown }),
    sessions: new SessionHost({
      instances, files: files.source, pool, directories: files.directories, databaseFiles,
      newSpool: resultId => newSpool(`session-${encodeURIComponent(resultId)}`),
    }),
  }
}

function infoOf(
  launch: ExecutorLaunch, version: string, { id, incarnation }: Identity,
  { address, flight }: { readonly address: string; readonly flight: string }, duty: Duty, reason: string,
): ExecutorInfo {
  return executorInfo({
    id, incarnation, address, flight, processId: process.pid, slots: launch.slots,
    memoryBytes: BigInt(launch.memoryBytes), cacheBytes: BigInt(launch.cacheBytes), skeinVersion: version,
    duckdbVersion, state: memberState(duty), labels: { ...launch.labels }, wireVersion: WIRE_VERSION, reason,
  })
}

function identityOf({ id, incarnation, address, files }: Pick<Identity, 'id' | 'incarnation'> & {
  readonly address: string; readonly files: ExchangeFiles
}): Identity {
  const { root, markerPath, markerToken } = files
  return { id, incarnation, source: { executorId: id, address, folder: root, markerPath, markerToken } }
}
