/** What operators see of the caches of remote files and do to them. */

import type { LoadedTable } from '../../catalog/catalog.ts'
import type { Table } from '../../catalog/table.ts'
import { QueryError } from '../../proto/errors.ts'
import type { AdminService } from '../../proto/gen/admin_pb.js'
import type { ServiceHandlers } from '../../proto/grpc-server.ts'
import { identifier, meaningfulTokens } from '../../proto/sql-tokens.ts'
import { cachedTables } from '../cached-tables.ts'
import type { ExecutorCache, ExecutorCaches } from '../executor-caches.ts'
import { warmCaches, type WarmPorts } from '../warm-cache.ts'

/** Operators have patience, and their calls wait for 10 s. */
const STATUS_WITHIN_MS = 8_000

export interface CacheAdminPorts {
  readonly caches: Pick<ExecutorCaches, 'look' | 'evict' | 'files' | 'warm'>
  readonly tables: TableLookup
  /** Where tables would be read now. */
  readonly ground: () => Pick<WarmPorts, 'rooms' | 'wholeBytes'>
}

export interface TableLookup {
  /** By the default catalog and schema. */
  find(name: readonly string[]): Promise<Table | undefined>
  /** Looks at the files again of those that `name` means: a table, a catalog, or all. */
  refresh(name: readonly string[]): Promise<readonly LoadedTable[]>
  /** Those that were looked at since the start. */
  seen(): readonly Table[]
}

type CacheHandlers =
  Pick<ServiceHandlers<typeof AdminService>, 'listCaches' | 'evictCaches' | 'warmCaches' | 'listCachedTables' |
    'refreshTables'>

export function cacheAdminHandlers({ caches, tables, ground }: CacheAdminPorts): CacheHandlers {
  return {
    listCaches: async () => ({ caches: (await caches.look(STATUS_WITHIN_MS)).map(told) }),
    evictCaches: async ({ bucket, prefix, table }) => {
      if (table === '') return { caches: (await caches.evict(bucket, prefix)).map(told) }
      const { files } = await tableOf(tables, table)
      const left = await caches.evict(files[0]?.file.bucket ?? '', '', files.map(({ file }) => file.key))
      return { caches: left.map(told) }
    },
    warmCaches: ({ table, columns }, call) => warm(caches, tables, ground, table, columns, call.signal),
    refreshTables: async ({ name }) => {
      const found = await tables.refresh(name === '' ? [] : partsOf(name))
      if (found.length === 0) throw new QueryError('NOT_FOUND', `no table or catalog named '${name}'`)
      return { tables: found.map(refreshed) }
    },
    listCachedTables: async () => ({
      tables: (await cachedTables(caches, tables.seen(), STATUS_WITHIN_MS)).map(row => ({
        ...row, bytes: BigInt(row.bytes), bytesFetched: BigInt(row.bytesFetched), bytesCached: BigInt(row.bytesCached),
      })),
    }),
  }
}

function told({ executor, state }: ExecutorCache) {
  return state === null ? { executor } : { executor, state }
}

function refreshed(loaded: LoadedTable) {
  if (loaded.state === 'failed') return { ...loaded.name, error: `${loaded.error.code}: ${loaded.error.message}` }
  const { files, rowCount, sizeBytes } = loaded.table
  return { ...loaded.name, files: files.length, rows: BigInt(rowCount), bytes: BigInt(sizeBytes) }
}

/** Names with dots in them are quoted. */
function partsOf(name: string): readonly string[] {
  const tokens = meaningfulTokens(name)
  const parts = tokens.flatMap(token => identifier(token) ?? [])
  if (tokens.every((token, i) => i % 2 === 0 ? identifier(token) !== undefined : token.text === '.')) return parts
  throw new QueryError('INVALID_REQUEST', `'${name}' is not the name of a table or a catalog`)
}

async function* warm(
  caches: CacheAdminPorts['caches'], tables: TableLookup, ground: CacheAdminPorts['ground'], name: string,
  columns: readonly string[], signal: AbortSignal,
) {
  const table = await tableOf(tables, name)
  for await (const { bytesFetched, bytesCached, ...more } of warmCaches(
    table, columns, { caches, ...ground() }, signal)) {
    yield { ...more, bytesFetched: BigInt(bytesFetched), bytesCached: BigInt(bytesCached) }
  }
}

/** Names with a dot in them cannot be given. */
async function tableOf(tables: TableLookup, name: string): Promise<Table> {
  const found = await tables.find(name.split('.'))
  if (found === undefined) throw new QueryError('TABLE_NOT_FOUND', `no table ${name}`)
  return found
}
