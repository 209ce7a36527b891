/**
 * What a parent process tells a child when it starts it: one line of JSON on the child's standard input, and one line
 * back on its standard output when it is ready or has failed. Standard input stays open: its end means that the parent
 * is gone, and the child stops. Secrets travel this way because arguments and environments can be read by others.
 */

import type { BucketConfig } from './config-bucket.ts'
import type { Config } from './config.ts'

export interface ExecutorLaunch {
  readonly role: 'executor'
  /** This executor's own folder: its stable id, cache, exchange files, spill. */
  readonly dataDir: string
  /** host:port to serve on; port 0 takes any free one. */
  readonly listen: string
  readonly secret: string
  /** host:port of the coordinator's metadata store. */
  readonly storeAddress: string
  readonly buckets: Readonly<Record<string, BucketConfig>>
  readonly threads: number
  /** Tasks at once. */
  readonly slots: number
  readonly memoryBytes: number
  readonly spillBytes: number
  readonly cacheBytes: number
  readonly labels: Readonly<Record<string, string>>
}

export interface CoordinatorLaunch {
  readonly role: 'coordinator'
  readonly dataDir: string
  readonly secret: string
  readonly config: Config
  /** From SKEIN_WHOLE_BYTES and SKEIN_BROADCAST_ROWS; absent: the defaults. */
  readonly wholeBytes?: number
  readonly broadcastRows?: number
}

export type Ready =
  | {
    readonly ready: true; readonly role: 'executor'; readonly pid: number
    readonly id: string; readonly address: string
  }
  | {
    readonly ready: true; readonly role: 'coordinator'; readonly pid: number; readonly storeAddress: string
    readonly http: string; readonly flight: string; readonly admin: string
  }
  | { readonly ready: false; readonly code: string; readonly message: string }
