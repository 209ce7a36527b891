/** What a client must not send: refused with column and reason, and no table is left. Legal oddities are taken. */

import {
  Bool, DateDay, Decimal, Dictionary, Field, FixedSizeList, Int32, Int64, Int8, List, makeData, Map_, RecordBatch,
  Schema, Struct, Table, tableToIPC, TimeMicrosecond, TimestampMicrosecond, TimestampNanosecond, Utf8, vectorFromArray,
  type Data, type DataType,
} from 'apache-arrow'
import t from 'tap'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { column, ingest, messagesOf, openConnection } from './ingest-workbench.ts'

const text = (value: string): Uint8Array => Buffer.from(value, 'latin1')
const list = new List(new Field('item', new Int64(), true))
const entries = new Struct<{ key: Utf8; value: Int64 }>([
  new Field('key', new Utf8(), false), new Field('value', new Int64(), true),
])
const longs = (...values: bigint[]): BigInt64Array => BigInt64Array.from(values)

const thousand = new FixedSizeList(1000, new Field('i', new Int32(), true))
const text40 = { valueOffsets: Int32Array.of(0, 20, 40), data: text(`${'x'.repeat(30)}\xff${'x'.repeat(9)}`) }
const accent = text(`${'x'.repeat(14)}\xc3\xa9${'x'.repeat(14)}`)

/** A stream of one column `x` that apache-arrow would write as it is told. */
async function stream(type: DataType, length: number, parts: object, nullCount = 0): Promise<RawFlightData[]> {
  return streamOf(makeData({ type, length, nullCount, ...parts } as never))
}

/** With another int32 at the start of its body's byte `at`: what apache-arrow would not write. */
async function patched(stream: Promise<RawFlightData[]>, at: number, value: number): Promise<RawFlightData[]> {
  return (await stream).map(({ dataHeader, dataBody }) => {
    const body = Uint8Array.from(dataBody)
    if (body.length > 0) new DataView(body.buffer).setInt32(at, value, true)
    return { dataHeader, dataBody: body }
  })
}

async function streamOf(...columns: Data[]): Promise<RawFlightData[]> {
  const fields = columns.map((data, i) => new Field(i === 0 ? 'x' : `x${i}`, data.type, true))
  const length = columns[0]?.length ?? 0
  const data = makeData({ type: new Struct(fields), length, nullCount: 0, children: columns })
  const schema = new Schema(fields)
  return messagesOf(tableToIPC(new Table(schema, [new RecordBatch(schema, data)]), 'stream'))
}

const mapOf = (keys: Data, offsets: number[]): Promise<RawFlightData[]> => stream(
  new Map_(new Field('entries', entries, false)), offsets.length - 1, {
    valueOffsets: Int32Array.from(offsets),
    child: makeData({
      type: entries, length: keys.length, nullCount: 0,
      children: [keys, makeData({ type: new Int64(), length: keys.length, data: new BigInt64Array(keys.length) })],
    }),
  })
const words = (...values: (string | null)[]): Data => {
  const [data] = vectorFromArray(values, new Utf8()).data
  if (data === undefined) throw new Error('no data')
  return data
}

const refused: Readonly<Record<string, readonly [Promise<RawFlightData[]>, RegExp]>> = {
  'values that are too short': [
    stream(new Int64(), 2000, { data: new BigInt64Array(10) }), /"x": its values are too short/,
  ],
  'bits that are too short': [stream(new Bool(), 2000, { data: new Uint8Array(10) }), /values are too short/],
  'a bitmap that is too short': [
    stream(new Int64(), 2000, { data: new BigInt64Array(2000), nullBitmap: new Uint8Array(8) }, 5),
    /bitmap is too short/,
  ],
  'a wrong count of NULLs': [
    stream(new Int64(), 8, { data: new BigInt64Array(8), nullBitmap: Uint8Array.of(0xf0) }, 3), /4 NULLs .* 3 declared/,
  ],
  'a negative offset': [
    patched(stream(new Utf8(), 2, { valueOffsets: Int32Array.of(0, 0, 3), data: text('abc') }), 0, -8),
    /negative offset -8/,
  ],
  'offsets that decrease': [
    stream(new Utf8(), 3, { valueOffsets: Int32Array.of(0, 30, 10, 40), data: text('x'.repeat(40)) }),
    /decrease at row 1/,
  ],
  'an offset beyond the bytes': [
    stream(new Utf8(), 1, { valueOffsets: Int32Array.of(0, 100_000), data: text('abc') }), /lies beyond its bytes/,
  ],
  'an offset beyond the values of a list': [
    patched(stream(list, 1, {
      valueOffsets: Int32Array.of(0, 2), child: makeData({ type: new Int64(), length: 2, data: new BigInt64Array(2) }),
    }), 4, 100), /"x.item": 2 rows, needed are 100/,
  ],
  'an array with too few values': [
    stream(new FixedSizeList(3, new Field('item', new Int64(), true)), 2, {
      child: makeData({ type: new Int64(), length: 5, data: new BigInt64Array(5) }),
    }), /"x.item": 5 rows, needed are 6/,
  ],
  'text that is not UTF-8': [
    stream(new Utf8(), 2, text40), /row 1 is not valid UTF-8/,
  ],
  'an offset inside a character': [
    stream(new Utf8(), 2, { valueOffsets: Int32Array.of(0, 15, 30), data: accent }), /row 0 is not valid UTF-8/,
  ],
  'a decimal of too many digits': [
    stream(new Decimal(1, 4, 128), 1, { data: Uint32Array.of(65_543, 0, 0, 0) }), /row 0 has more than 4 digits/,
  ],
  'a decimal that is large in its high words': [
    stream(new Decimal(1, 4, 128), 1, { data: Uint32Array.of(7, 0, 0, 1) }), /row 0 has more than 4 digits/,
  ],
  'a decimal with more places than digits': [
    stream(new Decimal(5, 4, 128), 1, { data: new Uint32Array(4) }), /DECIMAL\(4,5\) is not supported/,
  ],
  'a time after its day': [stream(new TimeMicrosecond(), 1, { data: longs(86_400_000_001n) }), /out of range: 8640/],
  'a time that has crashed DuckDB': [stream(new TimeMicrosecond(), 1, { data: longs(2n ** 62n) }), /out of range/],
  'a moment before all years': [stream(new TimestampMicrosecond(), 1, { data: longs(-(2n ** 63n)) }), /out of range/],
  'a date that is none': [stream(new DateDay(), 1, { data: Int32Array.of(-(2 ** 31)) }), /row 0 is out of range/],
  'nanoseconds that a zone cannot keep': [
    stream(new TimestampNanosecond('UTC'), 1, { data: longs(1n) }), /row 0 is 1, which DuckDB's unit cannot hold/,
  ],
  'a key that is NULL': [mapOf(words('a', null), [0, 2]), /row 0 has a key that is NULL/],
  'a key twice': [mapOf(words('b', 'a', 'a'), [0, 1, 3]), /row 1 has a key twice/],
  'an index beyond its dictionary': [
    stream(new Dictionary(new Utf8(), new Int8(), 1), 2, {
      data: Int8Array.of(0, 2), dictionary: vectorFromArray(['a', 'b'], new Utf8()),
    }), /row 1 has index 2 of 2 values/,
  ],
  'an array of arrays that is larger than a row may be': [
    stream(new FixedSizeList(50_000, new Field('item', thousand)), 0, {
      child: makeData({
        type: thousand, length: 0,
        child: makeData({ type: new Int32(), length: 0, data: new Int32Array(0) }),
      }),
    }), /rows of 200000000 bytes, the limit is/,
  ],
  'two columns of one name': [
    messagesOf(tableToIPC(new Table(new Schema([new Field('A', new Int32()), new Field('a', new Int32())])), 'stream')),
    /two fields named "a"/,
  ],
  'no columns': [messagesOf(tableToIPC(new Table(new Schema([])), 'stream')), /a schema without columns/],
}

t.test('malformed columns', async t => {
  const connection = await openConnection(t)
  for (const [what, [messages, message]] of Object.entries(refused)) {
    const error = await ingest(connection, 'target', await messages).then(() => null, (thrown: unknown) => thrown)
    t.match(error, { code: 'INVALID_REQUEST', message }, what)
    await t.rejects(connection.run('FROM target'), /does not exist/, 'and nothing is left')
  }
})

t.test('what is legal, if odd', async t => {
  const connection = await openConnection(t)
  const underNull = { ...text40, nullBitmap: Uint8Array.of(1) }
  const zeros = ['a\0b', 'a longer text with \0 in it']
  const taken: Readonly<Record<string, readonly [Promise<RawFlightData[]>, readonly (string | null)[]]>> = {
    'bytes that are no text under a NULL': [stream(new Utf8(), 2, underNull, 1), ['x'.repeat(20), null]],
    'offsets that begin late': [
      stream(new Utf8(), 2, { valueOffsets: Int32Array.of(3, 4, 30), data: text(`abcd${'e'.repeat(26)}`) }),
      ['d', 'e'.repeat(26)],
    ],
    'a value beyond the digits under a NULL': [
      stream(new Decimal(1, 4, 128), 2, {
        data: Uint32Array.of(7, 0, 0, 1, 15, 0, 0, 0), nullBitmap: Uint8Array.of(2),
      }, 1), [null, '1.5'],
    ],
    'a list under a NULL that has values': [
      stream(list, 3, {
        valueOffsets: Int32Array.of(0, 2, 4, 5), nullBitmap: Uint8Array.of(5),
        child: makeData({ type: new Int64(), length: 6, data: longs(1n, 2n, 3n, 4n, 5n, 6n) }),
      }, 1), ['[1, 2]', null, '[5]'],
    ],
    'fields of a NULL that have values': [
      stream(new Struct([new Field('a', new Int64(), true)]), 2, {
        nullBitmap: Uint8Array.of(2), children: [makeData({ type: new Int64(), length: 2, data: longs(1n, 2n) })],
      }, 1), [null, "{'a': 2}"],
    ],
    'the end of the day': [stream(new TimeMicrosecond(), 1, { data: longs(86_400_000_000n) }), ['24:00:00']],
    'text with the character 0': [streamOf(words(...zeros)), zeros],
  }
  for (const [what, [messages, values]] of Object.entries(taken)) {
    await ingest(connection, 'target', await messages)
    t.strictSame(await column(connection, 'SELECT x::VARCHAR FROM target'), values, what)
    await connection.run('DROP TABLE target')
  }
  await ingest(connection, 'target', await taken['fields of a NULL that have values']?.[0] ?? [])
  t.strictSame(await column(connection, 'SELECT x.a::VARCHAR FROM target'), [null, '2'], 'a field of a NULL is NULL')
})

t.test('a table may be of another size than its vtable says, as Go writes them', async t => {
  const connection = await openConnection(t)
  const messages = (await streamOf(words('a', 'b'), words('b', null))).map(({ dataHeader, dataBody }) => {
    const view = new DataView(Uint8Array.from(dataHeader).buffer)
    const root = view.getUint32(0, true)
    view.setUint16(root - view.getInt32(root, true) + 2, 4, true)
    return { dataHeader: new Uint8Array(view.buffer), dataBody }
  })
  await ingest(connection, 'target', messages)
  t.strictSame(await column(connection, 'SELECT x || x1 FROM target'), ['ab', null])
})

t.test('messages out of order', async t => {
  const connection = await openConnection(t)
  const [schema, batch] = await streamOf(words('a'))
  if (schema === undefined || batch === undefined) throw new Error('no messages')
  const failing = async (messages: RawFlightData[], message: RegExp): Promise<void> => {
    await t.rejects(ingest(connection, 'target', messages), { code: 'INVALID_REQUEST', message })
  }
  await failing([], /no message came/)
  await failing([batch], /the first message must be a schema/)
  await failing([schema, schema], /a second schema/)
  await failing([schema, { ...batch, dataBody: batch.dataBody.subarray(0, 8) }], /a body of 8 bytes, not/)
  await failing([schema, { ...batch, dataHeader: batch.dataHeader.subarray(0, 9) }], /metadata points outside itself/)
})
