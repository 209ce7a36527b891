/** A remote bucket with Parquet files written by DuckDB, a cache over it, and DuckDB to read what the cache opens. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ColumnCache } from '../../cache/column-cache.ts'
import type { OpenFile, WantedFile } from '../../cache/wanted-file.ts'
import type { FileKey } from '../../cache/key.ts'
import { systemClock } from '../../proto/clock.ts'
import { DuckDBInstance } from '../duckdb.ts'
import { noPeers } from './no-peers.ts'
import { openRemoteBucket, type RemoteBucket } from './remote-bucket.ts'

export interface CachedLake extends RemoteBucket {
  readonly folder: string
  /** Of the cache. */
  readonly cacheFolder: string
  readonly cache: ColumnCache
  /** Writes a file with DuckDB and puts it into the bucket. */
  write(key: string, select: string, options?: string): Promise<FileKey>
  /** The cache as after a restart; the one before is not used any more. */
  restart(budgetBytes?: number): Promise<ColumnCache>
  want(file: FileKey, columns: readonly string[] | null, more?: Partial<WantedFile>): WantedFile
  /** Opens, asks and releases; `sql` reads `$file`. */
  ask(file: FileKey, columns: readonly string[] | null, sql: string, more?: Partial<WantedFile>): Promise<Asked>
  rows(sql: string): Promise<unknown[][]>
  /** Of the file as it was written. */
  oracle(file: FileKey, sql: string): Promise<unknown[][]>
}

export interface Asked extends OpenFile {
  readonly rows: unknown[][]
}

const never = new AbortController().signal

/** `diskFolder`: where the cache's own folder is; absent: with everything else. */
export async function openCachedLake(t: Test, budgetBytes = 1e9, diskFolder?: string): Promise<CachedLake> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-cache-'))
  const remote = await openRemoteBucket(t)
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run('SET enable_external_file_cache = false')
  t.teardown(() => {
    connection.closeSync()
    instance.closeSync()
    rmSync(folder, { recursive: true })
  })
  let [starts, names, files] = [0, 0, 0]
  const cacheFolder = join(diskFolder ?? folder, 'cache')
  const open = async (bytes: number): Promise<ColumnCache> => {
    const start = starts++
    const cache = await ColumnCache.open({
      folder: cacheFolder, budgetBytes: bytes, processId: process.pid, clock: systemClock, random: () => 0.5,
      newName: () => `${start}-${names++}`, peers: noPeers,
    })
    t.teardown(() => cache.close())
    return cache
  }
  const originals = new Map<string, string>()
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJS()
  let cache = await open(budgetBytes)
  const lake: CachedLake = {
    ...remote, folder, cacheFolder, rows,
    get cache() { return cache },
    async write(key, select, options = '') {
      const path = join(folder, `${files++}.parquet`)
      await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet ${options})`)
      const { etag, sizeBytes } = remote.put(key, readFileSync(path))
      originals.set(etag, path)
      return { bucket: 'prod', key, etag, sizeBytes }
    },
    async restart(bytes = budgetBytes) {
      cache.close()
      cache = await open(bytes)
      return cache
    },
    want: (file, columns, more = {}) => ({
      file, columns, store: remote.store, isParquet: true, rows: null, passing: false, peer: null, ...more,
    }),
    async ask(file, columns, sql, more) {
      const { files: [opened], release } = await cache.open([lake.want(file, columns, more)], never)
      if (opened === undefined) throw new Error('nothing was opened')
      try {
        return { ...opened, rows: await rows(reading(sql, opened.path)) }
      } finally {
        await release()
      }
    },
    oracle: (file, sql) => rows(reading(sql, originals.get(file.etag) ?? '')),
  }
  return lake
}

function reading(sql: string, path: string): string {
  return sql.replaceAll('FROM $file', `FROM read_parquet('${path}')`).replaceAll('$file', `'${path}'`)
}
