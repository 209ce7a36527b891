/**
 * Whether the versions of tables tell of every change. The etag of a local file is made from its times, which a file
 * system counts in steps: what is written twice within one of them looks the same. So a result over a file that was
 * written a moment ago is kept for nobody.
 */

import { LocalStore } from '../cache/local-store.ts'
import type { Table } from '../catalog/table.ts'
import type { Clock } from '../proto/clock.ts'
import { SYSTEM_CATALOG } from './system/columns.ts'

/** The longest step of a file system in use (FAT); ext4 takes 1 to 10 ms. */
const STEP_MS = 2_000

/** `isLocal`: of a bucket. */
export function settledTables(isLocal: (bucket: string) => boolean, clock: Clock): (table: Table) => boolean {
  const newest = new WeakMap<Table, number>()
  return table => {
    const known = newest.get(table) ?? newestMs(table, isLocal)
    newest.set(table, known)
    return clock.wallMs() - known >= STEP_MS
  }
}

/** When the last of its local files was written, in milliseconds since 1970. */
function newestMs({ files, name: { catalog } }: Table, isLocal: (bucket: string) => boolean): number {
  if (catalog === SYSTEM_CATALOG) return Infinity // made for one query
  return files.reduce((latest, { file: { bucket, etag } }) =>
    isLocal(bucket) ? Math.max(latest, LocalStore.changedMs(etag)) : latest, 0)
}
