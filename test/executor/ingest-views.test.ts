/** Columns of views that a client must not send are refused with their reason; what is legal is kept as it is shown. */

import {
  BinaryView, Decimal, Field, List, makeData, RecordBatch, Schema, Struct, Table, tableToIPC, Utf8, Utf8View,
  type Data,
} from 'apache-arrow'
import t from 'tap'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { views } from './ingest-streams.ts'
import { column, ingest, messagesOf, openConnection } from './ingest-workbench.ts'

const LONG = 'a text of more than twelve bytes'
const MEBI = 1024 * 1024

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
/** The first four bytes as a view has them. */
const prefix = (text: string): number => bytes(text).readInt32LE()

/** Of views with these words: length, prefix, buffer, offset. */
function viewColumn(
  rows: readonly (readonly number[])[], buffers: readonly Uint8Array[] = [bytes(LONG)],
  type: Utf8View | BinaryView = new Utf8View(), valid = 255,
): Data {
  const words = Int32Array.from(rows.flatMap(row => [...row, 0, 0, 0].slice(0, 4)))
  const isNull = (_: unknown, i: number): boolean => (valid >> i & 1) === 0
  return makeData({
    type: type as Utf8View, length: rows.length, nullCount: rows.filter(isNull).length,
    ...valid === 255 ? {} : { nullBitmap: Uint8Array.of(valid) },
    views: new Uint8Array(words.buffer), variadicBuffers: buffers.map(buffer => Uint8Array.from(buffer)),
  })
}

async function stream(data: Data): Promise<RawFlightData[]> {
  const fields = [new Field('x', data.type, true)]
  const rows = makeData({ type: new Struct(fields), length: data.length, nullCount: 0, children: [data] })
  const schema = new Schema(fields)
  return messagesOf(tableToIPC(new Table(schema, [new RecordBatch(schema, rows)]), 'stream'))
}

/** The schema of one stream and the batches of another. */
async function mixed(schema: Data, batches: Data): Promise<RawFlightData[]> {
  return [...(await stream(schema)).slice(0, 1), ...(await stream(batches)).slice(1)]
}

/** Seven buffers, of which the batch tells another number. */
async function counted(count: bigint): Promise<RawFlightData[]> {
  const sent = await stream(viewColumn([[13, prefix(LONG), 6]], Array.from({ length: 7 }, () => bytes(LONG))))
  return sent.map(({ dataHeader, dataBody }, i) => {
    const header = Buffer.from(dataHeader)
    const at = header.lastIndexOf(Buffer.from(BigInt64Array.of(7n).buffer))
    if (i === 1) header.writeBigInt64LE(count, at)
    return { dataHeader: header, dataBody }
  })
}

const million = Buffer.alloc(MEBI, 'x')
const accented = `${'x'.repeat(14)}\xc3\xa9${'x'.repeat(14)}`
/** 16 bytes of values that have no buffers besides, and claim to be so many. */
const values128 = (length: number): Data =>
  makeData({ type: new Decimal(0, 9, 128), length, nullCount: 0, data: new Uint32Array(4) })
const noText = makeData({ type: new Utf8(), length: 0, nullCount: 0, valueOffsets: new Int32Array(1), data: bytes('') })

const refused: Readonly<Record<string, readonly [Promise<RawFlightData[]>, RegExp]>> = {
  'a negative length': [stream(viewColumn([[0], [-1]])), /"x": row 1 has the negative length -1/],
  'bytes after the end of a short one': [
    stream(viewColumn([[1, 0x6161]])), /row 0 has other bytes than zeros after its 1/,
  ],
  'a last byte that is not its own': [stream(viewColumn([[11, 0, 0, 1 << 24]])), /other bytes than zeros after its 11/],
  'a buffer that is not there': [stream(viewColumn([[13, prefix(LONG), 1]])), /row 0 is in buffer 1 of 1/],
  'a buffer before the first': [stream(viewColumn([[13, prefix(LONG), -1]])), /row 0 is in buffer -1 of 1/],
  'no buffer at all': [stream(viewColumn([[13, prefix(LONG), 0]], [])), /row 0 is in buffer 0 of 0/],
  'an end behind the buffer': [stream(viewColumn([[13, prefix('than'), 0, 20]])), /row 0 lies outside its buffer/],
  'a length beyond all': [stream(viewColumn([[0x7fffffff, prefix(LONG), 0, 0x7fffffff]])), /lies outside its buffer/],
  'a negative offset': [stream(viewColumn([[13, prefix(LONG), 0, -4]])), /row 0 lies outside its buffer/],
  'another beginning': [stream(viewColumn([[13, prefix('a t!')]])), /row 0 begins otherwise than its view says/],
  'views that are too few': [mixed(viewColumn([[0]]), values128(9)), /its values are too short: 16 bytes, not 144/],
  'a short one that is not UTF-8': [stream(viewColumn([[2, 0xffc3]])), /row 0 is not valid UTF-8/],
  'a long one that is not UTF-8': [
    stream(viewColumn([[13, prefix(LONG)], [14, prefix('abcd'), 1]], [bytes(LONG), bytes(`abcd${'\xff'.repeat(10)}`)])),
    /row 1 is not valid UTF-8/,
  ],
  'one that ends inside a character': [
    stream(viewColumn([[15, prefix('xxxx')]], [bytes(accented)])), /row 0 is not valid UTF-8/,
  ],
  'one that begins inside a character': [
    stream(viewColumn([[15, prefix('\xa9xxx'), 0, 15]], [bytes(accented)])), /row 0 is not valid UTF-8/,
  ],
  'the same bytes more often than a batch may show': [
    stream(viewColumn(Array.from({ length: 1025 }, () => [MEBI, prefix('xxxx')]), [million])),
    /the views of a batch show more than 1073741824 bytes/,
  ],
  'no number of buffers': [mixed(viewColumn([[0]]), values128(1)), /the number of its buffers is missing/],
  'fewer buffers than are there': [counted(6n), /row 0 is in buffer 6 of 6/],
  'more buffers than are there': [counted(8n), /one of its buffers is missing/],
  'more buffers than can be counted': [counted(2n ** 40n), /one of its buffers is missing/],
  'a negative number of buffers': [counted(-1n), /a size of -1/],
  'numbers of buffers without a column of views': [mixed(noText, viewColumn([])), /1 columns of views, not 0/],
}

t.test('malformed views', async t => {
  const connection = await openConnection(t)
  for (const [what, [messages, message]] of Object.entries(refused)) {
    const error = await ingest(connection, 'target', await messages).then(() => null, (thrown: unknown) => thrown)
    t.match(error, { code: 'INVALID_REQUEST', message }, what)
  }
  await t.rejects(connection.run('FROM target'), /does not exist/, 'and nothing is left')
})

t.test('views in every form that is legal', async t => {
  const connection = await openConnection(t)
  const list = makeData({
    type: new List(new Field('item', new Utf8View(), true)), length: 2, nullCount: 1, nullBitmap: Uint8Array.of(1),
    valueOffsets: Int32Array.of(0, 3, 4), child: views(new Utf8View(), [LONG, null, '', LONG]),
  } as never)
  const taken: Readonly<Record<string, readonly [Data, readonly (string | null)[]]>> = {
    'short, long, empty and NULL': [
      views(new Utf8View(), ['', 'of twelve by', 'of thirteen b', null, '日本語', `${LONG} 🦆`]),
      ['', 'of twelve by', 'of thirteen b', null, '日本語', `${LONG} 🦆`],
    ],
    'bytes': [views(new BinaryView(), ['a', null, LONG]), ['a', null, LONG]],
    'bytes that are no text': [
      viewColumn([[2, 0xffc3], [13, prefix('\xff\xff\xff\xff')]], [bytes('\xff'.repeat(13))], new BinaryView()),
      ['\\xC3\\xFF', '\\xFF'.repeat(13)],
    ],
    'whatever stands under a NULL': [
      viewColumn([[-1, 0, 7, -7], [1, 0x62], [2, 0xffc3], [99, 1, 1, 1]], [bytes(LONG)], new Utf8View(), 2),
      [null, 'b', null, null],
    ],
    'bytes shown twice, in parts and out of order': [
      viewColumn([[20, prefix('text'), 0, 2], [32, prefix(LONG)], [20, prefix('text'), 0, 2]]),
      [LONG.slice(2, 22), LONG, LONG.slice(2, 22)],
    ],
    'bytes that nobody shows and that are no text': [
      viewColumn([[13, prefix(LONG)], [14, prefix('xxxx'), 1]], [bytes(`${LONG}\xff`), bytes(accented)]),
      [LONG.slice(0, 13), `${'x'.repeat(14)}`],
    ],
    'in a list': [list, [`[${LONG}, NULL, '']`, null]],
  }
  for (const [what, [data, values]] of Object.entries(taken)) {
    await ingest(connection, 'target', await stream(data))
    t.strictSame(await column(connection, 'SELECT x::VARCHAR FROM target'), values, what)
    await connection.run('DROP TABLE target')
  }
})
