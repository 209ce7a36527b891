/** The header of an Arrow record batch, made from the sizes of its buffers; the caller lays them out as it says. */

import {
  BodyCompression, BufferRegion, DictionaryBatch, FieldNode, Message, RecordBatch,
} from 'apache-arrow/ipc/metadata/message'
import type { RawFlightData } from './flight-data.ts'
import { lz4Frame } from './lz4-frame.ts'

/** Of the buffers of each record batch, by the names of Arrow's format; dictionaries stay as they are. */
export type Compression = 'none' | 'lz4'

/** Of Arrow's CompressionType. */
const LZ4_FRAME = 0
/** Of Arrow's format: before the bytes, how many they were; -1: they are as they were. */
const LENGTH_BYTES = 8

/** A buffer as it lies in a compressed body. */
export function compressed(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes
  const frame = lz4Frame(bytes)
  const content = frame ?? bytes
  const out = Buffer.allocUnsafe(LENGTH_BYTES + content.length)
  out.writeBigInt64LE(frame === null ? -1n : BigInt(bytes.length))
  out.set(content, LENGTH_BYTES)
  return out
}

export interface BatchNode {
  readonly rowCount: number
  readonly nullCount: number
}

export interface BatchLayout {
  /** The Message flatbuffer: `data_header` of a Flight message. */
  readonly header: Uint8Array
  /** Where each buffer starts in the body; multiples of 8, the gaps are zero bytes. */
  readonly offsets: readonly number[]
  readonly bodyBytes: number
}

/** Nodes and buffers in the order of Arrow's format: depth first, a column's own before its children's. */
export function layoutBatch(
  rowCount: number, nodes: readonly BatchNode[], bufferBytes: readonly number[], compression: Compression = 'none',
): BatchLayout {
  const { batch, offsets, bodyBytes } = layout(rowCount, nodes, bufferBytes, compression)
  return { header: Message.encode(Message.from(batch, bodyBytes)), offsets, bodyBytes }
}

/** The message that gives dictionary `id` its values, as Utf8. */
export function dictionaryMessage(id: number, values: readonly string[]): RawFlightData {
  const texts = values.map(value => Buffer.from(value))
  const ends = new Int32Array(values.length + 1)
  for (const [i, text] of texts.entries()) ends[i + 1] = (ends[i] ?? 0) + text.length
  const bytes = Buffer.concat(texts)
  const { batch, offsets, bodyBytes } =
    layout(values.length, [{ rowCount: values.length, nullCount: 0 }], [0, ends.byteLength, bytes.length])
  const dataBody = new Uint8Array(bodyBytes)
  dataBody.set(new Uint8Array(ends.buffer), offsets[1])
  dataBody.set(bytes, offsets[2])
  return { dataHeader: Message.encode(Message.from(new DictionaryBatch(batch, id), bodyBytes)), dataBody }
}

function layout(
  rowCount: number, nodes: readonly BatchNode[], bufferBytes: readonly number[], compression: Compression = 'none',
) {
  const offsets: number[] = []
  let bodyBytes = 0
  for (const bytes of bufferBytes) {
    offsets.push(bodyBytes)
    bodyBytes += (bytes + 7) & ~7
  }
  const regions = bufferBytes.map((bytes, i) => new BufferRegion(offsets[i] ?? 0, bytes))
  const fields = nodes.map(node => new FieldNode(node.rowCount, node.nullCount))
  const body = compression === 'none' ? null : new BodyCompression(LZ4_FRAME)
  return { batch: new RecordBatch(rowCount, fields, regions, body), offsets, bodyBytes }
}
