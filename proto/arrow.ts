/**
 * Reads Arrow IPC messages into columns of raw buffers, for the wires that want rows: no value is decoded here, and
 * none is copied unless a body is not aligned. `text-value.ts` and `json-value.ts` turn a column's values into text.
 * Only the plain types that executors send are known; others are refused. Lengths that a message claims are checked
 * against its body.
 */

import type { DataType, Field as ArrowField } from 'apache-arrow'
import { Precision, TimeUnit, Type } from 'apache-arrow/enum'
import { Message, type RecordBatch } from 'apache-arrow/ipc/metadata/message'
import { TYPE_METADATA } from './arrow-schema.ts'
import type { RawFlightData } from './flight-data.ts'
import { knownDuckType, type DuckType } from './types.ts'

/** Digits of a second's fraction in the unit of a time or timestamp. */
export type FractionDigits = 0 | 3 | 6 | 9

interface ColumnBase {
  readonly rowCount: number
  /** Bit i set: row i has a value; null: all rows have. */
  readonly validity: Uint8Array | null
  /** What DuckDB calls it; undefined: unknown, then the Arrow type decides. */
  readonly type: DuckType | undefined
}

type SmallIntegers = Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array

export type Column = ColumnBase & (
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly bits: Uint8Array }
  | { readonly kind: 'integer'; readonly values: SmallIntegers }
  /** Two words a row, the lower first. */
  | { readonly kind: 'integer64'; readonly signed: boolean; readonly words: Int32Array }
  | { readonly kind: 'float'; readonly values: Float32Array }
  | { readonly kind: 'double'; readonly values: Float64Array }
  /** Four words a row, the lowest first: the unscaled value. */
  | { readonly kind: 'decimal'; readonly scale: number; readonly words: Int32Array }
  | { readonly kind: 'date'; readonly days: Int32Array }
  | { readonly kind: 'time'; readonly digits: FractionDigits; readonly words: Int32Array }
  | { readonly kind: 'timestamp'; readonly digits: FractionDigits; readonly zoned: boolean; readonly words: Int32Array }
  /** Four words a row: months, days, and nanoseconds in two. */
  | { readonly kind: 'interval'; readonly words: Int32Array }
  | { readonly kind: 'fixed'; readonly width: number; readonly bytes: Buffer }
  | { readonly kind: 'text' | 'binary'; readonly offsets: Int32Array; readonly bytes: Buffer }
  | { readonly kind: 'list'; readonly offsets: Int32Array; readonly child: Column }
  | { readonly kind: 'array'; readonly size: number; readonly child: Column }
  | { readonly kind: 'struct'; readonly names: readonly string[]; readonly children: readonly Column[] }
  | { readonly kind: 'map'; readonly offsets: Int32Array; readonly key: Column; readonly value: Column }
)

export interface Batch {
  readonly rowCount: number
  readonly columns: readonly Column[]
}

export interface ResultSchema {
  readonly fields: readonly ArrowField[]
  readonly types: readonly (DuckType | undefined)[]
}

/** `types`: DuckDB's texts by column; without them those in the schema's own metadata are taken. */
export function readSchema(frame: RawFlightData, types?: readonly string[]): ResultSchema {
  const message = Message.decode(frame.dataHeader)
  if (!message.isSchema()) throw new Error('a result must begin with its schema')
  const { fields } = message.header()
  return {
    fields,
    types: fields.map((field, i) => knownDuckType(types?.[i] ?? field.metadata.get(TYPE_METADATA) ?? '')),
  }
}

export function readBatch(schema: ResultSchema, frame: RawFlightData): Batch {
  const message = Message.decode(frame.dataHeader)
  if (!message.isRecordBatch()) throw new Error('expected a record batch')
  const header = message.header()
  const reader = new BatchReader(header, aligned(frame.dataBody))
  const columns = schema.fields.map((field, i) => reader.column(field, schema.types[i]))
  return { rowCount: Number(header.length), columns }
}

export function isNull(column: Column, row: number): boolean {
  if (column.kind === 'null') return true
  return column.validity !== null && ((column.validity[row >> 3] ?? 0) >> (row & 7) & 1) === 0
}

/** Typed arrays need their offset in memory to be a multiple of their width. */
function aligned(body: Uint8Array): Uint8Array {
  return body.byteOffset % 8 === 0 ? body : Uint8Array.from(body)
}

/** Unsigned and signed, by the bits of a value. */
const integerArrays = {
  8: [Uint8Array, Int8Array], 16: [Uint16Array, Int16Array], 32: [Uint32Array, Int32Array],
} as const

/** Takes field nodes and buffers in the order in which IPC lays them down: depth first. */
class BatchReader {
  readonly #header: RecordBatch
  readonly #body: Uint8Array
  #node = 0
  #buffer = 0

  constructor(header: RecordBatch, body: Uint8Array) {
    this.#header = header
    this.#body = body
  }

  column(field: ArrowField, type: DuckType | undefined): Column {
    const node = this.#header.nodes[this.#node++]
    if (node === undefined) throw new Error(`a record batch without column ${field.name}`)
    const rowCount = Number(node.length)
    if (field.type.typeId === Type.Null) return { kind: 'null', rowCount, validity: null, type }
    const bitmap = this.#take(node.nullCount === 0 ? 0 : Math.ceil(rowCount / 8))
    const base = { rowCount, validity: Number(node.nullCount) === 0 ? null : bitmap, type }
    return this.#values(field.type, base)
  }

  #values(arrow: DataType, base: ColumnBase): Column {
    const { rowCount, type } = base
    switch (arrow.typeId) {
      case Type.Bool: return { ...base, kind: 'boolean', bits: this.#take(Math.ceil(rowCount / 8)) }
      case Type.Int: return this.#integer(arrow as DataType & { bitWidth: number; isSigned: boolean }, base)
      case Type.Float: return this.#float((arrow as DataType & { precision: Precision }).precision, base)
      case Type.Decimal: {
        const { scale } = arrow as DataType & { scale: number }
        return { ...base, kind: 'decimal', scale, words: this.#words(rowCount * 4) }
      }
      case Type.Date: return { ...base, kind: 'date', days: this.#words(rowCount) }
      case Type.Time: return { ...base, kind: 'time', digits: digitsOf(arrow), words: this.#words(rowCount * 2) }
      case Type.Timestamp: {
        const zoned = typeof (arrow as DataType & { timezone?: string | null }).timezone === 'string'
        return { ...base, kind: 'timestamp', digits: digitsOf(arrow), zoned, words: this.#words(rowCount * 2) }
      }
      case Type.Interval: return { ...base, kind: 'interval', words: this.#words(rowCount * 4) }
      case Type.FixedSizeBinary: {
        const width = (arrow as DataType & { byteWidth: number }).byteWidth
        return { ...base, kind: 'fixed', width, bytes: asBuffer(this.#take(rowCount * width)) }
      }
      case Type.Utf8: case Type.Binary: {
        const offsets = this.#offsets(rowCount)
        const bytes = asBuffer(this.#take(offsets[rowCount] ?? 0))
        return { ...base, kind: arrow.typeId === Type.Utf8 ? 'text' : 'binary', offsets, bytes }
      }
      case Type.List: {
        const offsets = this.#offsets(rowCount)
        const child = this.column(onlyChild(arrow), type?.kind === 'list' ? type.child : undefined)
        return { ...base, kind: 'list', offsets, child }
      }
      case Type.FixedSizeList: {
        const child = this.column(onlyChild(arrow), type?.kind === 'array' ? type.child : undefined)
        return { ...base, kind: 'array', size: (arrow as DataType & { listSize: number }).listSize, child }
      }
      case Type.Struct: return this.#struct(arrow, base)
      case Type.Map: return this.#map(arrow, base)
      default: throw new Error(`no rows from Arrow type ${String(arrow)}`)
    }
  }

  #integer(arrow: { bitWidth: number; isSigned: boolean }, base: ColumnBase): Column {
    const { bitWidth, isSigned } = arrow
    const { rowCount } = base
    if (bitWidth === 64) return { ...base, kind: 'integer64', signed: isSigned, words: this.#words(rowCount * 2) }
    const { buffer, byteOffset } = this.#take(rowCount * bitWidth / 8)
    const Values = integerArrays[bitWidth as 8 | 16 | 32][isSigned ? 1 : 0]
    return { ...base, kind: 'integer', values: new Values(buffer as ArrayBuffer, byteOffset, rowCount) }
  }

  #float(precision: Precision, base: ColumnBase): Column {
    const double = precision === Precision.DOUBLE
    const { buffer, byteOffset } = this.#take(base.rowCount * (double ? 8 : 4))
    if (double) return { ...base, kind: 'double', values: new Float64Array(buffer, byteOffset, base.rowCount) }
    return { ...base, kind: 'float', values: new Float32Array(buffer, byteOffset, base.rowCount) }
  }

  #struct(arrow: DataType, base: ColumnBase): Column {
    const fields = arrow.children as readonly ArrowField[]
    const types = base.type?.kind === 'struct' ? base.type.fields : []
    const children = fields.map((field, i) => this.column(field, types[i]?.type))
    return { ...base, kind: 'struct', names: fields.map(field => field.name), children }
  }

  #map(arrow: DataType, base: ColumnBase): Column {
    const offsets = this.#offsets(base.rowCount)
    this.#node++
    this.#take(0) // the entries: as many as the last offset, none null
    const [keyField, valueField] = onlyChild(arrow).type.children as readonly ArrowField[]
    if (keyField === undefined || valueField === undefined) throw new Error('a map without key and value')
    const types = base.type?.kind === 'map' ? base.type : undefined
    const key = this.column(keyField, types?.key)
    return { ...base, kind: 'map', offsets, key, value: this.column(valueField, types?.value) }
  }

  /** One more than rows; a batch of no rows may leave the buffer out. */
  #offsets(rowCount: number): Int32Array {
    return rowCount === 0 && this.#next().length === 0 ? this.#words(0) : this.#words(rowCount + 1)
  }

  #words(count: number): Int32Array {
    const { buffer, byteOffset } = this.#take(count * 4)
    return new Int32Array(buffer, byteOffset, count)
  }

  #next(): { offset: number; length: number } {
    const region = this.#header.buffers[this.#buffer]
    if (region === undefined) throw new Error('a record batch without one of its buffers')
    return { offset: Number(region.offset), length: Number(region.length) }
  }

  /** The next buffer's first `byteCount` bytes. */
  #take(byteCount: number): Uint8Array {
    const { offset, length } = this.#next()
    this.#buffer++
    const isShort = byteCount > length || offset + byteCount > this.#body.length
    if (isShort) throw new Error('a buffer is shorter than its column')
    return this.#body.subarray(offset, offset + byteCount)
  }
}

function onlyChild(arrow: DataType): ArrowField {
  const [child] = arrow.children as readonly ArrowField[]
  if (child === undefined) throw new Error('a list without a type of its elements')
  return child
}

function digitsOf(arrow: DataType): FractionDigits {
  switch ((arrow as DataType & { unit: TimeUnit }).unit) {
    case TimeUnit.SECOND: return 0
    case TimeUnit.MILLISECOND: return 3
    case TimeUnit.MICROSECOND: return 6
    default: return 9
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
