/** Values of Arrow data as apache-arrow lays them out, in a canonical text that SQL can make too. */

import { DataType, RecordBatchReader, tableFromIPC, type Data, type Table } from 'apache-arrow'
import { encapsulate, END_OF_STREAM } from '../../proto/arrow-stream.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'

export function ipcStream(frames: readonly RawFlightData[]): Uint8Array {
  return Buffer.concat([...frames.flatMap(frame => encapsulate(frame)), END_OF_STREAM])
}

export function toTable(frames: readonly RawFlightData[]): Table {
  return tableFromIPC(RecordBatchReader.from(ipcStream(frames)))
}

/** All values of column `i`, over all batches. */
export function columnTexts(table: Table, i: number): (string | null)[] {
  const chunks = table.getChildAt(i)?.data ?? []
  return chunks.flatMap(data => Array.from({ length: data.length }, (_, row) => valueText(data, row)))
}

function valueText(data: Data, row: number): string | null {
  const { type } = data
  if (DataType.isNull(type) || !data.getValid(row)) return null
  if (data.children.length > 0) return JSON.stringify(nested(data, row))
  if (DataType.isDictionary(type)) return String(data.dictionary?.get(Number((data.values as Uint8Array)[row])))
  const { values } = data as { values: Uint8Array & { [i: number]: number } }
  if (DataType.isDecimal(type)) return decimal(values as unknown as Uint32Array, row)
  if (DataType.isInterval(type)) {
    const view = new DataView(values.buffer, values.byteOffset + row * 16, 16)
    return `${view.getInt32(0, true)}/${view.getInt32(4, true)}/${view.getBigInt64(8, true)}`
  }
  if (DataType.isFixedSizeBinary(type)) {
    const hex = Buffer.from(values.subarray(row * 16, row * 16 + 16)).toString('hex')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
  if (DataType.isBinary(type)) return slice(data, row).toString('hex').toUpperCase()
  if (DataType.isUtf8(type)) return slice(data, row).toString()
  if (DataType.isBool(type)) return String((((values[row >> 3] ?? 0) >> (row & 7)) & 1) === 1)
  if (DataType.isFloat(type)) return float(values[row] ?? 0)
  return String(values[row])
}

function nested(data: Data, row: number): unknown {
  if (!data.getValid(row)) return null
  const { type } = data
  const [child] = data.children
  const range = (from: number, to: number): unknown[] =>
    Array.from({ length: to - from }, (_, k) => child === undefined ? null : nested(child, from + k))
  const [from = 0, to = 0] = data.valueOffsets === undefined ? [] : [data.valueOffsets[row], data.valueOffsets[row + 1]]
  if (DataType.isList(type)) return range(from, to)
  if (DataType.isFixedSizeList(type)) return range(row * type.listSize, (row + 1) * type.listSize)
  if (DataType.isMap(type)) {
    return Object.fromEntries(range(from, to).map(entry => Object.values(entry as { key: string; value: unknown })))
  }
  if (DataType.isStruct(type)) {
    return Object.fromEntries(type.children.map(({ name }, k) => {
      const field = data.children[k]
      return [name, field === undefined ? null : nested(field, row)]
    }))
  }
  return DataType.isInt(type) ? Number((data.values as Int32Array)[row]) : valueText(data, row)
}

function float(value: number): string {
  return Number.isInteger(value) ? `${Object.is(value, -0) ? '-' : ''}${value.toFixed(1)}` : String(value)
}

function decimal(words: Uint32Array, row: number): string {
  let value = 0n
  for (let k = 3; k >= 0; k--) value = (value << 32n) | BigInt((words[row * 4 + k] ?? 0) >>> 0)
  return String(BigInt.asIntN(128, value))
}

function slice(data: Data, row: number): Buffer {
  const { valueOffsets, values } = data as { valueOffsets: Int32Array; values: Uint8Array }
  return Buffer.from(values.subarray(valueOffsets[row], valueOffsets[row + 1]))
}
