/**
 * Skeletons: a Parquet file without data that DuckDB binds and optimizes in place of a table. Its footer is made from
 * the footers of all files: the schema of the first, Hive keys as ordinary columns, the table's true number of rows in
 * one row group, and the statistics that hold for the whole table. It is never read beyond its footer.
 *
 *   PAR1 | footer | length | PAR1
 *
 * A row count that is an estimate stands in the footer alone, without a row group: from it DuckDB takes cardinalities,
 * while it would answer `count(*)` from row groups.
 */

import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js'
import { ThriftStruct, serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js'
import type { FooterSchema } from '../cache/footer.ts'
import { type StatKind, encodeStat } from '../cache/statistics.ts'
import type { ThriftValue } from '../cache/thrift-reader.ts'
import { columnElements } from './skeleton-schema.ts'
import { type ColumnStatistics, unknownStatistics } from './table-statistics.ts'

export interface SkeletonColumn {
  /** Its schema elements, its own first. */
  readonly elements: readonly ThriftValue[]
  readonly statistics: ColumnStatistics
  /** How statistics are written; null: there are none. */
  readonly as: StatKind | null
}

export interface Skeleton {
  readonly columns: readonly SkeletonColumn[]
  readonly rowCount: number
  readonly rowCountIs: 'exact' | 'estimated'
  /** Of the first file, or null. */
  readonly footer: Pick<FooterSchema, 'elements' | 'keyValues' | 'createdBy'> | null
}

/** The columns of a schema alone, for DuckDB to say what they are. */
export function schemaSkeleton(schema: FooterSchema): Uint8Array {
  const columns = schema.columns.map(({ elements }): SkeletonColumn =>
    ({ elements: schema.elements.slice(...elements), statistics: unknownStatistics, as: null }))
  return skeletonBytes({ columns, rowCount: 0, rowCountIs: 'exact', footer: schema })
}

/** A column that no Parquet file has. `as`: how its statistics are written, if it has any. */
export function declaredColumn(
  name: string, type: string, statistics = unknownStatistics, as: StatKind | null = null,
): SkeletonColumn {
  return { elements: columnElements(name, type), statistics, as }
}

const MAGIC = 0x31524150 // PAR1, little endian
const VERSION = 1
const UNCOMPRESSED = 0
const PLAIN = 0
/** Where every column chunk is said to be, with no bytes. */
const DATA_OFFSET = 4n

export function skeletonBytes({ columns, rowCount, rowCountIs, footer }: Skeleton): Uint8Array {
  const root: ThriftValue = footer?.elements[0] ?? { field_3: 0, field_4: 'schema' }
  const elements = [
    ordered({ ...root, field_5: columns.length }), ...columns.flatMap(column => column.elements.map(writable)),
  ]
  const rows = BigInt(rowCount)
  const groups = rowCountIs === 'exact' && rowCount > 0
    ? [{ field_1: columns.flatMap(column => chunks(column, rows)), field_2: 0n, field_3: rows }]
    : []
  const metadata = {
    field_1: VERSION,
    field_2: elements,
    field_3: rows,
    field_4: groups,
    ...(footer === null || footer.keyValues.length === 0 ? {} : { field_5: footer.keyValues }),
    ...(footer === null || footer.createdBy === null ? {} : { field_6: footer.createdBy }),
    field_7: elements.filter(isLeaf).map(() => ({ field_1: {} })), // every leaf in its type's order
  }
  const writer = new ByteWriter()
  writer.appendUint32(MAGIC)
  const start = writer.offset
  serializeTCompactProtocol(writer, metadata)
  writer.appendUint32(writer.offset - start)
  writer.appendUint32(MAGIC)
  return writer.getBytes()
}

/** A column chunk for each leaf of the column. */
function chunks({ elements, statistics, as }: SkeletonColumn, rows: bigint): object[] {
  return leafPaths(elements).map(({ path, leaf }) => ({
    field_2: DATA_OFFSET,
    field_3: {
      field_1: leaf.field_1,
      field_2: [PLAIN],
      field_3: path,
      field_4: UNCOMPRESSED,
      field_5: rows,
      field_6: 0n,
      field_7: 0n,
      field_9: DATA_OFFSET,
      ...(as === null ? {} : { field_12: statisticsFields(statistics, as) }),
    },
  }))
}

function statisticsFields({ min, max, nullCount, exact }: ColumnStatistics, as: StatKind): object {
  const low = min === null ? null : encodeStat(min, as)
  const high = max === null ? null : encodeStat(max, as)
  return {
    ...(nullCount === null ? {} : { field_3: BigInt(nullCount) }),
    ...(low === null || high === null ? {} : { field_5: high, field_6: low, field_7: exact, field_8: exact }),
  }
}

interface Leaf { readonly path: readonly unknown[]; readonly leaf: ThriftValue }

/** The leaves below the first element, each with the names on the way to it. */
function leafPaths(elements: readonly ThriftValue[]): Leaf[] {
  const leaves: Leaf[] = []
  let next = 0
  const walk = (above: readonly unknown[]): void => {
    const element = elements[next++]
    if (element === undefined) return
    const path = [...above, element.field_4]
    if (isLeaf(element)) leaves.push({ path, leaf: element })
    else for (let children = Number(element.field_5 ?? 0); children > 0; children--) walk(path)
  }
  walk([])
  return leaves
}

function isLeaf(element: ThriftValue): boolean {
  return element.field_1 !== undefined
}

/** The writer takes every integer for 32 bits; the width of an INTEGER logical type has 8. */
function writable(element: ThriftValue): ThriftValue {
  const logical = element.field_10
  if (typeof logical !== 'object' || logical === null || !('field_10' in logical)) return element
  const { field_10: integer } = logical as { field_10: { field_1: number; field_2: boolean } } // read from a footer
  const width = new ThriftStruct([[1, THRIFT_BYTE, integer.field_1], [2, integer.field_2 ? 1 : 2, integer.field_2]])
  return { ...element, field_10: { field_10: width } }
}

const THRIFT_BYTE = 3

/** Fields are written in the order of the object, which must be that of their numbers. */
function ordered(value: ThriftValue): ThriftValue {
  const number = (field: string) => Number(field.slice('field_'.length))
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => number(a) - number(b)))
}
