/**
 * Which Bloom filters are worth reading before a scan is cut into tasks: those of the columns that an equality or a
 * list compares, in the row groups that the statistics have left, if they are few bytes against what the scan would
 * read there. Pure. The filters of a file mostly lie side by side, so that one read brings several.
 */

import type { FileKey } from '../cache/key.ts'
import { type PrunedFile, type PruneFilter, indexOf } from './prune.ts'
import type { Table } from './table.ts'

/** One filter: [from, from + length) of its file. */
export interface WantedFilter {
  /** Counted over the table. */
  readonly group: number
  readonly column: number
  readonly from: number
  readonly length: number
}

export interface FilterRead {
  readonly file: FileKey
  readonly from: number
  readonly to: number
  readonly filters: readonly WantedFilter[]
}

/** Below, reading all of it takes no longer than asking. */
const MIN_SCAN_BYTES = 1024 * 1024
/** The scan's bytes to those of the filters: reading all of them in vain then adds a tenth. */
const WORTH = 10
/** Of one scan, in bytes, and in requests: 64 of them take about as long as four. */
const MAX_BYTES = 16 * 1024 * 1024
const MAX_READS = 64
/** Filters of other columns between two that are wanted cost less than another request. */
const MAX_GAP_BYTES = 64 * 1024

/** Empty: it is not worth it. `kept`: what the statistics leave, with the bytes of the scan's columns. */
export function filterReads(
  table: Table, filters: readonly PruneFilter[], kept: readonly PrunedFile[],
): readonly FilterRead[] {
  const index = indexOf(table)
  const hasFilters = (column: number): boolean => (index.columns[column]?.filters ?? null) !== null
  const columns = [...new Set(filters.flatMap(compared))].filter(hasFilters)
  const scanBytes = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  if (columns.length === 0 || scanBytes < MIN_SCAN_BYTES) return []
  const mostBytes = Math.min(MAX_BYTES, scanBytes / WORTH)
  const reads: FilterRead[] = []
  let bytes = 0
  for (const { file, rowGroups, position } of kept) {
    const [start] = index.range(position)
    const wanted = rowGroups.flatMap(group => columns.flatMap(column => {
      const own = index.columns[column]?.filters
      const [from = NaN, length = 0] = [own?.offsets[start + group], own?.lengths[start + group]]
      return Number.isNaN(from) ? [] : [{ group: start + group, column, from, length }]
    }))
    for (const read of joined(file.file, wanted)) {
      bytes += read.to - read.from
      if (reads.push(read) > MAX_READS || bytes > mostBytes) return []
    }
  }
  return reads
}

/** Columns that an equality or a list compares. */
function compared(filter: PruneFilter): number[] {
  switch (filter.kind) {
    case 'and': case 'or': return filter.filters.flatMap(compared)
    case 'compare': return filter.op === '=' ? [filter.column] : []
    case 'in': return [filter.column]
    default: return []
  }
}

function joined(file: FileKey, wanted: readonly WantedFilter[]): FilterRead[] {
  const reads: { file: FileKey; from: number; to: number; filters: WantedFilter[] }[] = []
  for (const filter of [...wanted].sort((a, b) => a.from - b.from)) {
    const last = reads.at(-1)
    const to = filter.from + filter.length
    if (last === undefined || filter.from - last.to > MAX_GAP_BYTES) {
      reads.push({ file, from: filter.from, to, filters: [filter] })
    } else {
      last.filters.push(filter)
      last.to = Math.max(last.to, to)
    }
  }
  return reads
}
