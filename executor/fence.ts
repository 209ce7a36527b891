/**
 * The fence around an instance: which files its SQL may touch, its memory, threads and spill. Once `fenceSql` has run
 * nothing on the instance can widen it again. It is the second wall: the planner has refused what is not allowed.
 */

import { quoteText, quoteTexts } from '../proto/sql-text.ts'
import type { DuckConnection } from './instances.ts'

export interface Fence {
  /** Folders whose files may be read and written; absolute, free of links. */
  readonly directories: readonly string[]
  /** Single files besides. */
  readonly files: readonly string[]
  readonly spillFolder: string
  readonly spillBytes: number
  readonly memoryBytes: number
  readonly threads: number
  /** True: rows keep the order of files and of scans without an ORDER BY. */
  readonly preserveOrder: boolean
}

/** Start-up options of an instance: nothing is loaded or installed by itself, from its first statement on. */
export const startOptions: Readonly<Record<string, string>> = {
  autoload_known_extensions: 'false',
  autoinstall_known_extensions: 'false',
  allow_community_extensions: 'false',
}

/** Run once, after the catalogs of an instance are attached: they could not be afterwards. */
export async function raise(connection: DuckConnection, fence: Fence): Promise<void> {
  await connection.run(fenceSql(fence))
}

/** May be changed behind the fence; rejects if DuckDB holds more and cannot let go of it. */
export async function limitMemory(connection: DuckConnection, byteCount: number): Promise<void> {
  await connection.run(memorySql(byteCount))
}

export async function limitSpill(connection: DuckConnection, byteCount: number): Promise<void> {
  await connection.run(spillSql(byteCount))
}

function memorySql(byteCount: number): string {
  return `SET GLOBAL memory_limit = '${Math.floor(byteCount)}B'`
}

function spillSql(byteCount: number): string {
  return `SET GLOBAL max_temp_directory_size = '${Math.floor(byteCount)}B'`
}

function fenceSql(fence: Fence): string {
  return [
    `SET GLOBAL threads = ${fence.threads}`,
    memorySql(fence.memoryBytes),
    `SET GLOBAL temp_directory = ${quoteText(fence.spillFolder)}`,
    spillSql(fence.spillBytes),
    `SET GLOBAL preserve_insertion_order = ${fence.preserveOrder}`,
    // with it, a local file written again within a second is served stale
    'SET GLOBAL enable_external_file_cache = false',
    // every executor alike, whatever its machine's zone; a session's own comes with its tasks
    `SET GLOBAL TimeZone = 'UTC'`,
    // failures carry their class and their place in the text
    'SET GLOBAL errors_as_json = true',
    `SET GLOBAL allowed_directories = ${quoteTexts(fence.directories)}`,
    `SET GLOBAL allowed_paths = ${quoteTexts(fence.files)}`,
    'SET GLOBAL enable_external_access = false',
  ].join(';\n')
}
