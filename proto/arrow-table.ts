/**
 * Small tables as Arrow messages: the metadata results of Flight SQL, whose schemas clients compare to the letter.
 * Values are plain JavaScript; nothing here is for results of queries.
 */

import {
  Binary, Bool, type Data, type DataType, DenseUnion, Field, Int32, Int64, List, makeData, Map_, RecordBatch, Schema,
  Struct, Table, tableToIPC, Uint32, Uint8, Utf8, vectorFromArray,
} from 'apache-arrow'
import { Message } from 'apache-arrow/ipc/metadata/message'
import { readStream } from './arrow-stream.ts'
import type { RawFlightData } from './flight-data.ts'

/** Value of one Flight SQL information: the member says which child of the union holds it. */
export type InfoValue =
  | { readonly text: string }
  | { readonly flag: boolean }
  | { readonly int64: bigint }
  | { readonly mask: number }
  | { readonly texts: readonly string[] }
  | { readonly map: ReadonlyMap<number, readonly number[]> }

interface ColumnValues {
  readonly utf8: string | null
  readonly int32: number | null
  readonly uint32: number
  readonly uint8: number
  readonly int64: bigint
  readonly bool: boolean | null
  readonly binary: Uint8Array
  readonly texts: readonly string[] | null
  readonly info: InfoValue
}

/** A column of one of the types that metadata needs. */
export type SmallColumn = {
  readonly [Kind in keyof ColumnValues]: {
    readonly name: string
    readonly kind: Kind
    readonly nullable: boolean
    readonly values: readonly ColumnValues[Kind][]
  }
}[keyof ColumnValues]

/** The schema message of such a table; the values may be left empty. */
export function smallSchemaMessage(columns: readonly SmallColumn[]): Uint8Array {
  return Message.encode(Message.from(schemaOf(columns)))
}

/** The messages of the table, the schema first. */
export async function* smallTableMessages(columns: readonly SmallColumn[]): AsyncGenerator<RawFlightData> {
  const schema = schemaOf(columns)
  const length = columns[0]?.values.length ?? 0
  const children = columns.map(column => column.kind === 'info' ? infoData(column.values) : plainData(column))
  const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children })
  yield* readStream(once(tableToIPC(new Table(schema, [new RecordBatch(schema, data)]), 'stream')))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function schemaOf(columns: readonly SmallColumn[]): Schema {
  return new Schema(columns.map(({ name, kind, nullable }) => new Field(name, typeOf(kind), nullable)))
}

function typeOf(kind: keyof ColumnValues): DataType {
  switch (kind) {
    case 'utf8': return new Utf8()
    case 'int32': return new Int32()
    case 'uint32': return new Uint32()
    case 'uint8': return new Uint8()
    case 'int64': return new Int64()
    case 'bool': return new Bool()
    case 'binary': return new Binary()
    case 'texts': return new List(new Field('item', new Utf8(), false))
    case 'info': return infoUnion
  }
}

function plainData({ kind, values }: SmallColumn): Data {
  return dataOf(values, typeOf(kind))
}

function dataOf(values: readonly unknown[], type: DataType): Data {
  const [data] = vectorFromArray(values as unknown[], type).data
  return data ?? makeData({ type: type as Utf8, length: 0 })
}

const bitmaskMap = new Map_(new Field('entries', new Struct<{ key: Int32; value: List<Int32> }>([
  new Field('key', new Int32(), false),
  new Field('value', new List(new Field('item', new Int32(), true)), true),
]), false), false)

/** The union of CommandGetSqlInfo, with type ids 0 to 5. */
const infoFields = [
  new Field('string_value', new Utf8(), false),
  new Field('bool_value', new Bool(), false),
  new Field('bigint_value', new Int64(), false),
  new Field('int32_bitmask', new Int32(), false),
  new Field('string_list', new List(new Field('item', new Utf8(), true)), false),
  new Field('int32_to_int32_list_map', bitmaskMap, false),
]
const infoUnion = new DenseUnion(infoFields.map((_, i) => i), infoFields)

function infoData(values: readonly InfoValue[]): Data {
  const members: unknown[][] = infoFields.map(() => [])
  const typeIds = new Int8Array(values.length)
  const valueOffsets = new Int32Array(values.length)
  for (const [row, value] of values.entries()) {
    const [id, plain] = memberOf(value)
    typeIds[row] = id
    valueOffsets[row] = (members[id]?.push(plain) ?? 1) - 1
  }
  const children = infoFields.map((field, i) => dataOf(members[i] ?? [], field.type))
  return makeData({ type: infoUnion, length: values.length, nullCount: 0, typeIds, valueOffsets, children })
}

function memberOf(value: InfoValue): [number, unknown] {
  if ('text' in value) return [0, value.text]
  if ('flag' in value) return [1, value.flag]
  if ('int64' in value) return [2, value.int64]
  if ('mask' in value) return [3, value.mask]
  return 'texts' in value ? [4, value.texts] : [5, new Map([...value.map].map(([key, list]) => [key, [...list]]))]
}
