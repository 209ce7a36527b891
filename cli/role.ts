/**
 * `skein coordinator` and `skein executor`: one process of a cluster on several hosts, whose store is etcd. Prints what
 * it serves, then `ready`; SIGTERM and Ctrl-C end it with nothing left behind, SIGHUP has it read its configuration
 * again. An executor that dies is started again; a coordinator that dies ends the command, and whoever runs it starts
 * it again.
 */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../proto/clock.ts'
import type { Config } from '../proto/config.ts'
import { QueryError } from '../proto/errors.ts'
import { lockFolder } from '../proto/folder-lock.ts'
import type { ExecutorLaunch, StoreLaunch } from '../proto/launch.ts'
import { Child } from './child.ts'
import { coordinatorLaunch, resultsDoor, type CoordinatorReady, type Thresholds } from './cluster.ts'
import { KeptChild } from './kept-child.ts'
import { Reload } from './reload.ts'
import { coordinatorDoors, type StartPorts } from './start.ts'

export interface RoleOptions extends Thresholds {
  readonly config: Config
  readonly clock: Clock
  readonly onNotice: (line: string) => void
}

export async function coordinator(options: RoleOptions, ports: StartPorts): Promise<void> {
  await inFolder('coordinator', options, ports, async dataDir => {
    const launch = coordinatorLaunch(options, dataDir, storeOf(options.config))
    const child = await Child.start(launch, options.clock, () => undefined)
    const reload = new Reload(options.config, ports.reloading, config => child.reload({ config }))
    child.serve(() => reload.run())
    for (const line of coordinatorDoors(child.ready as CoordinatorReady, options.config)) ports.print(line)
    ports.print('ready')
    const how = await Promise.race([ports.stopped, child.ended])
    if (typeof how !== 'string') await child.leave(options.config.node.drainMs)
    await child.stop()
    if (typeof how === 'string') throw new QueryError('UNAVAILABLE', `the coordinator ended: ${how}`)
  })
}

export async function executor(options: RoleOptions, ports: StartPorts): Promise<void> {
  await inFolder('executor', options, ports, async dataDir => {
    const kept = new KeptChild({ ...options, launch: executorLaunch(options.config, dataDir), name: 'the executor' })
    const { ready } = await kept.start()
    new Reload(options.config, ports.reloading, ({ buckets }) => kept.reload({ buckets }))
    if (ready.role === 'executor') {
      ports.print(`executor grpc${secure(options.config.tls)}://${ready.address}`)
      if (ready.flight !== '') ports.print(`results ${ready.flight}`)
    }
    ports.print('ready')
    void kept.keep()
    await ports.stopped
    await kept.leave(options.config.node.drainMs)
  })
}

/** What a cluster on several hosts needs, beyond what one box does. */
function checkRole({ store, tls, node, secretKeyFile }: Config): void {
  const missing = (key: string, why: string): never => {
    throw new QueryError('INVALID_CONFIG', `${key}: is missing: ${why}`)
  }
  if (store === null) return missing('store', 'where the cluster keeps its metadata; skein start needs none')
  if (secretKeyFile === null) return missing('secret_key_file', 'what the cluster\'s secret is sealed with')
  if (node.advertise === null) return missing('node.advertise', 'the host:port at which other nodes reach this one')
  if (tls === null && !/^(127\.|localhost:|\[::1\])/.test(node.advertise)) {
    return missing('tls', `what nodes know each other by, as ${node.advertise} is open to other hosts`)
  }
}

function storeOf({ store, secretKeyFile }: Config): StoreLaunch {
  if (store === null || secretKeyFile === null) throw new Error('checked before')
  return { kind: 'etcd', etcd: store, secretKeyFile }
}

function executorLaunch(config: Config, dataDir: string): ExecutorLaunch {
  const { threads, memoryBytes, spillBytes, cacheBytes, resultCacheBytes, labels, advertise } = config.node
  if (advertise === null) throw new Error('checked before')
  return {
    role: 'executor', dataDir, listen: config.listen.node ?? advertise, advertise, store: storeOf(config),
    storeGraceMs: config.storeGraceMs, drainMs: config.node.drainMs, buckets: config.buckets,
    ...(config.tls === null ? {} : { tls: config.tls }), ...resultsDoor(config),
    threads, slots: threads, memoryBytes, spillBytes, cacheBytes, resultCacheBytes, labels,
  }
}

/** One process a role and folder: both roles of one host may share a configuration. */
async function inFolder(
  role: 'coordinator' | 'executor', { config }: RoleOptions, { processId }: StartPorts,
  run: (dataDir: string) => Promise<void>,
): Promise<void> {
  checkRole(config)
  const dataDir = join(config.dataDir, role)
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  const unlock = lockFolder('data_dir', dataDir, processId)
  try {
    await run(dataDir)
  } finally {
    unlock()
  }
}

export function secure(tls: unknown): string {
  return tls === null ? '' : '+tls'
}
