/**
 * Messages of Arrow's IPC format as a stranger has sent them: schema, dictionary, record batch. What is not understood
 * to the last field is refused. Field numbers and type numbers are those of Arrow's Schema.fbs and Message.fbs.
 */

import { EXTENSION_NAME } from '../arrow-extension.ts'
import { FlatTable } from './flat-buffer.ts'
import { refuse } from './refusal.ts'

/** Fields of a schema, nested ones counted: as many as make sense, and each costs DuckDB a vector. */
const MAX_FIELDS = 2_000
/** Types nest at most so deep. */
const MAX_DEPTH = 32
const MAX_NAME_BYTES = 4_096
/** Metadata entries of a field that are looked at. */
const MAX_METADATA = 100
/** Longer keys and values of metadata are none that mean something here. */
const MAX_KEY_BYTES = 64

/** Metadata versions V4 and V5, which differ in unions only. */
const VERSIONS: ReadonlySet<number> = new Set([3, 4])
const NODE_BYTES = 16
const BUFFER_BYTES = 16
const COUNT_BYTES = 8

export type ArrowUnit = 's' | 'ms' | 'us' | 'ns'
const units: readonly ArrowUnit[] = ['s', 'ms', 'us', 'ns']

export type ArrowType =
  | { readonly kind: 'null' | 'bool' }
  | { readonly kind: 'int'; readonly bits: number; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: number }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number; readonly bits: number }
  | { readonly kind: 'date'; readonly unit: 'day' | 'ms' }
  | { readonly kind: 'time'; readonly unit: ArrowUnit; readonly bits: number }
  | { readonly kind: 'timestamp'; readonly unit: ArrowUnit; readonly zoned: boolean }
  | { readonly kind: 'duration'; readonly unit: ArrowUnit }
  | { readonly kind: 'interval'; readonly unit: 'months' | 'day-time' | 'month-day-nano' }
  | { readonly kind: 'text' | 'binary' | 'list'; readonly large: boolean }
  | { readonly kind: 'text-view' | 'binary-view' }
  | { readonly kind: 'fixed-binary' | 'fixed-list'; readonly size: number }
  | { readonly kind: 'struct' | 'map' }

export interface ArrowField {
  /** With the names of the fields above it. */
  readonly path: string
  readonly name: string
  readonly type: ArrowType
  /** The extension type it claims to be, or null. */
  readonly extension: string | null
  /** Its values stand in this dictionary; the batches hold indices of `indexType`. */
  readonly dictionary: { readonly id: bigint; readonly indexType: ArrowType } | null
  readonly children: readonly ArrowField[]
}

export interface ArrowBatch {
  readonly rowCount: number
  readonly nodes: readonly { readonly rowCount: number; readonly nullCount: number }[]
  /** Into the message's body. */
  readonly buffers: readonly { readonly offset: number; readonly byteCount: number }[]
  /** Of each column of views, how many buffers follow its views. */
  readonly viewBuffers: readonly number[]
}

export type ArrowMessage = { readonly bodyBytes: number } & (
  | { readonly kind: 'schema'; readonly fields: readonly ArrowField[] }
  | { readonly kind: 'dictionary'; readonly id: bigint; readonly batch: ArrowBatch }
  | { readonly kind: 'batch'; readonly batch: ArrowBatch }
)

/** `header`: the Message flatbuffer, as in FlightData.data_header. */
export function readMessage(header: Uint8Array): ArrowMessage {
  const message = FlatTable.root(header)
  const version = message.int16(0)
  if (!VERSIONS.has(version)) refuse('', `metadata version ${version} is not supported`)
  const content = message.table(2) ?? refuse('', 'a message without content')
  const bodyBytes = message.size(3)
  message.vector(4, 4) // metadata, which nobody here reads, must lie inside too
  const type = message.int8(1)
  switch (type) {
    case 1: return { kind: 'schema', bodyBytes, fields: readFields(content) }
    case 2: {
      if (content.flag(2)) refuse('', 'delta dictionaries are not accepted')
      const batch = readBatch(content.table(1) ?? refuse('', 'a dictionary without values'))
      return { kind: 'dictionary', bodyBytes, id: content.int64(0), batch }
    }
    case 3: return { kind: 'batch', bodyBytes, batch: readBatch(content) }
    default: return refuse('', `message type ${type} is not accepted`)
  }
}

function readBatch(batch: FlatTable): ArrowBatch {
  if (batch.table(3) !== null) refuse('', 'compressed record batches are not accepted')
  const nodes = batch.vector(1, NODE_BYTES)
  const buffers = batch.vector(2, BUFFER_BYTES)
  const counts = batch.vector(4, COUNT_BYTES)
  return {
    rowCount: batch.size(0),
    nodes: Array.from({ length: nodes.length }, (_, i) => {
      const at = nodes.at + i * NODE_BYTES
      return { rowCount: batch.sizeAt(at), nullCount: batch.sizeAt(at + 8) }
    }),
    buffers: Array.from({ length: buffers.length }, (_, i) => {
      const at = buffers.at + i * BUFFER_BYTES
      return { offset: batch.sizeAt(at), byteCount: batch.sizeAt(at + 8) }
    }),
    viewBuffers: Array.from({ length: counts.length }, (_, i) => batch.sizeAt(counts.at + i * COUNT_BYTES)),
  }
}

function readFields(schema: FlatTable): ArrowField[] {
  if (schema.int16(0) !== 0) refuse('', 'big-endian data is not accepted')
  schema.vector(2, 4)
  schema.vector(3, 8)
  const reader = new FieldReader()
  return reader.fields(schema, 1, '', 0)
}

class FieldReader {
  #count = 0

  /** Of the vector in field number `field` of `owner`. */
  fields(owner: FlatTable, field: number, path: string, depth: number): ArrowField[] {
    const vector = owner.vector(field, 4)
    this.#count += vector.length
    if (this.#count > MAX_FIELDS) refuse('', `more than ${MAX_FIELDS} fields`)
    if (depth > MAX_DEPTH) refuse(path, `types nested deeper than ${MAX_DEPTH}`)
    return Array.from({ length: vector.length }, (_, i) => this.#field(owner.element(vector, i), path, depth))
  }

  #field(field: FlatTable, above: string, depth: number): ArrowField {
    const name = field.text(0, MAX_NAME_BYTES) ?? ''
    const path = above === '' ? name : `${above}.${name}`
    const encoding = field.table(4)
    if (encoding !== null && encoding.int16(3) !== 0) refuse(path, 'its dictionary is of an unknown kind')
    return {
      path, name,
      type: readType(field.int8(2), field.table(3), path),
      extension: extensionOf(field),
      dictionary: encoding === null ? null : { id: encoding.int64(0), indexType: indexType(encoding.table(1)) },
      children: this.fields(field, 5, path, depth + 1),
    }
  }
}

function extensionOf(field: FlatTable): string | null {
  const entries = field.vector(6, 4)
  for (let i = 0; i < Math.min(entries.length, MAX_METADATA); i++) {
    const entry = field.element(entries, i)
    if (entry.shortText(0, MAX_KEY_BYTES) === EXTENSION_NAME) return entry.shortText(1, MAX_KEY_BYTES)
  }
  return null
}

/** Without a type of its own an index is an int32. */
function indexType(int: FlatTable | null): ArrowType {
  return int === null ? { kind: 'int', bits: 32, signed: true } : readInt(int)
}

function readInt(int: FlatTable): ArrowType {
  return { kind: 'int', bits: int.int32(0), signed: int.flag(1) }
}

function readType(type: number, table: FlatTable | null, path: string): ArrowType {
  const of = table ?? refuse(path, 'a field without a type')
  const unit = (absent: number): ArrowUnit => units[of.int16(0, absent)] ?? refuse(path, 'an unknown unit of time')
  switch (type) {
    case 1: return { kind: 'null' }
    case 2: return readInt(of)
    case 3: return { kind: 'float', bits: [16, 32, 64][of.int16(0)] ?? refuse(path, 'an unknown precision') }
    case 4: return { kind: 'binary', large: false }
    case 5: return { kind: 'text', large: false }
    case 6: return { kind: 'bool' }
    case 7: return { kind: 'decimal', precision: of.int32(0), scale: of.int32(1), bits: of.int32(2, 128) }
    case 8: return { kind: 'date', unit: (['day', 'ms'] as const)[of.int16(0, 1)] ?? refuse(path, 'an unknown unit') }
    case 9: return { kind: 'time', unit: unit(1), bits: of.int32(1, 32) }
    case 10: return { kind: 'timestamp', unit: unit(0), zoned: (of.text(1, MAX_NAME_BYTES) ?? '') !== '' }
    case 11: return {
      kind: 'interval',
      unit: (['months', 'day-time', 'month-day-nano'] as const)[of.int16(0)] ?? refuse(path, 'an unknown unit'),
    }
    case 12: return { kind: 'list', large: false }
    case 13: return { kind: 'struct' }
    case 15: return { kind: 'fixed-binary', size: of.int32(0) }
    case 16: return { kind: 'fixed-list', size: of.int32(0) }
    case 17: return { kind: 'map' }
    case 18: return { kind: 'duration', unit: unit(1) }
    case 19: return { kind: 'binary', large: true }
    case 20: return { kind: 'text', large: true }
    case 21: return { kind: 'list', large: true }
    case 23: return { kind: 'binary-view' }
    case 24: return { kind: 'text-view' }
    default: return refuse(path, `${typeNames[type] ?? `type number ${type}`} is not supported`)
  }
}

/** Types that have no reader here. */
const typeNames: Readonly<Record<number, string>> = {
  14: 'Union', 22: 'RunEndEncoded', 25: 'ListView', 26: 'LargeListView',
}
