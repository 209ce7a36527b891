/**
 * The Parquet files of a table as one: columns are those of the first file, as in DuckDB, found in the others by name
 * without case. A column that another file has with another type, or not at all, has no statistics there; reading it
 * is DuckDB's to convert or refuse.
 */

import type { Footer, FooterChunk, FooterRowGroup, FooterSchema } from '../cache/footer.ts'
import { type ColumnStatistics, type PartStatistics, mergeStatistics, unknownStatistics } from './table-statistics.ts'

/** Row groups of each file, with a chunk for each column of `schema`. */
export interface ParquetFiles {
  readonly schema: FooterSchema
  readonly rowCount: number
  readonly files: readonly { readonly rowCount: number; readonly rowGroups: readonly FooterRowGroup[] }[]
}

/** There is at least one. */
export function joinFooters(footers: readonly Footer[]): ParquetFiles {
  const [first] = footers
  if (first === undefined) throw new Error('a table without files')
  return {
    schema: first.schema,
    rowCount: footers.reduce((sum, footer) => sum + footer.rowCount, 0),
    files: footers.map(footer => ({ rowCount: footer.rowCount, rowGroups: alignedGroups(footer, first.schema) })),
  }
}

/** The statistics of the column over all files. */
export function columnStatistics({ schema, files }: ParquetFiles, position: number): ColumnStatistics {
  if ((schema.columns[position]?.statistics ?? null) === null) return unknownStatistics
  return mergeStatistics(partsOf(files, position))
}

function* partsOf(files: ParquetFiles['files'], position: number): Iterable<PartStatistics> {
  for (const { rowGroups } of files) {
    for (const { rowCount, columns } of rowGroups) {
      yield { rowCount, statistics: columns[position] ?? missing }
    }
  }
}

/** A column that the file does not have. */
const missing: FooterChunk = { offset: 0, sizeBytes: 0, distinctCount: null, ...unknownStatistics }

function alignedGroups({ schema, rowGroups }: Footer, wanted: FooterSchema): readonly FooterRowGroup[] {
  if (schema.fingerprint === wanted.fingerprint) return rowGroups
  const positions = new Map(schema.columns.map((column, i) => [column.name.toLowerCase(), i]))
  const sources = wanted.columns.map(column => {
    const position = positions.get(column.name.toLowerCase()) ?? -1
    const type = schema.columns[position]?.statistics?.type
    return { position, sameType: type !== undefined && type === column.statistics?.type }
  })
  return rowGroups.map(({ rowCount, columns }) => ({
    rowCount,
    columns: sources.map(({ position, sameType }) => {
      const chunk = columns[position] ?? missing
      return sameType ? chunk : { ...chunk, ...unknownStatistics }
    }),
  }))
}
