/** The launch parameters of an executor, checked, and the folders below its data directory. */

import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { BucketConfig } from '../proto/config-bucket.ts'
import { QueryError } from '../proto/errors.ts'
import type { ExecutorChange, ExecutorLaunch } from '../proto/launch.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface ExecutorFolders {
  readonly idFile: string
  readonly exchange: string
  readonly spill: string
  readonly spools: string
  /** Of kept results. */
  readonly results: string
  readonly cache: string
  /** Of files that come along with tasks. */
  readonly carried: string
  readonly log: string
}

/** INVALID_CONFIG names what is wrong. */
export function checkLaunch(launch: ExecutorLaunch): void {
  const { threads, slots, memoryBytes, spillBytes, cacheBytes } = launch
  for (const [name, value] of Object.entries({ threads, slots, memoryBytes, spillBytes, cacheBytes })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw invalid(`${name} must be a whole number above 0, not ${String(value)}`)
  }
  if (launch.store.kind !== 'etcd' && launch.store.secret === '') throw invalid('the cluster secret is empty')
}

/** `host:port`, also `[::1]:port`. */
export function parseAddress(text: string): Address {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || port === undefined || Number(port) > 65_535) throw invalid(`${text} is not host:port`)
  return { host, port: Number(port) }
}

/** Makes the data directory. */
export async function openFolders(dataDir: string): Promise<ExecutorFolders> {
  try {
    await mkdir(dataDir, { recursive: true })
  } catch (error) {
    throw invalid(`cannot make the data directory ${dataDir}: ${reason(error)}`, error)
  }
  const root = await realpath(dataDir)
  return {
    idFile: join(root, 'id'), exchange: join(root, 'exchange'), spill: join(root, 'spill'), spools: join(root, 'spool'),
    results: join(root, 'results'),
    cache: join(root, 'cache'), carried: join(root, 'carried'),
    log: join(root, 'executor.log'),
  }
}

/** The buckets with the folders of local ones absolute and free of links, as file paths will be. */
export async function resolvedBuckets(
  launch: ExecutorChange,
): Promise<Readonly<Record<string, BucketConfig>>> {
  const buckets = Object.entries(launch.buckets)
  return Object.fromEntries(await Promise.all(buckets.map(async ([name, bucket]): Promise<[string, BucketConfig]> => {
    return [name, bucket.provider === 'local' ? { ...bucket, path: await bucketFolder(name, bucket.path) } : bucket]
  })))
}

async function bucketFolder(name: string, path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    throw invalid(`bucket ${name}: no folder ${path}: ${reason(error)}`, error)
  }
}

function invalid(message: string, cause?: unknown): QueryError {
  return new QueryError('INVALID_CONFIG', message, { cause })
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
