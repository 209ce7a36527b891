/**
 * What an Arrow field becomes in DuckDB, and how its part of a record batch is read and checked. See the second table
 * of docs/ARROW_TYPES.md.
 */

import { UUID_EXTENSION } from '../arrow-extension.ts'
import { unreachable } from '../errors.ts'
import type { DuckType, ScalarName } from '../types.ts'
import type { ArrowField, ArrowType, ArrowUnit } from './arrow-message.ts'
import type { BufferReader, RowBounds } from './buffer-reader.ts'
import { readDictionaryRows } from './dictionary-rows.ts'
import { BitRows, FixedRows, NullRows, type IngestRows } from './ingest-rows.ts'
import { arrayReader, listReader, mapReader, structReader } from './nested-reader.ts'
import { refuse } from './refusal.ts'
import { checkUtf8, TextRows } from './text-rows.ts'
import { checkViews, VIEW_BYTES, ViewRows } from './view-rows.ts'
import {
  days, daysOfMillis, dayTimes, decimals, durations, inRange, moments, monthDayNanos, months, scaled, timesOfDay, uuids,
  type Checked,
} from './value-checks.ts'

const ENTRY_BYTES = 16

/** Values of a dictionary by its id; undefined until they have come. */
export type DictionaryValues = (id: bigint) => IngestRows | undefined

export interface ColumnReader {
  readonly type: DuckType
  /** Bytes of a row in DuckDB's vectors, without what lists and strings lead to. */
  readonly rowBytes: number
  /** False: equal values may have several forms, or none, so it is no key of a MAP. */
  readonly isKey: boolean
  readonly isFlat: boolean
  read(batch: BufferReader, bounds: RowBounds, dictionaries: DictionaryValues): IngestRows
}

export function columnReader(field: ArrowField): ColumnReader {
  if (field.dictionary === null) return plainReader(field)
  const values = plainReader(field)
  if (!values.isFlat) refuse(field.path, 'a dictionary of nested values is not supported')
  const { id, indexType } = field.dictionary
  return {
    ...values, rowBytes: Math.max(values.rowBytes, 1),
    read: (batch, bounds, dictionaries) => readDictionaryRows(field.path, batch, bounds, indexType, dictionaries(id)),
  }
}

/** Of the field's values themselves, also if batches have indices. */
export function plainReader(field: ArrowField): ColumnReader {
  const { type, path } = field
  checkChildren(field)
  switch (type.kind) {
    case 'null': return {
      type: scalar('INTEGER'), rowBytes: 4, isKey: false, isFlat: true,
      read: (batch, bounds) => new NullRows(batch.node(path, bounds).rowCount),
    }
    case 'bool': return {
      type: scalar('BOOLEAN'), rowBytes: 1, isKey: true, isFlat: true,
      read: (batch, bounds) => {
        const [rowCount, validity] = batch.head(path, bounds)
        return new BitRows(rowCount, validity, batch.bytes(path, Math.ceil(rowCount / 8)))
      },
    }
    case 'int': return fixed(path, scalar(integerName(path, type)), type.bits / 8)
    case 'float':
      if (type.bits === 16) refuse(path, 'HalfFloat is not supported')
      return { ...fixed(path, scalar(type.bits === 32 ? 'FLOAT' : 'DOUBLE'), type.bits / 8), isKey: false }
    case 'decimal': return decimalReader(path, type)
    case 'date': return type.unit === 'day'
      ? fixed(path, scalar('DATE'), 4, 4, days)
      : fixed(path, scalar('DATE'), 8, 4, daysOfMillis)
    case 'time': return timeReader(path, type)
    case 'timestamp': return timestampReader(path, type)
    case 'duration': return { ...fixed(path, scalar('INTERVAL'), 8, 16, durations(toMicros(type.unit))), isKey: false }
    case 'interval': return intervalReader(path, type.unit)
    case 'text': return textReader(path, scalar('VARCHAR'), type.large, true)
    case 'binary': return textReader(path, scalar('BLOB'), type.large, false)
    case 'text-view': return viewReader(path, scalar('VARCHAR'), true)
    case 'binary-view': return viewReader(path, scalar('BLOB'), false)
    case 'fixed-binary': return fixedBinaryReader(field, type.size)
    case 'list': return listReader(field, type.large, columnReader)
    case 'fixed-list': return arrayReader(field, type.size, columnReader)
    case 'struct': return structReader(field, columnReader)
    case 'map': return mapReader(field, columnReader)
    default: return unreachable(type)
  }
}

/** How many fields a type consists of. */
function checkChildren({ type, path, children }: ArrowField): void {
  const isNested = type.kind === 'list' || type.kind === 'fixed-list' || type.kind === 'map'
  const wanted = isNested ? 1 : 0
  if (type.kind !== 'struct' && children.length !== wanted) {
    refuse(path, `${children.length} fields below it, expected were ${wanted}`)
  }
}

function scalar(name: ScalarName): DuckType {
  return { kind: 'scalar', name }
}

/** Values of `width` bytes, checked or converted to `outWidth` bytes if there is anything to check. */
function fixed(
  path: string, type: DuckType, width: number, outWidth = width, convert?: (values: Checked) => Uint8Array,
): ColumnReader {
  return {
    type, rowBytes: outWidth, isKey: true, isFlat: true,
    read: (batch, bounds) => {
      const [rowCount, validity] = batch.head(path, bounds)
      const bytes = batch.bytes(path, rowCount * width)
      const values = convert?.({ column: path, rowCount, validity, bytes }) ?? bytes
      return new FixedRows(rowCount, validity, values, outWidth)
    },
  }
}

function integerName(path: string, { bits, signed }: Extract<ArrowType, { kind: 'int' }>): ScalarName {
  switch (bits) {
    case 8: return signed ? 'TINYINT' : 'UTINYINT'
    case 16: return signed ? 'SMALLINT' : 'USMALLINT'
    case 32: return signed ? 'INTEGER' : 'UINTEGER'
    case 64: return signed ? 'BIGINT' : 'UBIGINT'
    default: return refuse(path, `integers of ${bits} bits are not supported`)
  }
}

function decimalReader(path: string, type: Extract<ArrowType, { kind: 'decimal' }>): ColumnReader {
  const { precision, scale, bits } = type
  if (bits !== 128) refuse(path, `decimals of ${bits} bits are not supported`)
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
    refuse(path, `DECIMAL(${precision},${scale}) is not supported`)
  }
  const width = precision <= 4 ? 2 : precision <= 9 ? 4 : precision <= 18 ? 8 : 16
  return fixed(path, { kind: 'decimal', width: precision, scale }, 16, width, decimals(precision))
}

function timeReader(path: string, { unit, bits }: Extract<ArrowType, { kind: 'time' }>): ColumnReader {
  const isShort = unit === 's' || unit === 'ms'
  if (bits !== (isShort ? 32 : 64)) refuse(path, `times in ${unit} of ${bits} bits are not supported`)
  if (unit === 'ns') return fixed(path, scalar('TIME_NS'), 8, 8, inRange(timesOfDay.ns))
  if (unit === 'us') return fixed(path, scalar('TIME'), 8, 8, inRange(timesOfDay.us))
  return fixed(path, scalar('TIME'), 4, 8, scaled(32, toMicros(unit), timesOfDay.us))
}

const timestampNames = { s: 'TIMESTAMP_S', ms: 'TIMESTAMP_MS', us: 'TIMESTAMP', ns: 'TIMESTAMP_NS' } as const

/** DuckDB has moments with a zone in microseconds only. */
function timestampReader(path: string, { unit, zoned }: Extract<ArrowType, { kind: 'timestamp' }>): ColumnReader {
  if (!zoned) return fixed(path, scalar(timestampNames[unit]), 8, 8, inRange(moments[unit]))
  const convert = unit === 'us' ? inRange(moments.us) : scaled(64, toMicros(unit), moments.us)
  return fixed(path, scalar('TIMESTAMP WITH TIME ZONE'), 8, 8, convert)
}

/** Factor from a unit to microseconds; negative: a divisor. */
function toMicros(unit: ArrowUnit): bigint {
  switch (unit) {
    case 's': return 1_000_000n
    case 'ms': return 1_000n
    case 'us': return 1n
    case 'ns': return -1_000n
    default: return unreachable(unit)
  }
}

function intervalReader(path: string, unit: 'months' | 'day-time' | 'month-day-nano'): ColumnReader {
  const type = scalar('INTERVAL')
  switch (unit) {
    case 'months': return { ...fixed(path, type, 4, 16, months), isKey: false }
    case 'day-time': return { ...fixed(path, type, 8, 16, dayTimes), isKey: false }
    case 'month-day-nano': return { ...fixed(path, type, 16, 16, monthDayNanos), isKey: false }
    default: return unreachable(unit)
  }
}

function textReader(path: string, type: DuckType, large: boolean, isText: boolean): ColumnReader {
  return {
    type, rowBytes: ENTRY_BYTES, isKey: true, isFlat: true,
    read: (batch, bounds) => {
      const [rowCount, validity] = batch.head(path, bounds)
      const offsets = batch.offsets(path, rowCount, large)
      const bytes = batch.rest(path)
      if ((offsets[rowCount] ?? 0) > bytes.length) refuse(path, 'an offset lies beyond its bytes')
      const rows = new TextRows(rowCount, validity, offsets, bytes)
      if (isText) checkUtf8(path, rows)
      return rows
    },
  }
}

function viewReader(path: string, type: DuckType, isText: boolean): ColumnReader {
  return {
    type, rowBytes: ENTRY_BYTES, isKey: true, isFlat: true,
    read: (batch, bounds) => {
      const [rowCount, validity] = batch.head(path, bounds)
      const views = batch.bytes(path, rowCount * VIEW_BYTES)
      const rows = new ViewRows(rowCount, validity, views, batch.viewBuffers(path))
      checkViews(path, rows, isText, byteCount => { batch.viewed(path, byteCount) })
      return rows
    },
  }
}

function fixedBinaryReader({ path, extension }: ArrowField, size: number): ColumnReader {
  if (extension === UUID_EXTENSION && size === 16) return fixed(path, scalar('UUID'), 16, 16, uuids)
  if (size < 1) refuse(path, `binary values of ${size} bytes are not supported`)
  return {
    type: scalar('BLOB'), rowBytes: ENTRY_BYTES, isKey: true, isFlat: true,
    read: (batch, bounds) => {
      const [rowCount, validity] = batch.head(path, bounds)
      const bytes = batch.bytes(path, rowCount * size)
      return new TextRows(rowCount, validity, Int32Array.from({ length: rowCount + 1 }, (_, i) => i * size), bytes)
    },
  }
}
