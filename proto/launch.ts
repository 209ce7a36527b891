/**
 * What a parent process and its child tell each other, in lines of JSON on the child's standard input and output: first
 * what the child is to be, and that it is ready or has failed; later that its parameters have changed. Standard input
 * stays open: its end means that the parent is gone, and the child stops. Secrets travel this way because arguments and
 * environments can be read by others.
 */

import type { BucketConfig } from './config-bucket.ts'
import type { Config, DoorTlsFiles, EtcdConfig, TlsFiles } from './config.ts'

export interface ExecutorLaunch {
  readonly role: 'executor'
  /** This executor's own folder: its stable id, cache, exchange files, spill. */
  readonly dataDir: string
  /** host:port to serve on; port 0 takes any free one. */
  readonly listen: string
  /** host:port to tell others; port 0: the one that it listens on. Absent: as `listen`. */
  readonly advertise?: string
  readonly store: StoreLaunch
  readonly storeGraceMs: number
  /** After SIGTERM: how long it goes on for the queries that it has. */
  readonly drainMs: number
  /** Absent: all on one box. */
  readonly tls?: TlsFiles
  /** Where clients read parts of results; absent: nowhere. */
  readonly results?: ResultsDoor
  readonly buckets: Readonly<Record<string, BucketConfig>>
  readonly threads: number
  /** Tasks at once. */
  readonly slots: number
  readonly memoryBytes: number
  readonly spillBytes: number
  readonly cacheBytes: number
  /** Of results that are kept for other queries; absent: none are. */
  readonly resultCacheBytes?: number
  readonly labels: Readonly<Record<string, string>>
}

export interface ResultsDoor {
  /** host:port; port 0 takes any free one. */
  readonly listen: string
  /** The host to tell clients. */
  readonly host: string
  /** null: plain text. */
  readonly tls: DoorTlsFiles | null
}

export interface CoordinatorLaunch {
  readonly role: 'coordinator'
  readonly dataDir: string
  readonly store: StoreLaunch
  readonly config: Config
  /** From SKEIN_WHOLE_BYTES, SKEIN_BROADCAST_ROWS, SKEIN_SORT_ROWS, SKEIN_SKEW_ROWS; absent: the defaults. */
  readonly wholeBytes?: number
  readonly broadcastRows?: number
  readonly sortRows?: number
  readonly skewRows?: number
}

/** Where the metadata store is, and how the cluster's secret is come by. */
export type StoreLaunch =
  /** In the coordinator itself, which serves it to the executors of this box. */
  | { readonly kind: 'embedded'; readonly secret: string }
  /** host:port of that coordinator. */
  | { readonly kind: 'remote'; readonly secret: string; readonly address: string }
  | { readonly kind: 'etcd'; readonly secretKeyFile: string; readonly etcd: EtcdConfig }

/** Of their parameters, what may change while they run. */
export type ExecutorChange = Pick<ExecutorLaunch, 'buckets'>
export type CoordinatorChange = Pick<CoordinatorLaunch, 'config'>

/** From the parent, after the first line. */
export type Order<Change> =
  | { readonly order: 'reload'; readonly change: Change }
  /** What became of the reload that the child has asked for. */
  | { readonly order: 'reloaded'; readonly outcome: ReloadOutcome }

/** From the child, after the first line. */
export type Report =
  | { readonly report: 'reloaded'; readonly outcome: ReloadOutcome }
  /** Somebody has asked this process for what only its parent can do. */
  | { readonly report: 'wants-reload' }

/** The keys that have changed, or why none has. */
export type ReloadOutcome =
  | { readonly changed: readonly string[] }
  | { readonly code: string; readonly message: string }

export type Ready =
  | {
    readonly ready: true; readonly role: 'executor'; readonly pid: number
    readonly id: string; readonly address: string
    /** Where clients read parts of results; empty: nowhere. */
    readonly flight: string
  }
  | {
    readonly ready: true; readonly role: 'coordinator'; readonly pid: number
    /** Of an embedded store. */
    readonly storeAddress?: string
    readonly http: string; readonly flight: string; readonly admin: string
  }
  | { readonly ready: false; readonly code: string; readonly message: string }
