/** The header of an Arrow record batch, made from the sizes of its buffers; the caller lays them out as it says. */

import {
  BodyCompression, BufferRegion, DictionaryBatch, FieldNode, Message, RecordBatch,
} from 'apache-arrow/ipc/metadata/message'
import type { Compression } from './compression.ts'
import type { RawFlightData } from './flight-data.ts'

/** Of Arrow's CompressionType. */
const codecs = { lz4: 0, zstd: 1 } as const

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
  const body = compression === 'none' ? null : new BodyCompression(codecs[compression])
  return { batch: new RecordBatch(rowCount, fields, regions, body), offsets, bodyBytes }
}
