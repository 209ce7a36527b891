/**
 * The Parquet files of a table as one: the table's columns, found in each file by name without case, and the row groups
 * of all files with a chunk for each of them. A column that a file lacks is NULL in all its rows, or nothing is known
 * of it; one of another type keeps bounds that mean the same in the table's.
 */

import type { Footer, FooterChunk, FooterRowGroup, FooterSchema } from '../cache/footer.ts'
import type { StatKind } from '../cache/statistics.ts'
import type { ThriftValue } from '../cache/thrift-reader.ts'
import type { DescribedShapes } from './column-shapes.ts'
import { ROW_NUMBER } from './reader-options.ts'
import { skeletonType } from './skeleton-schema.ts'
import type { FileShape, TableColumn } from './table.ts'
import { type ColumnStatistics, type PartStatistics, mergeStatistics, unknownStatistics } from './table-statistics.ts'

export interface ParquetFiles {
  /** Without Hive keys. */
  readonly columns: readonly ParquetColumn[]
  /** Of the first file. */
  readonly schema: FooterSchema
  readonly shapes: readonly FileShape[]
  readonly rowCount: number
  readonly files: readonly ParquetFile[]
}

export interface ParquetColumn extends TableColumn {
  /** Its schema elements, of a file that has it in this type; null: none does. */
  readonly elements: readonly ThriftValue[] | null
  /** How its statistics are written; null: there are none. */
  readonly as: StatKind | null
}

export interface ParquetFile {
  readonly rowCount: number
  readonly shape: number
  /** As DataFile.isUncut. */
  readonly isUncut: boolean
  /** With a chunk for each of the columns. */
  readonly rowGroups: readonly FooterRowGroup[]
}

/** The schemas of the files, each once, in the order of the first file that has it. */
export function distinctSchemas(footers: readonly Footer[]): FooterSchema[] {
  return [...new Map(footers.map(({ schema }) => [schema.fingerprint, schema])).values()]
}

/** `described` has an example for each distinct schema, `shapes` is what follows from it. */
export function joinFooters(
  footers: readonly Footer[], described: DescribedShapes, shapes: readonly FileShape[],
): ParquetFiles {
  const [schema, ...others] = distinctSchemas(footers)
  if (schema === undefined) throw new Error('a table without files')
  const schemas = [schema, ...others]
  const numbers = new Map(schemas.map(({ fingerprint }, i) => [fingerprint, i]))
  const sources = schemas.map((one, i) => columnSources(one, i, described, shapes[i]))
  const uncut = schemas.map((_, i) => described.examples[i]?.columns.some(({ name }) => isRowNumber(name)) ?? false)
  return {
    schema, shapes,
    columns: described.columns.map((column, i) => parquetColumn(column, i, schemas, sources)),
    rowCount: footers.reduce((sum, footer) => sum + footer.rowCount, 0),
    files: footers.map(({ rowCount, rowGroups, schema: { fingerprint } }) => {
      const number = numbers.get(fingerprint) ?? 0
      const shape = shapes.length === 0 ? 0 : number
      const isUncut = uncut[number] ?? false
      return { rowCount, shape, isUncut, rowGroups: aligned(rowGroups, sources[number] ?? []) }
    }),
  }
}

export function isRowNumber(name: string): boolean {
  return name.toLowerCase() === ROW_NUMBER
}

/** The statistics of the column over all files. */
export function columnStatistics({ columns, files }: ParquetFiles, position: number): ColumnStatistics {
  if ((columns[position]?.as ?? null) === null) return unknownStatistics
  return mergeStatistics(partsOf(files, position))
}

function* partsOf(files: ParquetFiles['files'], position: number): Iterable<PartStatistics> {
  for (const { rowGroups } of files) {
    for (const { rowCount, columns } of rowGroups) {
      yield { rowCount, statistics: columns[position] ?? unknownChunk }
    }
  }
}

/** Where a column of the table is in the files of one schema, and what its chunks say there. */
type ChunkSource =
  | { readonly kind: 'column'; readonly position: number; readonly isSameType: boolean; readonly hasBounds: boolean }
  | { readonly kind: 'null' } | { readonly kind: 'refused' }

function columnSources(
  schema: FooterSchema, number: number, { columns, examples }: DescribedShapes, shape: FileShape | undefined,
): readonly ChunkSource[] {
  const own = examples[number]?.columns ?? []
  const positions = new Map(own.map(({ name }, i) => [name.toLowerCase(), i]))
  return columns.map(({ name, type }, i): ChunkSource => {
    const instead = shape?.instead[i]
    if (instead !== undefined) return { kind: instead === null ? 'null' : 'refused' }
    const position = positions.get(name.toLowerCase()) ?? -1
    const bound = own[position]?.type
    // statistics are trusted only if DuckDB gave the column the type that they were read as
    const isTrusted = bound !== undefined && schema.columns[position]?.statistics?.type === bound
    const isSameType = bound === type
    return { kind: 'column', position, isSameType, hasBounds: isTrusted && (isSameType || widens(bound, type)) }
  })
}

const integers = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'HUGEINT']

/** Values of `from` are the same values in `to`. */
function widens(from: string, to: string): boolean {
  return integers.includes(from) && integers.includes(to) || from === 'FLOAT' && to === 'DOUBLE'
}

function parquetColumn(
  column: TableColumn, position: number, schemas: readonly FooterSchema[],
  sources: readonly (readonly ChunkSource[])[],
): ParquetColumn {
  for (const [i, schema] of schemas.entries()) {
    const source = sources[i]?.[position]
    const found = source?.kind === 'column' && source.isSameType ? schema.columns[source.position] : undefined
    if (found === undefined) continue
    const elements = schema.elements.slice(...found.elements)
    return {
      ...column, as: found.statistics?.as ?? null,
      elements: schemas.length === 1 ? elements : elements.map((each, i) => i === 0 ? shared(each, column.name) : each),
    }
  }
  return { ...column, type: skeletonType(column.type), elements: null, as: null }
}

/** In another file it may be NULL, and its name be written otherwise. */
function shared(element: ThriftValue, name: string): ThriftValue {
  const { field_3 } = element
  return { ...element, field_3: field_3 === REQUIRED ? OPTIONAL : field_3, field_4: name }
}

const REQUIRED = 0
const OPTIONAL = 1

function aligned(rowGroups: readonly FooterRowGroup[], sources: readonly ChunkSource[]): readonly FooterRowGroup[] {
  const isAsItIs = sources.every((source, i) =>
    source.kind === 'column' && source.position === i && source.hasBounds)
  if (isAsItIs && rowGroups.every(({ columns }) => columns.length === sources.length)) return rowGroups
  return rowGroups.map(({ rowCount, columns }) => ({
    rowCount, columns: sources.map(source => chunkOf(source, rowCount, columns)),
  }))
}

function chunkOf(source: ChunkSource, rowCount: number, columns: readonly FooterChunk[]): FooterChunk {
  if (source.kind === 'null') return { ...unknownChunk, nullCount: rowCount, distinctCount: 0 }
  const chunk = source.kind === 'column' ? columns[source.position] : undefined
  if (chunk === undefined || source.kind !== 'column') return unknownChunk
  if (source.hasBounds) return chunk
  return { ...chunk, min: null, max: null, exact: false, filter: null }
}

const unknownChunk: FooterChunk = { offset: 0, sizeBytes: 0, distinctCount: null, filter: null, ...unknownStatistics }
