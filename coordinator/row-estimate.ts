/**
 * How many rows come out of what a task reads, for DuckDB on the executor: by the sizes of relations it chooses which
 * side of a join it builds a hash table of, and of a filter it knows nothing. Ours are made of the footers. Pure.
 */

import { GUESSED_SELECTIVITY, selectivity } from '../catalog/selectivity.ts'
import type { RowGroup, Table } from '../catalog/table.ts'
import type { FragmentScan } from '../planner/fragment.ts'
import type { TaskRestriction } from './key-ranges.ts'
import type { PlannedWork } from './plan-query.ts'
import { pruneFilter } from './prune-filter.ts'
import type { PrunedFile } from './query-ports.ts'
import type { Split } from './splits.ts'

/** An estimate may be wrong, and for next to no rows DuckDB takes nested loops. */
const LEAST = 0.001
/** Files that are looked at, and row groups of each, spread evenly: more would tell the same. */
const MAX_FILES = 64
const MAX_GROUPS = 4

/** By scan id: what part of the rows comes out of its filters; absent: all. */
export type Selectivities = ReadonlyMap<number, number>

/** Of plans that are kept they are made once. */
const known = new WeakMap<PlannedWork, Selectivities>()

export function selectivities(work: PlannedWork): Selectivities {
  const found = known.get(work) ?? selectivitiesOf(work)
  known.set(work, found)
  return found
}

function selectivitiesOf({ planned: { fragments }, tables, files }: PlannedWork): Selectivities {
  return new Map(fragments.flatMap(({ scans }) => scans).flatMap(scan => {
    const table = tables[scan.table]
    if (scan.filtered === undefined || table?.format !== 'parquet') return []
    return [[scan.id, selectivityOf(scan, files.get(scan.id) ?? [], table)] as const]
  }))
}

/** Of filters above the scan DuckDB guesses once more: what is told of the scan is larger by that. */
function selectivityOf({ filters, filtered }: FragmentScan, files: readonly PrunedFile[], table: Table): number {
  const found = filters.map(pruneFilter)
  const understood = found.filter(filter => filter !== null)
  const others = understood.length < found.length ? GUESSED_SELECTIVITY : 1
  const part = others * selectivity(understood, someGroups(files), table)
  return Math.max(LEAST, part) / (filtered?.above === true ? GUESSED_SELECTIVITY : 1)
}

function someGroups(files: readonly PrunedFile[]): readonly RowGroup[] {
  return some(files, MAX_FILES).flatMap(({ file, rowGroups }) => {
    const all = file.rowGroups
    return some(rowGroups, MAX_GROUPS).flatMap(group => all[group] ?? [])
  })
}

function some<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all
  return Array.from({ length: most }, (_, i) => all[Math.floor(i * all.length / most)]).filter(one => one !== undefined)
}

/** 0: what DuckDB reads in the footers is all there is to know. */
export function rowEstimate(
  selectivity: number | undefined, { format }: Pick<Table, 'format'>, restrictions: readonly TaskRestriction[],
): (split: Split) => bigint {
  if (format !== 'parquet') return () => 0n
  const isWhole = selectivity === undefined && restrictions.length === 0
  const part = (selectivity ?? 1) * shareOf(restrictions)
  return ({ toRow, rowCount }) => isWhole && toRow === 0 ? 0n : BigInt(Math.ceil(rowCount * part))
}

/** Of the rows that other stages wrote; 0 as above. */
export function inputRows(rowCount: number, restrictions: readonly TaskRestriction[]): bigint {
  return restrictions.length === 0 ? 0n : BigInt(Math.ceil(rowCount * shareOf(restrictions)))
}

function shareOf(restrictions: readonly TaskRestriction[]): number {
  return Math.min(1, ...restrictions.map(({ share }) => share))
}
