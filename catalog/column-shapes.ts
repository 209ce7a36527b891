/**
 * Files of one table whose columns differ. The table has the columns of its first file, or of all files by name, each
 * in the type that holds all of them; DuckDB says which. What a file lacks is NULL, or an error that names file and
 * column once it is read; so is a column whose type does not become the table's.
 */

import { QueryError } from '../proto/errors.ts'
import type { FileShape, TableColumn } from './table.ts'

/** Files of one table that differ in their columns: each way is a relation of its own in every task. */
export const MAX_FILE_SHAPES = 256

/** What DuckDB says of files that are examples of the ways in which the files of a table differ. */
export interface DescribedShapes {
  /** Of the table. */
  readonly columns: readonly TableColumn[]
  /** Of each example. */
  readonly examples: readonly DescribedExample[]
}

export interface DescribedExample {
  readonly columns: readonly TableColumn[]
  /** By name in small letters: why the column does not become the table's. */
  readonly refused: Readonly<Record<string, string>>
}

export interface ShapeNaming {
  /** True: columns of all files, NULL where a file has none. False: those of the first file, which each must have. */
  readonly unionByName: boolean
  /** Of the first file, and of an example: for messages. */
  readonly first: string
  readonly name: (example: number) => string
  /** Hive keys, in small letters: they come from paths, whatever the files have. */
  readonly hiveKeys: ReadonlySet<string>
}

/**
 * The shapes of the table's files, one an example, in which `columns` are the table's without those of the path; none
 * if there is no difference that a reader by name would see.
 */
export function fileShapes(
  { columns, examples }: DescribedShapes, { unionByName, first, name, hiveKeys }: ShapeNaming,
): readonly FileShape[] {
  const wanted = columnSet(columns)
  if (examples.every(example => columnSet(example.columns) === wanted)) return []
  return examples.map(({ columns: own, refused }, i) => {
    const names = new Set(own.map(column => column.name.toLowerCase()))
    const instead: Record<number, string | null> = {}
    columns.forEach((column, position) => {
      const key = column.name.toLowerCase()
      const missing = `'${name(i)}' has no column '${column.name}', which '${first}' has`
      if (hiveKeys.has(key)) return
      if (!names.has(key)) instead[position] = unionByName ? null : missing
      else if (refused[key] !== undefined) {
        instead[position] = `column '${column.name}' of '${name(i)}': ${refused[key]}`
      }
    })
    return { columns: [], instead }
  })
}

/** Equal for equal columns in any order. */
export function columnSet(columns: readonly TableColumn[]): string {
  return JSON.stringify(columns.map(({ name, type }) => [name.toLowerCase(), type]).sort())
}

export function tooManyShapes(table: string): QueryError {
  return new QueryError('INVALID_REQUEST', `the files of ${table} differ in more than ${MAX_FILE_SHAPES} ways`)
}
