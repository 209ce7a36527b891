/**
 * The footer of a Parquet file: its schema, and where each row group has its column chunks, how big they are and what
 * their values lie between. The file is foreign input: magic, lengths and offsets are checked before they are used,
 * and what does not fit is FILE_CORRUPT with the file's name.
 */

import { createHash } from 'node:crypto'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import { MAGIC, TRAILER_BYTES, corrupt, readTail } from './footer-tail.ts'
import type { FileKey } from './key.ts'
import type { ObjectStore } from './object-store.ts'
import { type SchemaColumn, schemaColumns } from './parquet-schema.ts'
import { schemaElement } from './schema-element.ts'
import { type StatKind, type StatValue, compareStats, decodeStat } from './statistics.ts'
import { Malformed, ThriftReader, type ThriftValue, copyThrift } from './thrift-reader.ts'

export interface Footer {
  readonly rowCount: number
  /** The footer's own length with magic and length field, in bytes: what a reader of the file must fetch besides. */
  readonly footerBytes: number
  readonly schema: FooterSchema
  readonly rowGroups: readonly FooterRowGroup[]
}

/** What the files of a table mostly have in common; may be shared between footers of one fingerprint. */
export interface FooterSchema {
  /** Equal for equal schemas. */
  readonly fingerprint: string
  readonly columns: readonly SchemaColumn[]
  /** As they stand in the file, for footers made from this one: element 0 is the root. */
  readonly elements: readonly ThriftValue[]
  /** The GeoParquet entry if there is one; DuckDB binds nothing by the others. */
  readonly keyValues: readonly ThriftValue[]
  /** The writer's name for itself, which DuckDB looks at; null if the file does not say. */
  readonly createdBy: Uint8Array | null
}

export interface FooterRowGroup {
  readonly rowCount: number
  /** By position of the top-level column. */
  readonly columns: readonly FooterChunk[]
}

/** All chunks of one top-level column in one row group, which writers put side by side. */
/** Of one plain column in one row group: [from, from + length) of the file. */
export interface ChunkFilter {
  readonly from: number
  readonly length: number
  /** How the values are written that it was made of. */
  readonly as: StatKind
}

export interface FooterChunk {
  readonly offset: number
  /** Compressed. */
  readonly sizeBytes: number
  readonly min: StatValue | null
  readonly max: StatValue | null
  readonly nullCount: number | null
  /** As the writer counted, which most do for columns with a dictionary only. */
  readonly distinctCount: number | null
  /** True if some row has these very values: the file says so. */
  readonly exact: boolean
  /** Null: none is known. */
  readonly filter: ChunkFilter | null
}

export async function readFooter(store: ObjectStore, file: FileKey): Promise<Footer> {
  return parseFooter((await readTail(store, file)).metadata, file)
}

/** `metadata` is the thrift of the footer alone. */
export function parseFooter(metadata: Uint8Array, file: FileKey): Footer {
  return parseMetadata(metadata, file, reader => readMetadata(reader, metadata.byteLength, file.sizeBytes))
}

/** What `read` makes of the metadata; FILE_CORRUPT with the file's name if it is not sound. */
export function parseMetadata<T>(metadata: Uint8Array, file: FileKey, read: (metadata: ThriftReader) => T): T {
  try {
    return read(readThrift(metadata, 'footer').value)
  } catch (error) {
    const reason = error instanceof Malformed ? error.message : 'its footer cannot be read'
    throw corrupt(file, `is not a sound Parquet file: ${reason}`, error)
  }
}

/** A struct at the start of `bytes`, and how many of them it takes. Throws if they are none. */
export function readThrift(bytes: Uint8Array, what: string): { readonly value: ThriftReader; readonly length: number } {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
  const value = new ThriftReader(deserializeTCompactProtocol(reader), what)
  return { value, length: reader.offset }
}

function readMetadata(metadata: ThriftReader, length: number, fileBytes: number): Footer {
  const schema = readSchema(metadata)
  const dataEnd = fileBytes - length - TRAILER_BYTES
  const rowGroups = metadata.structs(4, 'row groups').map(group => rowGroup(group, schema.columns, dataEnd))
  const rowCount = metadata.count(3, 'rows')
  const counted = rowGroups.reduce((sum, group) => sum + group.rowCount, 0)
  if (counted !== rowCount) throw new Malformed(`it claims ${rowCount} rows and its row groups have ${counted}`)
  if (metadata.has(8)) throw new Malformed('it is encrypted, which is not supported')
  return {
    rowCount,
    footerBytes: length + TRAILER_BYTES,
    schema,
    rowGroups,
  }
}

function readSchema(metadata: ThriftReader): FooterSchema {
  const read = metadata.structs(2, 'schema')
  const columns = schemaColumns(read.map(schemaElement))
  if (columns === undefined) throw new Malformed('its schema is not a tree')
  const elements = read.map(element => copyThrift(element.value))
  const keyValues = (metadata.has(5) ? metadata.structs(5, 'metadata') : [])
    .filter(entry => entry.text(1, 'key') === 'geo')
    .map(entry => copyThrift(entry.value))
  const createdBy = metadata.has(6) ? metadata.bytes(6, 'writer').slice() : null
  const text = JSON.stringify([elements, keyValues, createdBy], (_, value: unknown) => {
    return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
  })
  const fingerprint = createHash('sha256').update(text).digest('base64url')
  return { fingerprint, columns, elements, keyValues, createdBy }
}

function rowGroup(group: ThriftReader, columns: readonly SchemaColumn[], dataEnd: number): FooterRowGroup {
  const rowCount = group.count(3, 'rows')
  const leaves = group.structs(1, 'columns')
  const expected = columns.at(-1)?.leaves[1] ?? 0
  if (leaves.length !== expected) throw new Malformed(`a row group has ${leaves.length} of ${expected} columns`)
  return {
    rowCount,
    columns: columns.map(column => {
      const chunks = leaves.slice(...column.leaves).map(leaf => leafChunk(leaf, column, rowCount, dataEnd))
      return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : joined(chunks)
    }),
  }
}

/** A nested column: its leaves have no statistics of their own. */
function joined(chunks: readonly FooterChunk[]): FooterChunk {
  return {
    ...nothingKnown,
    offset: chunks.length === 0 ? 0 : Math.min(...chunks.map(chunk => chunk.offset)),
    sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0),
  }
}

const nothingKnown = { min: null, max: null, nullCount: null, distinctCount: null, exact: false, filter: null }

function leafChunk(leaf: ThriftReader, column: SchemaColumn, rowCount: number, dataEnd: number): FooterChunk {
  if (leaf.has(1)) throw new Malformed(`column ${column.name} is in another file`)
  const chunk = leaf.struct(3, `column ${column.name}`)
  const data = chunk.count(9, 'data page offset')
  const dictionary = chunk.has(11) ? chunk.count(11, 'dictionary page offset') : 0
  const offset = dictionary > 0 ? Math.min(dictionary, data) : data
  const sizeBytes = chunk.count(7, 'compressed size')
  if (rowCount > 0 && (offset < MAGIC.length || offset + sizeBytes > dataEnd)) {
    throw new Malformed(`column ${column.name} is said to be at ${offset} with ${sizeBytes} bytes, outside the file`)
  }
  const plain = column.statistics !== null && chunk.count(5, 'values') === rowCount
  if (!plain) return { ...nothingKnown, offset, sizeBytes }
  const { as } = column.statistics
  const filter = chunkFilter(chunk, as, dataEnd)
  if (!chunk.has(12)) return { ...nothingKnown, offset, sizeBytes, filter }
  return { offset, sizeBytes, filter, ...statistics(chunk.struct(12, 'statistics'), as, rowCount) }
}

/** One whose length is not told is not looked for. */
function chunkFilter(chunk: ThriftReader, as: StatKind, dataEnd: number): ChunkFilter | null {
  const length = chunk.integerOr(15, 0)
  if (!chunk.has(14) || length <= 0) return null
  const from = chunk.count(14, 'Bloom filter offset')
  return from >= MAGIC.length && from + length <= dataEnd ? { from, length, as } : null
}

/** Fields 1 and 2 are the old maximum and minimum, which many writers compared as signed bytes: numbers only. */
function statistics(
  stats: ThriftReader, as: StatKind, rowCount: number,
): Omit<FooterChunk, 'offset' | 'sizeBytes' | 'filter'> {
  const old = as.kind === 'float' || as.kind === 'integer' && as.signed
  const bound = (field: number, oldField: number): StatValue | null => {
    const from = stats.has(field) ? field : old && stats.has(oldField) ? oldField : undefined
    return from === undefined ? null : decodeStat(stats.bytes(from, 'bound'), as)
  }
  const min = bound(6, 2)
  const max = bound(5, 1)
  const order = min === null || max === null ? undefined : compareStats(min, max)
  const sound = order === undefined || order <= 0
  const nulls = stats.has(3) ? stats.count(3, 'null count') : null
  const distinct = stats.has(4) ? stats.count(4, 'distinct count') : null
  return {
    min: sound ? min : null,
    max: sound ? max : null,
    nullCount: nulls !== null && nulls <= rowCount ? nulls : null,
    distinctCount: distinct !== null && distinct <= rowCount ? distinct : null,
    exact: stats.isTrue(7) && stats.isTrue(8),
  }
}
