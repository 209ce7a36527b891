/**
 * What the caches hold of each table, and how much of what tasks have read of it they had: rows for operators. Of the
 * tables that were looked at since the start; no bucket is asked.
 */

import type { Table, TableName } from '../catalog/table.ts'
import type { CachedFile, CacheState } from '../proto/gen/cache_pb.js'
import { type ExecutorCaches, NO_ANSWER } from './executor-caches.ts'

export interface CachedTable extends TableName {
  readonly executor: string
  /** Here wholly or in part. */
  readonly files: number
  readonly chunks: number
  readonly bytes: number
  /** Of what tasks have read since the executor's start: brought for them, and found there. */
  readonly bytesFetched: number
  readonly bytesCached: number
  /** Not empty: it is about the executor, of which nothing more is known. */
  readonly error: string
}

const none = { files: 0, chunks: 0, bytes: 0, bytesFetched: 0, bytesCached: 0, error: '' }

/** By executor, then by name; only tables of which there is something to tell, and executors that do not answer. */
export async function cachedTables(
  caches: Pick<ExecutorCaches, 'look' | 'files'>, tables: readonly Table[], withinMs: number,
): Promise<CachedTable[]> {
  const states = await caches.look(withinMs / 2)
  const owners = tablesOfFiles(tables)
  const rows = await Promise.all(states.map(async ({ executor, state }) => {
    const files = state === null ? null
      : state.files === 0 ? [] : await caches.files(executor, false, withinMs / 2).catch(() => null)
    if (state !== null && files !== null) return rowsOf(executor, state, files, owners)
    return [{ executor, catalog: '', schema: '', table: '', ...none, error: NO_ANSWER }]
  }))
  return rows.flat()
}

/** A file may belong to several tables. */
function tablesOfFiles(tables: readonly Table[]): ReadonlyMap<string, readonly TableName[]> {
  const owners = new Map<string, TableName[]>()
  for (const { name, files } of tables) {
    for (const { file: { bucket, key, etag } } of files) {
      const id = [bucket, key, etag].join('\0')
      const known = owners.get(id)
      if (known === undefined) owners.set(id, [name])
      else known.push(name)
    }
  }
  return owners
}

function rowsOf(
  executor: string, state: CacheState, files: readonly CachedFile[], owners: ReadonlyMap<string, readonly TableName[]>,
): CachedTable[] {
  const rows = new Map<string, CachedTable>()
  const add = ({ catalog, schema, table }: TableName, more: Partial<CachedTable>): void => {
    const key = JSON.stringify([catalog, schema, table])
    rows.set(key, { ...rows.get(key) ?? { executor, catalog, schema, table, ...none }, ...more })
  }
  for (const { catalog, schema, table, bytesFetched, bytesCached } of state.tables) {
    add({ catalog, schema, table }, { bytesFetched: Number(bytesFetched), bytesCached: Number(bytesCached) })
  }
  for (const { bucket, key, etag, chunks, bytes } of files) {
    for (const name of owners.get([bucket, key, etag].join('\0')) ?? []) {
      const before = rows.get(JSON.stringify([name.catalog, name.schema, name.table]))
      add(name, {
        files: (before?.files ?? 0) + 1, chunks: (before?.chunks ?? 0) + chunks,
        bytes: (before?.bytes ?? 0) + Number(bytes),
      })
    }
  }
  return [...rows].sort(([a], [b]) => a < b ? -1 : 1).map(([, row]) => row)
}
