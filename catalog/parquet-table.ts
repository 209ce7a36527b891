/**
 * A Parquet table put together: the columns of its files and the Hive keys of their paths, as columns of the skeleton
 * and as files with what is known of their row groups.
 */

import type { FileKey } from '../cache/key.ts'
import type { StatKind } from '../cache/statistics.ts'
import { FileIndex, IndexedFile } from './file-index.ts'
import type { HiveLayout } from './hive.ts'
import { hiveStat } from './hive-types.ts'
import { type ParquetFiles, columnStatistics, isRowNumber } from './parquet-files.ts'
import { type SkeletonColumn, declaredColumn } from './skeleton.ts'
import type { ColumnChunk, DataFile, TableColumn } from './table.ts'
import { type ColumnStatistics, mergeStatistics } from './table-statistics.ts'

export type ColumnSource =
  | { readonly from: 'file'; readonly position: number }
  | { readonly from: 'path'; readonly key: number }

/** Columns of the files, then Hive keys; a key that is also a column of the files takes its place, as in DuckDB. */
export function columnSources(columns: readonly TableColumn[], hive: HiveLayout): readonly ColumnSource[] {
  const sources: ColumnSource[] = columns.map((column, position) => {
    const key = hive.keys.findIndex(key => key.toLowerCase() === column.name.toLowerCase())
    return key === -1 ? { from: 'file', position } : { from: 'path', key }
  })
  const replaced = new Set(sources.flatMap(source => source.from === 'path' ? [source.key] : []))
  return [...sources, ...hive.keys.flatMap((_, key) => replaced.has(key) ? [] : [{ from: 'path', key } as const])]
}

/** The table's columns, with those of their skeleton. */
export function skeletonColumns(
  joined: ParquetFiles, hive: HiveLayout,
): readonly { readonly column: TableColumn; readonly skeleton: SkeletonColumn }[] {
  return columnSources(joined.columns, hive).map(source => {
    if (source.from === 'path') {
      const name = hive.keys[source.key] ?? ''
      const type = hive.types[source.key] ?? 'VARCHAR'
      const statistics = hiveStatistics(joined, hive, source.key)
      return { column: { name, type }, skeleton: declaredColumn(name, type, statistics, hiveStatKinds[type] ?? null) }
    }
    const column = joined.columns[source.position]
    if (column === undefined) throw new Error(`no column ${source.position}`)
    const { name, type, elements, as } = column
    const statistics = columnStatistics(joined, source.position)
    const skeleton = elements === null ? declaredColumn(name, type) : { elements, statistics, as }
    return { column: { name, type }, skeleton }
  })
}

const hiveStatKinds: Readonly<Partial<Record<string, StatKind>>> = {
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

export function dataFiles(
  files: readonly FileKey[], joined: ParquetFiles, hive: HiveLayout,
): { readonly index: FileIndex; readonly files: readonly DataFile[] } {
  const isHive = joined.columns.map(({ name }) => hive.keys.some(key => key.toLowerCase() === name.toLowerCase()))
  const known = !isHive.includes(true)
  const isUncut = hive.keys.some(isRowNumber)
  const index = new FileIndex(known ? joined.files : joined.files.map(({ rowCount, rowGroups }) => ({
    rowCount, rowGroups: rowGroups.map(group => ({
      rowCount: group.rowCount, columns: group.columns.map((chunk, i) => isHive[i] === true ? unknown(chunk) : chunk),
    })),
  })))
  return {
    index,
    files: files.map((file, i) => {
      const own = joined.files[i] ?? { rowCount: 0, shape: 0, isUncut: false }
      return new IndexedFile({
        file, shape: own.shape, hiveValues: hive.values[i] ?? [], rowCount: own.rowCount,
        isUncut: isUncut || own.isUncut,
      }, index, i)
    }),
  }
}

/** The values come from the path. */
function unknown({ offset, sizeBytes }: ColumnChunk): ColumnChunk {
  return { offset, sizeBytes, min: null, max: null, nullCount: null }
}
