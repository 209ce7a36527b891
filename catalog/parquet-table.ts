/**
 * A Parquet table put together: the columns of its files and the Hive keys of their paths, as columns of the skeleton
 * and as files with what is known of their row groups.
 */

import type { FileKey } from '../cache/key.ts'
import type { StatKind } from '../cache/statistics.ts'
import type { HiveLayout } from './hive.ts'
import { type HiveType, hiveStat } from './hive-types.ts'
import { type ParquetFiles, columnStatistics } from './parquet-files.ts'
import { type SkeletonColumn, declaredColumn, fileColumn } from './skeleton.ts'
import type { ColumnChunk, DataFile, RowGroup, TableColumn } from './table.ts'
import { type ColumnStatistics, mergeStatistics } from './table-statistics.ts'

export type ColumnSource =
  | { readonly from: 'file'; readonly position: number }
  | { readonly from: 'path'; readonly key: number }

/** Columns of the files, then Hive keys; a key that is also a column of the files takes its place, as in DuckDB. */
export function columnSources({ schema }: ParquetFiles, hive: HiveLayout): readonly ColumnSource[] {
  const sources: ColumnSource[] = schema.columns.map((column, position) => {
    const key = hive.keys.findIndex(key => key.toLowerCase() === column.name.toLowerCase())
    return key === -1 ? { from: 'file', position } : { from: 'path', key }
  })
  const replaced = new Set(sources.flatMap(source => source.from === 'path' ? [source.key] : []))
  return [...sources, ...hive.keys.flatMap((_, key) => replaced.has(key) ? [] : [{ from: 'path', key } as const])]
}

export function skeletonColumns(joined: ParquetFiles, hive: HiveLayout): SkeletonColumn[] {
  return columnSources(joined, hive).map(source => {
    if (source.from === 'file') {
      return fileColumn(joined.schema, source.position, columnStatistics(joined, source.position))
    }
    const name = hive.keys[source.key] ?? ''
    const type = hive.types[source.key] ?? 'VARCHAR'
    return declaredColumn(name, type, hiveStatistics(joined, hive, source.key), hiveStatKinds[type])
  })
}

const hiveStatKinds: Readonly<Record<HiveType, StatKind>> = {
  BIGINT: { kind: 'integer', bytes: 8, signed: true, unit: 1n },
  DATE: { kind: 'integer', bytes: 4, signed: true, unit: 1n },
  TIMESTAMP: { kind: 'integer', bytes: 8, signed: true, unit: 1n },
  VARCHAR: { kind: 'text' },
}

/** One value a file; null where the text of one has no certain value. */
function hiveStatistics({ files }: ParquetFiles, hive: HiveLayout, key: number): ColumnStatistics {
  const type = hive.types[key] ?? 'VARCHAR'
  return mergeStatistics(files.map(({ rowCount }, i) => {
    const text = hive.values[i]?.[key] ?? null
    const value = text === null ? null : hiveStat(text, type)
    const nullCount = text === null ? rowCount : 0
    return { rowCount, statistics: { min: value, max: value, nullCount, exact: true } }
  }))
}

/** Statistics of a column are kept only if DuckDB gave it the type that they were read as. */
export function dataFiles(
  files: readonly FileKey[], joined: ParquetFiles, hive: HiveLayout, columns: readonly TableColumn[],
): DataFile[] {
  const isHive = new Set(hive.keys.map(key => key.toLowerCase()))
  const trusted = joined.schema.columns.map((column, i) =>
    column.statistics?.type === columns[i]?.type && !isHive.has(column.name.toLowerCase()))
  const known = joined.schema.columns.every((column, i) => column.statistics === null || trusted[i] === true)
  const trust = (chunk: ColumnChunk, i: number): ColumnChunk => {
    const { offset, sizeBytes } = chunk
    return trusted[i] === true ? chunk : { offset, sizeBytes, min: null, max: null, nullCount: null }
  }
  return files.map((file, i) => {
    const { rowCount, rowGroups } = joined.files[i] ?? { rowCount: 0, rowGroups: [] }
    const groups: readonly RowGroup[] = known
      ? rowGroups
      : rowGroups.map(group => ({ rowCount: group.rowCount, columns: group.columns.map(trust) }))
    return { file, hiveValues: hive.values[i] ?? [], rowGroups: groups, rowCount }
  })
}
