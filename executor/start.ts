/** Puts an executor together from its launch parameters: instances, exchange, service, registration; and stops it. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RemoteStore } from '../cluster/remote-store.ts'
import type { MetadataStore } from '../cluster/store.ts'
import type { Clock } from '../proto/clock.ts'
import { executorInfo } from '../proto/cluster-values.ts'
import { ExecutorInfo_State as MemberState, type ExecutorInfo } from '../proto/gen/cluster_pb.js'
import { CacheService } from '../proto/gen/cache_pb.js'
import { ExecutorService } from '../proto/gen/executor_pb.js'
import { GrpcChannel } from '../proto/grpc-channel.ts'
import { GrpcServer } from '../proto/grpc-server.ts'
import type { Incarnation } from '../proto/ids.ts'
import type { ExecutorLaunch, Ready } from '../proto/launch.ts'
import { BodyPool } from './body-pool.ts'
import { openBucketFiles } from './bucket-files.ts'
import { cacheHandlers } from './cache-service.ts'
import { checkLaunch, openFolders, parseAddress, stableId, type ExecutorFolders } from './config.ts'
import { ExchangeFiles } from './exchange-files.ts'
import { ExchangeReader } from './exchange-reader.ts'
import { Executor } from './executor.ts'
import { InstanceSet, LEASE_BYTES } from './instance-set.ts'
import { duckdbVersion } from './instances.ts'
import { openLog, type Log } from './log.ts'
import { PeerChannels } from './peer-channels.ts'
import { Registration } from './registration.ts'
import { Reservations } from './reservations.ts'
import { ResultSpool } from './result-spool.ts'
import { executorHandlers, requireSecret, type Identity } from './service.ts'
import { ByteBudget } from './byte-budget.ts'
import { TaskQueue } from './task-queue.ts'
import { TableReads } from './table-reads.ts'
import { TaskRunner } from './task-runner.ts'

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
}

export interface StartedExecutor {
  readonly ready: Ready & { readonly ready: true }
  /** Cancels everything, takes the executor out of the cluster and removes its work folders. */
  readonly stop: () => Promise<void>
}

export async function startExecutor(launch: ExecutorLaunch, options: StartOptions): Promise<StartedExecutor> {
  checkLaunch(launch)
  const listen = parseAddress(launch.listen)
  const folders = await openFolders(launch.dataDir)
  const log = openLog(folders.log, options.logLevel)
  const id = await stableId(folders.idFile, options.randomId())
  const incarnation = options.randomId() as Incarnation
  const peers = new PeerChannels(launch.secret)
  const parts = await openParts(launch, options, folders, log, incarnation, peers)
  const server = new GrpcServer({ authenticate: requireSecret(launch.secret) })
  const late: { registration?: Registration; identity?: Identity } = {}
  const executor = new Executor({ ...parts, checkMembership: () => late.registration?.check() })
  server.addService(ExecutorService, executorHandlers(executor, parts.exchangeFiles, () => {
    if (late.identity === undefined) throw new Error('a call before the executor listens')
    return late.identity
  }))
  server.addService(CacheService, cacheHandlers(parts.files, parts.reads))
  const address = `${listen.host}:${await server.listen(listen.host, listen.port)}`
  late.identity = identityOf({ id, incarnation, address, files: parts.exchangeFiles })
  const channel = new GrpcChannel(launch.storeAddress, { authorization: `Bearer ${launch.secret}` })
  const store: MetadataStore = new RemoteStore(channel)
  const info = infoOf(launch, options.version, late.identity, address)
  late.registration = await Registration.start({ store, clock: options.clock, log, info })
  log.info({ id, incarnation, address, pid: process.pid }, 'executor ready')
  return {
    ready: { ready: true, role: 'executor', id, address, pid: process.pid },
    stop: async () => {
      await late.registration?.stop()
      await executor.stop()
      server.close()
      peers.close()
      await store.close()
      await parts.instances.close()
      parts.closeFiles()
      await Promise.all([folders.exchange, folders.spools].map(path => rm(path, { recursive: true, force: true })))
      log.info({ id }, 'executor stopped')
    },
  }
}

async function openParts(
  launch: ExecutorLaunch, options: StartOptions, folders: ExecutorFolders, log: Log, incarnation: Incarnation,
  peers: PeerChannels,
) {
  const { clock } = options
  const files = await openBucketFiles(launch, options, folders)
  const { memoryBytes, spillBytes, threads } = launch
  const disk = new ByteBudget(spillBytes)
  const exchangeFiles = await ExchangeFiles.open(folders.exchange, incarnation, disk)
  await rm(folders.spools, { recursive: true, force: true })
  const instances = await InstanceSet.open({
    clock, directories: [...files.directories, exchangeFiles.root], spillFolder: folders.spill,
    disk, memoryBytes, threads,
  })
  const exchangeReader = new ExchangeReader(exchangeFiles, ({ address, queryId, path, offset }, signal) =>
    peers.to(address).fetchExchange({ queryId, path, offset: BigInt(offset) }, { signal }), clock)
  const reads = new TableReads()
  const runner = new TaskRunner({
    clock, instances, exchangeFiles, exchangeReader, files: files.source, pool: new BodyPool(), reads,
  })
  const memory = new ByteBudget(SPOOL_MEMORY_BYTES)
  return {
    clock, log, exchangeFiles, instances, runner,
    closeFiles: () => files.close(),
    files, reads,
    queue: new TaskQueue(launch.slots, clock),
    reservations: new Reservations({
      totalBytes: instances.totalBytes, leasableBytes: instances.leasableBytes, leaseBytes: LEASE_BYTES,
    }),
    newSpool: (taskId: string) => new ResultSpool({ folder: join(folders.spools, taskId), memory, disk, clock }),
  }
}

function infoOf(launch: ExecutorLaunch, version: string, { id, incarnation }: Identity, address: string): ExecutorInfo {
  return executorInfo({
    id, incarnation, address, processId: process.pid, slots: launch.slots, memoryBytes: BigInt(launch.memoryBytes),
    cacheBytes: BigInt(launch.cacheBytes), skeinVersion: version, duckdbVersion, state: MemberState.ACTIVE,
    labels: { ...launch.labels },
  })
}

function identityOf({ id, incarnation, address, files }: Pick<Identity, 'id' | 'incarnation'> & {
  readonly address: string; readonly files: ExchangeFiles
}): Identity {
  const { root, markerPath, markerToken } = files
  return { id, incarnation, source: { executorId: id, address, folder: root, markerPath, markerToken } }
}
