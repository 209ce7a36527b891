/** The message around a record batch, read back by apache-arrow's own reader of flatbuffers. */

import { Message, type RecordBatch } from 'apache-arrow/ipc/metadata/message'
import t from 'tap'
import { layoutBatch } from '../../proto/arrow-batch.ts'

t.test('every count and place is read back, for any number of columns', async t => {
  for (const [nodeCount, bufferCount] of [[0, 0], [1, 0], [1, 2], [2, 5], [100, 220]] as const) {
    const nodes = Array.from({ length: nodeCount }, (_, i) => ({ rowCount: 1000 + i, nullCount: i }))
    const bytes = Array.from({ length: bufferCount }, (_, i) => i * 13)
    const { header, offsets, bodyBytes } = layoutBatch(1000, nodes, bytes)
    const message = Message.decode(header)
    const batch = message.header() as RecordBatch
    t.strictSame([message.isRecordBatch(), message.version, message.bodyLength], [true, 4, bodyBytes])
    t.strictSame([batch.length, batch.compression], [1000, null])
    t.strictSame(batch.nodes.map(({ length, nullCount }) => ({ rowCount: length, nullCount })), nodes)
    t.strictSame(batch.buffers.map(({ offset }) => offset), offsets)
    t.strictSame(batch.buffers.map(({ length }) => length), bytes)
  }
})

t.test('numbers beyond 32 bits keep their high word', async t => {
  const rowCount = 2 ** 40 + 5
  const batch = Message.decode(layoutBatch(rowCount, [{ rowCount, nullCount: 0 }], [0]).header).header() as RecordBatch
  t.strictSame([batch.length, batch.nodes[0]?.length], [rowCount, rowCount])
})

t.test('the codec is told', async t => {
  for (const [compression, type] of [['lz4', 0], ['zstd', 1]] as const) {
    const batch = Message.decode(layoutBatch(1, [], [8], compression).header).header() as RecordBatch
    t.strictSame([batch.compression?.type, batch.compression?.method], [type, 0])
  }
})
