/** Small Arrow streams of every type that is taken: from DuckDB by our encoder, and from apache-arrow. */

import {
  Binary, BinaryView, type Data, DateMillisecond, Dictionary, type Duration, DurationMicrosecond, DurationNanosecond,
  Field, FixedSizeBinary, Int16, Int32, Int64, Int8, IntervalDayTime, IntervalYearMonth, LargeBinary, LargeUtf8, List,
  makeData, makeVector, RecordBatch, Schema, Struct, Table, tableToIPC, TimeMillisecond, TimeSecond,
  TimestampMillisecond, TimestampNanosecond, TimestampSecond, Utf8, Utf8View, vectorFromArray, type DataType,
  type Vector,
} from 'apache-arrow'
import type { DuckConnection } from '../../executor/instances.ts'
import type { RawFlightData } from '../../proto/flight-data.ts'
import { typeCases, valuesSql } from './arrow-types.ts'
import { encoded, messagesOf } from './ingest-workbench.ts'

/** Columns of one stream: few, so that damage meets what matters. */
const COLUMNS = 4

export interface Stream {
  readonly name: string
  readonly messages: readonly RawFlightData[]
}

export async function duckStreams(connection: DuckConnection, rows: number): Promise<Stream[]> {
  const cases = typeCases.filter(({ type }) => type !== 'HUGEINT')
  const streams: Stream[] = []
  for (let i = 0; i < cases.length; i += COLUMNS) {
    const some = cases.slice(i, i + COLUMNS)
    await connection.run(`CREATE OR REPLACE TEMP TABLE source AS ${valuesSql(some, rows, i % 8 === 0)}`)
    const columns = some.map(({ name, type }) => ({ name, type }))
    const messages = await encoded(connection, 'source', columns)
    streams.push({ name: some.map(({ type }) => type).join(' '), messages })
  }
  return streams
}

function words(rows: number, word: (i: number) => string | null): (string | null)[] {
  return Array.from({ length: rows }, (_, i) => word(i))
}

function int64s(type: DataType, rows: number, value: (i: number) => number): Data {
  const data = BigInt64Array.from({ length: rows }, (_, i) => BigInt(value(i)))
  return makeData({ type: type as Int64, length: rows, nullCount: 0, data })
}

function int32s(type: DataType, rows: number, value: (i: number) => number, perRow = 1): Data {
  const data = Int32Array.from({ length: rows * perRow }, (_, i) => value(i))
  return makeData({ type: type as Int32, length: rows, nullCount: 0, data })
}

function large(type: LargeUtf8 | LargeBinary, texts: readonly string[]): Data {
  const bytes = texts.map(text => Buffer.from(text))
  let end = 0n
  const valueOffsets = BigInt64Array.from([0n, ...bytes.map(({ length }) => end += BigInt(length))])
  const data = Buffer.concat(bytes)
  return makeData({ type: type as LargeUtf8, length: texts.length, nullCount: 0, valueOffsets, data })
}

/** The long ones by turns in two buffers, and equal ones once. */
export function views(type: Utf8View | BinaryView, texts: readonly (string | null)[]): Data {
  const out = new DataView(new ArrayBuffer(texts.length * 16))
  const nullBitmap = new Uint8Array((texts.length + 7) >> 3)
  const buffers: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)]
  texts.forEach((text, row) => {
    if (text === null) return
    nullBitmap[row >> 3] = (nullBitmap[row >> 3] ?? 0) | (1 << (row & 7))
    const bytes = Buffer.from(text)
    out.setInt32(row * 16, bytes.length, true)
    bytes.subarray(0, bytes.length > 12 ? 4 : 12).forEach((byte, i) => out.setUint8(row * 16 + 4 + i, byte))
    if (bytes.length <= 12) return
    const index = row % 2 === 0 ? 0 : 1
    if (!buffers[index].includes(bytes)) buffers[index] = Buffer.concat([buffers[index], bytes])
    out.setInt32(row * 16 + 8, index, true)
    out.setInt32(row * 16 + 12, buffers[index].indexOf(bytes), true)
  })
  const nullCount = texts.filter(text => text === null).length
  return makeData({
    type: type as Utf8View, length: texts.length, nullCount, ...nullCount > 0 ? { nullBitmap } : {},
    views: new Uint8Array(out.buffer), variadicBuffers: buffers,
  })
}

/** What DuckDB's own types never make. */
export async function foreignStreams(rows: number): Promise<Stream[]> {
  const colours = ['red', 'a colour of many letters', 'blue', 'ünï']
  const names = words(rows, i => i % 5 === 3 ? null : colours[i % 4] ?? null)
  const plain = names.map(name => name ?? '')
  const inner = vectorFromArray(names, new Dictionary(new Utf8(), new Int8(), 7)).data[0]
  const columns: Readonly<Record<string, Readonly<Record<string, Data | Vector | undefined>>>> = {
    dictionaries: {
      small: vectorFromArray(names, new Dictionary(new Utf8(), new Int8(), 1)),
      wide: vectorFromArray(names, new Dictionary(new Utf8(), new Int32(), 2)),
      numbers: vectorFromArray(plain.map((_, i) => BigInt(i % 3)), new Dictionary(new Int64(), new Int16(), 3)),
    },
    nested: {
      list: inner && makeData({
        type: new List(new Field('item', inner.type, true)), length: rows, nullCount: 0, child: inner,
        valueOffsets: Int32Array.from({ length: rows + 1 }, (_, i) => i),
      }),
      struct: inner && makeData({
        type: new Struct([new Field('e', inner.type, true)]), length: rows, nullCount: 0, children: [inner],
      }),
    },
    large: { text: large(new LargeUtf8(), plain), bytes: large(new LargeBinary(), plain) },
    times: {
      seconds: int32s(new TimeSecond(), rows, i => i * 800),
      millis: int32s(new TimeMillisecond(), rows, i => i * 799_999),
      day: int64s(new DateMillisecond(), rows, i => i * 86_400_000 * 200),
    },
    moments: {
      s: int64s(new TimestampSecond('UTC'), rows, i => i * 1e9),
      ms: int64s(new TimestampMillisecond('UTC'), rows, i => i * 1e9),
      ns: int64s(new TimestampNanosecond('Europe/Paris'), rows, i => i * 1000),
    },
    spans: {
      months: int32s(new IntervalYearMonth(), rows, i => i - 5),
      days: int32s(new IntervalDayTime(), rows, i => i * 7, 2),
      us: int64s(new DurationMicrosecond() as Duration, rows, i => i * 12345),
      ns: int64s(new DurationNanosecond() as Duration, rows, i => i * 1000),
    },
    views: {
      text: views(new Utf8View(), names),
      bytes: views(new BinaryView(), plain),
      list: makeData({
        type: new List(new Field('item', new Utf8View(), true)), length: rows, nullCount: 0,
        child: views(new Utf8View(), names), valueOffsets: Int32Array.from({ length: rows + 1 }, (_, i) => i),
      } as never),
      dictionary: makeData({
        type: new Dictionary(new Utf8View(), new Int8(), 9), length: rows, nullCount: 0,
        data: Int8Array.from({ length: rows }, (_, i) => i % 4), dictionary: makeVector(views(new Utf8View(), colours)),
      } as never),
    },
    bytes: {
      five: makeData({
        type: new FixedSizeBinary(5), length: rows, nullCount: 0, data: Buffer.alloc(rows * 5, 'abcdefg'),
      }),
      any: vectorFromArray(plain.map(text => Buffer.from(text)), new Binary()),
    },
  }
  const streams: Stream[] = []
  for (const [name, parts] of Object.entries(columns)) {
    const vectors = Object.entries(parts).map(([field, part]) => {
      if (part === undefined) throw new Error(`no data for ${field}`)
      return [field, 'data' in part ? part : makeVector(part)] as const
    })
    const schema = new Schema(vectors.map(([field, vector]) => new Field(field, vector.type as DataType, true)))
    const children = vectors.flatMap(([, vector]) => vector.data)
    const data = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children })
    const table = new Table(schema, [new RecordBatch(schema, data)])
    streams.push({ name, messages: await messagesOf(tableToIPC(table, 'stream')) })
  }
  return streams
}
