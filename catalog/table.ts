/**
 * Tables as the planner and the scheduler see them. All immutable: one query sees one version of each table, whatever
 * happens to its files meanwhile.
 */

import type { ChunkFilter } from '../cache/footer.ts'
import type { FileKey } from '../cache/key.ts'
import type { FileIndex } from './file-index.ts'

export type FileFormat = 'parquet' | 'csv' | 'json'

export interface TableName {
  readonly catalog: string
  readonly schema: string
  readonly table: string
}

export interface TableColumn {
  readonly name: string
  /** DuckDB's text of the type. */
  readonly type: string
}

/** One version of a table. */
export interface Table {
  readonly name: TableName
  /** Changes when any file of the table does; part of every plan's key. */
  readonly version: string
  readonly format: FileFormat
  /** Hive keys last, as DuckDB appends them. */
  readonly columns: readonly TableColumn[]
  /** What its files are like. Empty: every file has all of the columns, found by their names. */
  readonly shapes: readonly FileShape[]
  /** Which of the columns are `key=value` directories of the path. */
  readonly hiveKeys: readonly string[]
  /** A column with the name of each row's file: what stands before the key, by bucket. Null: there is none. */
  readonly filename: { readonly column: string; readonly prefixes: Readonly<Record<string, string>> } | null
  /** Columns that are there for whoever names them, and no `*` means; absent: none. */
  readonly hidden?: readonly string[]
  /** Options of read_csv or read_json: SQL literals by name, so that every executor reads as the catalog did. */
  readonly readOptions: Readonly<Record<string, string>>
  readonly files: readonly DataFile[]
  /** What is known of them, by columns; absent: made from `files` when it is first wanted. */
  readonly index?: FileIndex
  /** Of Parquet: exact. Of CSV and JSON: an estimate from the bytes. */
  readonly rowCount: number
  readonly sizeBytes: number
  /** Path of the local skeleton file that the planner binds instead of the data. */
  readonly skeletonPath: string
  /** By position of the column, an estimate of how many values it has; null: not known. Nothing right depends on it. */
  readonly distinctCounts: readonly (number | null)[]
  /** By position of the column, whether its rows lie nearly in order of it; absent: of none. As above. */
  readonly orderedColumns?: readonly boolean[]
  /** The same, whether its files can be divided so that no two parts share a value of it. */
  readonly dividedColumns?: readonly boolean[]
}

/** Files with the same columns, which may not be the table's. */
export interface FileShape {
  /** What a file has, in its order, where its reader goes by position (CSV); empty: it is read by name. */
  readonly columns: readonly TableColumn[]
  /** Table columns by position that are not read from it: NULL, or the text of the error that reading one is. */
  readonly instead: Readonly<Record<number, string | null>>
}

export interface DataFile {
  readonly file: FileKey
  /** Position in Table.shapes, if that has any. */
  readonly shape: number
  /** Texts of the Hive keys of its path, in the order of Table.hiveKeys; null is the default partition. */
  readonly hiveValues: readonly (string | null)[]
  /** Of Parquet: its row groups in order. Of CSV and JSON: empty. */
  readonly rowGroups: readonly RowGroup[]
  readonly rowCount: number
  /** True: a column or key has the name by which DuckDB tells rows by their place, so one task reads all of it. */
  readonly isUncut?: boolean
}

export interface RowGroup {
  readonly rowCount: number
  /** By position of the table's column (not Hive keys). */
  readonly columns: readonly ColumnChunk[]
}

/** Statistics bound the values and are exact only if the file says so; null: not known. */
export interface ColumnChunk {
  readonly offset: number
  readonly sizeBytes: number
  readonly min: StatValue | null
  readonly max: StatValue | null
  readonly nullCount: number | null
  /** Its Bloom filter; null or absent: none is known. */
  readonly filter?: ChunkFilter | null
}

/** Comparable within one column. Integers, decimals (unscaled), dates (days), timestamps (column's unit) are bigint. */
export type StatValue = bigint | number | string | boolean

/** What its filename column has for a file; null: there is no such column. */
export function filenameOf({ filename }: Table, { file }: Pick<DataFile, 'file'>): string | null {
  return filename === null ? null : `${filename.prefixes[file.bucket] ?? ''}${file.key}`
}
