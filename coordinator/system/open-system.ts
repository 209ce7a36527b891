/** The tables about the cluster, put together: the log of queries, the other coordinators, and the tables over both. */

import { join } from 'node:path'
import type { Catalog } from '../../catalog/catalog.ts'
import type { SkeletonFiles } from '../../catalog/skeleton-files.ts'
import type { LiveConfig } from '../live-config.ts'
import type { Log } from '../log.ts'
import { settingsOf } from '../settings.ts'
import { AllTables } from './all-tables.ts'
import { Peers, type PeersOptions } from './peers.ts'
import { QueryLog } from './query-log.ts'
import type { SourcePorts } from './sources.ts'
import { SystemTables } from './system-tables.ts'

export interface OpenSystemOptions
  extends PeersOptions, Pick<SourcePorts, 'queries' | 'executors' | 'caches' | 'events'> {
  readonly live: Pick<LiveConfig, 'now'>
  /** Of the coordinator. */
  readonly dataDir: string
  readonly catalog: Catalog
  readonly skeletons: SkeletonFiles
  readonly log: Log
  /** In the opposite order, at the end. */
  readonly onStop: (close: () => void | Promise<void>) => void
}

export interface OpenSystem {
  readonly queryLog: QueryLog
  readonly system: SystemTables
  readonly tables: AllTables
  readonly peers: Peers
}

export async function openSystem(options: OpenSystemOptions): Promise<OpenSystem> {
  const { live, dataDir, catalog, skeletons, log, onStop, own, clock, ...sources } = options
  const queryLog = await QueryLog.open({
    folder: join(dataDir, 'query-log'), clock, coordinator: own,
    onFault: reason => log.error({ err: reason }, 'the log of queries is not written or read'),
  })
  onStop(() => queryLog.close())
  const peers = new Peers({ ...sources, own, clock })
  onStop(() => peers.close())
  await peers.start()
  const system = new SystemTables({
    sources: { ...sources, coordinator: own, clock, log: queryLog, settings: () => settingsOf(live.now) },
    peers, skeletons,
    isAdmin: principal => live.now.auth === 'none' || live.now.admins.includes(principal),
  })
  return { queryLog, system, peers, tables: new AllTables(catalog, system) }
}
