/** What operators see of the caches of remote files and do to them. */

import type { Table } from '../../catalog/table.ts'
import { QueryError } from '../../proto/errors.ts'
import type { AdminService } from '../../proto/gen/admin_pb.js'
import type { ServiceHandlers } from '../../proto/grpc-server.ts'
import { cachedTables } from '../cached-tables.ts'
import type { ExecutorCaches } from '../executor-caches.ts'
import { warmCaches, type WarmPorts } from '../warm-cache.ts'

export interface CacheAdminPorts {
  readonly caches: Pick<ExecutorCaches, 'list' | 'evict' | 'files' | 'warm'>
  readonly tables: TableLookup
  /** Where tables would be read now. */
  readonly ground: () => Pick<WarmPorts, 'rooms' | 'wholeBytes'>
}

export interface TableLookup {
  /** By the default catalog and schema. */
  find(name: readonly string[]): Promise<Table | undefined>
  /** Those that were looked at since the start. */
  seen(): readonly Table[]
}

type CacheHandlers =
  Pick<ServiceHandlers<typeof AdminService>, 'listCaches' | 'evictCaches' | 'warmCaches' | 'listCachedTables'>

export function cacheAdminHandlers({ caches, tables, ground }: CacheAdminPorts): CacheHandlers {
  return {
    listCaches: async () => ({ caches: await caches.list() }),
    evictCaches: async ({ bucket, prefix, table }) => {
      if (table === '') return { caches: await caches.evict(bucket, prefix) }
      const { files } = await tableOf(tables, table)
      return { caches: await caches.evict(files[0]?.file.bucket ?? '', '', files.map(({ file }) => file.key)) }
    },
    warmCaches: ({ table, columns }, call) => warm(caches, tables, ground, table, columns, call.signal),
    listCachedTables: async () => ({
      tables: (await cachedTables(caches, tables.seen())).map(row => ({
        ...row, bytes: BigInt(row.bytes), bytesFetched: BigInt(row.bytesFetched), bytesCached: BigInt(row.bytesCached),
      })),
    }),
  }
}

async function* warm(
  caches: CacheAdminPorts['caches'], tables: TableLookup, ground: CacheAdminPorts['ground'], name: string,
  columns: readonly string[], signal: AbortSignal,
) {
  const table = await tableOf(tables, name)
  for await (const { executor, files, filesDone, ...bytes } of warmCaches(
    table, columns, { caches, ...ground() }, signal)) {
    const { bytesFetched, bytesCached } = bytes
    yield { executor, files, filesDone, bytesFetched: BigInt(bytesFetched), bytesCached: BigInt(bytesCached) }
  }
}

/** Names with a dot in them cannot be given. */
async function tableOf(tables: TableLookup, name: string): Promise<Table> {
  const found = await tables.find(name.split('.'))
  if (found === undefined) throw new QueryError('TABLE_NOT_FOUND', `no table ${name}`)
  return found
}
