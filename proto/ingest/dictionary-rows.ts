/** Rows that are indices into a dictionary: checked, and written as the values that they stand for. */

import type { ArrowType } from './arrow-message.ts'
import { isSet, type BufferReader, type RowBounds, type Validity } from './buffer-reader.ts'
import { BitRows, FixedRows, IngestRows, NullRows } from './ingest-rows.ts'
import { refuse } from './refusal.ts'
import { StringRows, writeTexts } from './text-rows.ts'
import type { VectorWriter } from './vector-writer.ts'

const ENTRY_BYTES = 16

/** Each row's value stands at its index among `values`, which are flat. An index under NULL is 0. */
export class DictionaryRows extends IngestRows {
  readonly indices: Int32Array
  readonly values: IngestRows

  constructor(rowCount: number, validity: Validity, indices: Int32Array, values: IngestRows) {
    super(rowCount, validity)
    this.indices = indices
    this.values = values
  }

  measure(from: number, count: number): number {
    let total = count * ENTRY_BYTES
    if (!(this.values instanceof StringRows)) return total
    for (let i = from; i < from + count; i++) total += this.values.length(this.indices[i] ?? 0)
    return total
  }

  key(row: number): string {
    return this.values.key(this.indices[row] ?? 0)
  }

  protected fill(vector: VectorWriter, from: number, count: number, mask: Validity): void {
    const { values, indices } = this
    const at = (i: number): number => mask === null || isSet(mask, i) ? indices[from + i] ?? 0 : -1
    if (values instanceof StringRows) return writeTexts(vector, values, count, at)
    vector.put(gathered(values, count, at))
  }
}

/** Bytes of the values at these places; zeros for place -1. */
function gathered(values: IngestRows, count: number, at: (i: number) => number): Uint8Array {
  if (values instanceof BitRows) return Uint8Array.from({ length: count }, (_, i) => isSet(values.bits, at(i)) ? 1 : 0)
  if (!(values instanceof FixedRows)) return new Uint8Array(0) // values of the type NULL: there is nothing to write
  const { bytes, width } = values
  const out = new Uint8Array(count * width)
  for (let i = 0; i < count; i++) {
    const place = at(i)
    if (place >= 0) out.set(bytes.subarray(place * width, (place + 1) * width), i * width)
  }
  return out
}

export function readDictionaryRows(
  path: string, batch: BufferReader, bounds: RowBounds, indexType: ArrowType, values: IngestRows | undefined,
): IngestRows {
  if (indexType.kind !== 'int') return refuse(path, 'its indices are no integers')
  const [rowCount, validity] = batch.head(path, bounds)
  const { bits } = indexType
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) refuse(path, `indices of ${bits} bits are not supported`)
  const bytes = batch.bytes(path, rowCount * bits / 8)
  if (rowCount > 0 && values === undefined) return refuse(path, 'its dictionary has not come')
  const indices = new Int32Array(rowCount)
  const at = indexAt(bytes, bits, indexType.signed, rowCount)
  const valueCount = values?.rowCount ?? 0
  for (let i = 0; i < rowCount; i++) {
    if (validity !== null && !isSet(validity, i)) continue
    const index = at(i)
    if (index < 0 || index >= valueCount) refuse(path, `row ${i} has index ${index} of ${valueCount} values`)
    indices[i] = index
  }
  return new DictionaryRows(rowCount, withNulls(validity, indices, values), indices, values ?? new NullRows(0))
}

/** An index out of every range for 64 bits that do not fit. */
function indexAt(bytes: Uint8Array, bits: 8 | 16 | 32 | 64, signed: boolean, count: number): (i: number) => number {
  const { buffer, byteOffset } = bytes
  switch (bits) {
    case 8: return signed ? i => (bytes[i] ?? 0) << 24 >> 24 : i => bytes[i] ?? 0
    case 16: {
      const values = signed ? new Int16Array(buffer, byteOffset, count) : new Uint16Array(buffer, byteOffset, count)
      return i => values[i] ?? 0
    }
    case 32: {
      const values = signed ? new Int32Array(buffer, byteOffset, count) : new Uint32Array(buffer, byteOffset, count)
      return i => values[i] ?? 0
    }
    case 64: {
      const words = new Uint32Array(buffer, byteOffset, count * 2)
      return i => (words[i * 2 + 1] === 0 ? words[i * 2] ?? 0 : -1)
    }
  }
}

/** NULL is what has no index, and what the dictionary says is NULL. */
function withNulls(validity: Validity, indices: Int32Array, values: IngestRows | undefined): Validity {
  if (values === undefined || values.validity === null) return validity
  const bits = new Uint8Array((indices.length + 7) >> 3)
  indices.forEach((index, i) => {
    if ((validity === null || isSet(validity, i)) && !values.isNull(index)) {
      bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7))
    }
  })
  return bits
}
