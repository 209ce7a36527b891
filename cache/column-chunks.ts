/**
 * Where the bytes of a remote file are, as the cache counts them: by chunks, each of which is here wholly or not at
 * all. Of Parquet: the bytes of one column in one row group; a nested column is one chunk with the ranges of its
 * leaves. Of any other file: blocks of its bytes.
 */

import { parseMetadata } from './footer.ts'
import { MAGIC, TRAILER_BYTES } from './footer-tail.ts'
import type { FileKey } from './key.ts'
import { schemaColumns } from './parquet-schema.ts'
import { schemaElement } from './schema-element.ts'
import { Malformed, type ThriftReader } from './thrift-reader.ts'

/** [from, to) of the file. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

export interface FileLayout {
  /** Before it lies the data, behind it the footer; the file's size if it has none. */
  readonly footerFrom: number
  /** Names of the top-level columns in small letters; of files that are no Parquet: one column without a name. */
  readonly columns: readonly string[]
  /** Rows of each row group. */
  readonly rowCounts: readonly number[]
  /** By row group, then by column: chunk `group * columns.length + column`. Ranges ascend and do not overlap. */
  readonly chunks: readonly (readonly ByteRange[])[]
}

/** Rows [from, to). */
export interface Rows {
  readonly from: number
  readonly to: number
}

/** The only column of a file of blocks: whatever is read of it, all of them are. */
const BLOCKS = ''
/** Blocks of a file that is mirrored whole. */
const BLOCK_BYTES = 8 * 1024 * 1024

/** `metadata` is the thrift of the footer alone; FILE_CORRUPT if it is not sound. */
export function parquetLayout(metadata: Uint8Array, file: FileKey): FileLayout {
  return parseMetadata(metadata, file, reader => readLayout(reader, file.sizeBytes - metadata.length - TRAILER_BYTES))
}

/** Of CSV, JSON, and what else is read from its start to its end. */
export function blockLayout({ sizeBytes }: Pick<FileKey, 'sizeBytes'>): FileLayout {
  const count = Math.ceil(sizeBytes / BLOCK_BYTES)
  const block = (i: number): ByteRange =>
    ({ from: i * BLOCK_BYTES, to: Math.min(sizeBytes, (i + 1) * BLOCK_BYTES) })
  return {
    footerFrom: sizeBytes, columns: [BLOCKS], rowCounts: Array.from({ length: count }, () => 0),
    chunks: Array.from({ length: count }, (_, i) => [block(i)]),
  }
}

/** Numbers of the chunks of `columns` (null: of all) in the row groups that hold one of `rows` (null: in all). */
export function wantedChunks(layout: FileLayout, columns: readonly string[] | null, rows: Rows | null): number[] {
  const names = columns === null ? null : new Set([BLOCKS, ...columns.map(name => name.toLowerCase())])
  const wanted = layout.columns.flatMap((name, i) => names === null || names.has(name) ? [i] : [])
  const chunks: number[] = []
  let from = 0
  for (const [group, rowCount] of layout.rowCounts.entries()) {
    const isWanted = rows === null || from < rows.to && from + rowCount > rows.from
    if (isWanted) chunks.push(...wanted.map(column => group * layout.columns.length + column))
    from += rowCount
  }
  return chunks
}

export function chunkBytes(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0)
}

function readLayout(metadata: ThriftReader, footerFrom: number): FileLayout {
  const columns = schemaColumns(metadata.structs(2, 'schema').map(schemaElement))
  if (columns === undefined) throw new Malformed('its schema is not a tree')
  const groups = metadata.structs(4, 'row groups')
  const leaves = groups.map(group => group.structs(1, 'columns').map(leaf => leaf.struct(3, 'column')))
  return {
    footerFrom,
    columns: columns.map(({ name }) => name.toLowerCase()),
    rowCounts: groups.map(group => group.count(3, 'rows')),
    chunks: leaves.flatMap(group => columns.map(column =>
      joined(group.slice(...column.leaves).flatMap(leaf => leafRange(leaf, footerFrom))))),
  }
}

/** Nothing of a leaf without bytes. */
function leafRange(leaf: ThriftReader, footerFrom: number): ByteRange[] {
  const data = leaf.count(9, 'data page offset')
  const dictionary = leaf.has(11) ? leaf.count(11, 'dictionary page offset') : 0
  const from = dictionary > 0 ? Math.min(dictionary, data) : data
  const to = from + leaf.count(7, 'compressed size')
  if (to === from) return []
  if (from < MAGIC.length || to > footerFrom) throw new Malformed('a column is said to be outside the file')
  return [{ from, to }]
}

/** In order, with those that touch made one. */
export function joined(ranges: readonly ByteRange[]): ByteRange[] {
  const result: ByteRange[] = []
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last === undefined || range.from > last.to) result.push(range)
    else if (range.to > last.to) result[result.length - 1] = { from: last.from, to: range.to }
  }
  return result
}
