/**
 * Whether the versions of tables tell of every change. The etag of a local file is made from its times, which a file
 * system counts in steps: what is written twice within one of them looks the same. So a result over a version that has
 * just come is kept for nobody: a write that leaves the version as it is comes within a step of the one that made it,
 * and that was before it was first seen here. How long ago that is this process counts by its own clock. The times of
 * files are those of another machine, where a folder is mounted, and are compared with nothing.
 */

import type { Table } from '../catalog/table.ts'
import type { Clock } from '../proto/clock.ts'
import { SYSTEM_CATALOG } from './system/columns.ts'

/** The longest step of a file system in use (FAT); ext4 takes 1 to 10 ms. */
const STEP_MS = 2_000
/** Versions whose first sight is remembered, about 150 bytes each; one that is forgotten counts as new. */
const MAX_VERSIONS = 10_000

/** `isLocal`: of a bucket. */
export function settledTables(isLocal: (bucket: string) => boolean, clock: Clock): (table: Table) => boolean {
  const seenMs = new Map<string, number>()
  return ({ version, files, name: { catalog } }) => {
    if (catalog === SYSTEM_CATALOG) return false // made for one query
    if (!files.some(({ file: { bucket } }) => isLocal(bucket))) return true
    const nowMs = clock.nowMs()
    const firstMs = seenMs.get(version) ?? nowMs
    seenMs.delete(version)
    seenMs.set(version, firstMs)
    const [longestUnused] = seenMs.keys()
    if (seenMs.size > MAX_VERSIONS && longestUnused !== undefined) seenMs.delete(longestUnused)
    return nowMs - firstMs >= STEP_MS
  }
}
