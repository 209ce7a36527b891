/** Record batches whose buffers are compressed, when that was asked for. zstd is Node's own, where it has it. */

import zlib from 'node:zlib'
import { compressionRegistry, CompressionType } from 'apache-arrow'
import { Message } from 'apache-arrow/ipc/metadata/message'
import t, { type Test } from 'tap'
import { wireCompression, type Compression } from '../../proto/compression.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { lz4Decoded } from '../proto/lz4-decoder.ts'
import { toTable } from './arrow-text.ts'
import { openWorkbench } from './workbench.ts'

const { zstdDecompressSync }: typeof zlib & { readonly zstdDecompressSync?: (bytes: Uint8Array) => Buffer } = zlib

const columns = [
  { name: 'i', type: 'BIGINT' }, { name: 'text', type: 'VARCHAR' }, { name: 'chance', type: 'UUID' },
  { name: 'list', type: 'INTEGER[]' }, { name: 'nothing', type: 'VARCHAR' },
]
const sql = `SELECT i, CASE WHEN i%7>0 THEN 'some text ' || i%50 END, md5(i::VARCHAR)::UUID,
  CASE WHEN i%3>0 THEN [i%4, i%3]::INTEGER[] END, NULL::VARCHAR FROM range(30000) t(i) ORDER BY i`

function decoded(codec: number, bytes: Uint8Array, byteCount: number): Uint8Array {
  if (codec === CompressionType.LZ4_FRAME) return lz4Decoded(bytes, byteCount)
  return zstdDecompressSync?.(bytes) ?? new Uint8Array(0)
}

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
    const content = byteCount === -1 ? bytes.subarray(8) : decoded(compression.type, bytes.subarray(8), byteCount)
    return Buffer.from(content).toString('hex')
  })
  return { codec: compression?.type, contents }
}

const bytesOf = (frames: readonly RawFlightData[]) => frames.reduce((sum, { dataBody }) => sum + dataBody.length, 0)

t.test('buffers of record batches', async t => {
  const bench = await openWorkbench(t)
  const made = (compression: Compression) => bench.result({
    sql, output: { case: 'result', value: { columns, compression: wireCompression(compression) } }, preserveOrder: true,
  })
  const { frames: plain } = await made('none')
  t.strictSame(new Set(plain.slice(1).map(frame => buffersOf(frame).codec)), new Set([undefined]))

  const holdsTheSame = (t: Test, frames: readonly RawFlightData[], codec: CompressionType) => {
    const [before, after] = [plain.slice(1), frames.slice(1)]
    t.ok(before.length > 1)
    t.strictSame(before.map(frame => buffersOf(frame).contents), after.map(frame => buffersOf(frame).contents))
    t.strictSame(new Set(after.map(frame => buffersOf(frame).codec)), new Set([codec]))
    t.ok(bytesOf(after) < 0.6 * bytesOf(before), `${bytesOf(after)} of ${bytesOf(before)} bytes`)
  }

  await t.test('are LZ4 frames, or as they were, and hold the same', async t => {
    const { outcome, frames } = await made('lz4')
    t.match(outcome, { kind: 'succeeded' })
    holdsTheSame(t, frames, CompressionType.LZ4_FRAME)
  })

  await t.test('are zstd frames that apache-arrow reads, or refused by a Node that has none', async t => {
    const { outcome, frames } = await made('zstd')
    if (zstdDecompressSync === undefined) {
      const message = `compression zstd needs Node 22.15 or newer, this is Node ${process.versions.node}`
      t.match(outcome, { kind: 'failed', cause: { code: 'UNSUPPORTED_STATEMENT', message: new RegExp(message) } })
      return
    }
    t.match(outcome, { kind: 'succeeded' })
    holdsTheSame(t, frames, CompressionType.ZSTD)
    compressionRegistry.set(CompressionType.ZSTD, { decode: zstdDecompressSync })
    t.strictSame(toTable(frames).toArray().map(String), toTable(plain).toArray().map(String))
  })
})
