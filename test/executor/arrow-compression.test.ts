/** Record batches whose buffers are compressed, when that was asked for. */

import { Message } from 'apache-arrow/ipc/metadata/message'
import t from 'tap'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { lz4Decoded } from '../proto/lz4-decoder.ts'
import { openWorkbench } from './workbench.ts'

/** The buffers of a batch, decompressed, and its codec. */
function buffersOf({ dataHeader, dataBody }: RawFlightData) {
  const header = Message.decode(dataHeader).header()
  const { buffers, compression } = header as unknown as {
    readonly buffers: readonly { readonly offset: number | bigint; readonly length: number | bigint }[]
    readonly compression: { readonly type: number; readonly method: number } | null
  }
  const contents = buffers.map(({ offset, length }) => {
    const bytes = Buffer.from(dataBody).subarray(Number(offset), Number(offset) + Number(length))
    if (compression === null || bytes.length === 0) return bytes.toString('hex')
    const byteCount = Number(bytes.readBigInt64LE())
    return (byteCount === -1 ? bytes.subarray(8) : lz4Decoded(bytes.subarray(8), byteCount)).toString('hex')
  })
  return { codec: compression?.type, contents }
}

t.test('its buffers are LZ4 frames, or as they were, and hold the same', async t => {
  const bench = await openWorkbench(t)
  const columns = [
    { name: 'i', type: 'BIGINT' }, { name: 'text', type: 'VARCHAR' }, { name: 'chance', type: 'UUID' },
    { name: 'list', type: 'INTEGER[]' }, { name: 'nothing', type: 'VARCHAR' },
  ]
  const sql = `SELECT i, CASE WHEN i%7>0 THEN 'some text ' || i%50 END, md5(i::VARCHAR)::UUID,
    CASE WHEN i%3>0 THEN [i%4, i%3]::INTEGER[] END, NULL::VARCHAR FROM range(30000) t(i) ORDER BY i`
  const made = async (compressLz4: boolean) => {
    const { outcome, frames } = await bench.result({
      sql, output: { case: 'result', value: { columns, compressLz4 } }, preserveOrder: true,
    })
    t.match(outcome, { kind: 'succeeded' })
    return frames.slice(1)
  }
  const [plain, small] = [await made(false), await made(true)]
  t.ok(plain.length > 1)
  t.strictSame(plain.map(frame => buffersOf(frame).contents), small.map(frame => buffersOf(frame).contents))
  t.strictSame(new Set(small.map(frame => buffersOf(frame).codec)), new Set([0]))
  const bytes = (frames: readonly RawFlightData[]) => frames.reduce((sum, { dataBody }) => sum + dataBody.length, 0)
  t.ok(bytes(small) < 0.6 * bytes(plain), `${bytes(small)} of ${bytes(plain)} bytes`)
})
