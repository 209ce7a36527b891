/**
 * Values of Arrow data, as apache-arrow lays them out, in terms of what DuckDB makes of them: two columns of different
 * Arrow types that mean the same values are the same here.
 */

import { DataType, DateUnit, IntervalUnit, TimeUnit, type Data } from 'apache-arrow'

const INT64_MAX = 9223372036854775807n
const perSecond = { [TimeUnit.SECOND]: 1n, [TimeUnit.MILLISECOND]: 1_000n, [TimeUnit.MICROSECOND]: 1_000_000n,
  [TimeUnit.NANOSECOND]: 1_000_000_000n }

/** All rows as one text; equal texts, equal values. */
export function canonicalText(chunks: readonly Data[]): string {
  return JSON.stringify(chunks.flatMap(data => Array.from({ length: data.length }, (_, row) => canonical(data, row))))
}

export function canonical(data: Data, row: number): unknown {
  const type = data.type
  if (DataType.isNull(type) || !data.getValid(row)) return null
  if (DataType.isDictionary(type)) {
    const [values] = data.dictionary?.data ?? []
    return values === undefined ? 'no dictionary' : canonical(values, Number((data.values as Uint8Array)[row]))
  }
  const children = data.children as readonly Data[]
  const [child] = children
  const range = (from: number, to: number): unknown[] =>
    Array.from({ length: to - from }, (_, i) => child === undefined ? 'no child' : canonical(child, from + i))
  if (DataType.isList(type)) return range(offset(data, row), offset(data, row + 1))
  if (DataType.isMap(type)) return range(offset(data, row), offset(data, row + 1))
  if (DataType.isFixedSizeList(type)) return range(row * type.listSize, (row + 1) * type.listSize)
  if (DataType.isStruct(type)) return children.map(field => canonical(field, row))
  return flat(data, type, row)
}

function flat(data: Data, type: DataType, row: number): string {
  const values = data.values as Uint8Array
  if (DataType.isBool(type)) return String((((values[row >> 3] ?? 0) >> (row & 7)) & 1) === 1)
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return slice(data, row).toString()
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) return slice(data, row).toString('hex')
  if (DataType.isUtf8View(type)) return viewed(data, row).toString()
  if (DataType.isBinaryView(type)) return viewed(data, row).toString('hex')
  if (DataType.isFixedSizeBinary(type)) {
    return Buffer.from(values.subarray(row * type.byteWidth, (row + 1) * type.byteWidth)).toString('hex')
  }
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength)
  const int32 = (i: number): number => view.getInt32(i * 4, true)
  const int64 = (i: number): bigint => view.getBigInt64(i * 8, true)
  if (DataType.isDecimal(type)) return String((int64(row * 2 + 1) << 64n) | BigInt.asUintN(64, int64(row * 2)))
  if (DataType.isFloat(type) || DataType.isInt(type)) {
    const value = values[row]
    return Object.is(value, -0) ? '-0' : String(value)
  }
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? String(int32(row)) : String(int64(row) / 86_400_000n)
  if (DataType.isTime(type)) {
    const value = type.bitWidth === 32 ? BigInt(int32(row)) : int64(row)
    return type.unit === TimeUnit.NANOSECOND ? `${value} ns` : String(value * 1_000_000n / perSecond[type.unit])
  }
  if (DataType.isTimestamp(type)) {
    const value = int64(row)
    const isInfinite = value === INT64_MAX || value === -INT64_MAX
    if (isInfinite || (type.timezone ?? '') === '') return String(value)
    return String(value * 1_000_000n / perSecond[type.unit])
  }
  if (DataType.isDuration(type)) return `0/0/${int64(row) * 1_000_000_000n / perSecond[type.unit]}`
  if (DataType.isInterval(type)) {
    switch (type.unit) {
      case IntervalUnit.YEAR_MONTH: return `${int32(row)}/0/0`
      case IntervalUnit.DAY_TIME: return `0/${int32(row * 2)}/${BigInt(int32(row * 2 + 1)) * 1_000_000n}`
      default: return `${int32(row * 4)}/${int32(row * 4 + 1)}/${int64(row * 2 + 1)}`
    }
  }
  return `no text for ${String(type)}`
}

function offset(data: Data, row: number): number {
  return Number((data.valueOffsets as Int32Array | BigInt64Array)[row])
}

function slice(data: Data, row: number): Buffer {
  return Buffer.from((data.values as Uint8Array).subarray(offset(data, row), offset(data, row + 1)))
}

function viewed(data: Data, row: number): Buffer {
  const views = data.values as Uint8Array
  const view = new DataView(views.buffer, views.byteOffset + row * 16, 16)
  const length = view.getInt32(0, true)
  if (length <= 12) return Buffer.from(views.subarray(row * 16 + 4, row * 16 + 4 + length))
  const start = view.getInt32(12, true)
  return Buffer.from(data.variadicBuffers[view.getInt32(8, true)]?.subarray(start, start + length) ?? 'no buffer')
}
