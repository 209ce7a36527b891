/** The header of an Arrow record batch, made from the sizes of its buffers; the caller lays them out as it says. */

import { BufferRegion, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message'

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
  rowCount: number, nodes: readonly BatchNode[], bufferBytes: readonly number[],
): BatchLayout {
  const offsets: number[] = []
  let bodyBytes = 0
  for (const bytes of bufferBytes) {
    offsets.push(bodyBytes)
    bodyBytes += (bytes + 7) & ~7
  }
  const regions = bufferBytes.map((bytes, i) => new BufferRegion(offsets[i] ?? 0, bytes))
  const fields = nodes.map(node => new FieldNode(node.rowCount, node.nullCount))
  const batch = new RecordBatch(rowCount, fields, regions, null)
  return { header: Message.encode(Message.from(batch, bodyBytes)), offsets, bodyBytes }
}
