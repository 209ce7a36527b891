/** The header of an Arrow record batch, made from the sizes of its buffers; the caller lays them out as it says. */

import { BufferRegion, DictionaryBatch, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message'
import { batchMessage, type BatchNode } from './batch-message.ts'
import type { Compression } from './compression.ts'
import type { RawFlightData } from './flight-data.ts'

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
  const { offsets, bodyBytes } = layout(bufferBytes)
  return { header: batchMessage(rowCount, nodes, offsets, bufferBytes, bodyBytes, compression), offsets, bodyBytes }
}

/** The message that gives dictionary `id` its values, as Utf8. */
export function dictionaryMessage(id: number, values: readonly string[]): RawFlightData {
  const texts = values.map(value => Buffer.from(value))
  const ends = new Int32Array(values.length + 1)
  for (const [i, text] of texts.entries()) ends[i + 1] = (ends[i] ?? 0) + text.length
  const bytes = Buffer.concat(texts)
  const bufferBytes = [0, ends.byteLength, bytes.length]
  const { offsets, bodyBytes } = layout(bufferBytes)
  const dataBody = new Uint8Array(bodyBytes)
  dataBody.set(new Uint8Array(ends.buffer), offsets[1])
  dataBody.set(bytes, offsets[2])
  const regions = bufferBytes.map((length, i) => new BufferRegion(offsets[i] ?? 0, length))
  const batch = new RecordBatch(values.length, [new FieldNode(values.length, 0)], regions, null)
  return { dataHeader: Message.encode(Message.from(new DictionaryBatch(batch, id), bodyBytes)), dataBody }
}

function layout(bufferBytes: readonly number[]): { offsets: readonly number[]; bodyBytes: number } {
  const offsets: number[] = []
  let bodyBytes = 0
  for (const bytes of bufferBytes) {
    offsets.push(bodyBytes)
    bodyBytes += (bytes + 7) & ~7
  }
  return { offsets, bodyBytes }
}
