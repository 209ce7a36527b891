/**
 * DuckDB's types as Arrow's: the schema of a result is a function of the column names and DuckDB types of its plan, so
 * coordinator and executor make the same one apart from each other, before and after execution. Types for which Arrow
 * has no form travel as text: `arrowForm` says what a column must be cast to in SQL before it is encoded.
 */

// not from the package's root: its builders and tables take longer to load than all of this
import { Field, Schema } from 'apache-arrow/schema'
import {
  Binary, Bool, DateDay, Decimal, Dictionary, FixedSizeBinary, FixedSizeList, Float32, Float64, Int16, Int32, Int64,
  Int8, IntervalMonthDayNano, List, Map_, Null, Struct, TimeMicrosecond, TimeNanosecond, TimestampMicrosecond,
  TimestampMillisecond, TimestampNanosecond, TimestampSecond, Uint16, Uint32, Uint64, Uint8, Utf8, type DataType,
} from 'apache-arrow/type'
import { Message } from 'apache-arrow/ipc/metadata/message'
import { extensionMetadata } from './arrow-extension.ts'
import { resultMetadata, tableMetadata, type ColumnPlace } from './arrow-driver-metadata.ts'
import { unreachable } from './errors.ts'
import { knownDuckType, type DuckField, type DuckType, type ScalarName } from './types.ts'

/** Key of a field's metadata that holds DuckDB's own text of the column's type. */
export const TYPE_METADATA = 'skein.type'

export interface ResultColumn {
  readonly name: string
  /** DuckDB's text of the type. */
  readonly type: string
}

/** How ENUM columns travel: as text, which every client reads, or as an Arrow dictionary, which is small. */
export type EnumForm = 'text' | 'dictionary'

const TEXT: DuckType = { kind: 'scalar', name: 'VARCHAR' }
/** A dictionary is one message; an ENUM with more text than this travels as text. */
const MAX_DICTIONARY_BYTES = 1024 * 1024
/** An ENUM's text lists its values: a longer one would make the schema a message that clients refuse. */
const MAX_TYPE_CHARACTERS = 16 * 1024
/** Digits of HUGEINT's Arrow form; values of 39 digits keep their bits all the same. */
const HUGEINT_DIGITS = 38

/** Messages of the schemas that were made last: each takes half a millisecond, and queries ask for the same ones. */
const kept = new Map<string, Uint8Array>()
const MAX_KEPT = 256
/** Of its columns as text: larger ones are made each time. */
const MAX_KEPT_CHARACTERS = 4096

/**
 * The Message flatbuffer of the result's schema: `data_header` of a Flight stream's first message. Not to be changed:
 * others have it too.
 */
export function arrowSchemaMessage(columns: readonly ResultColumn[], enums: EnumForm = 'text'): Uint8Array {
  const key = JSON.stringify([enums, columns.map(({ name, type }) => [name, type])])
  const known = kept.get(key)
  if (known !== undefined) return known
  const message = Message.encode(Message.from(arrowSchema(columns, enums)))
  if (key.length > MAX_KEPT_CHARACTERS) return message
  const [oldest] = kept.keys()
  if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest)
  kept.set(key, message)
  return message
}

/** Fields keep the columns' names, also equal ones; every field may be null. */
export function arrowSchema(columns: readonly ResultColumn[], enums: EnumForm = 'text'): Schema {
  const ids = new DictionaryIds()
  return new Schema(columns.map(({ name, type }) => {
    const form = columnForm(type, enums)
    const metadata = new Map([...resultMetadata(type), ...extensionMetadata(form)])
    if (type.length <= MAX_TYPE_CHARACTERS) metadata.set(TYPE_METADATA, type)
    return new Field(name, arrowType(form, ids), true, metadata)
  }))
}

/** A column of a table, as its owner has declared it. */
export interface TableField extends ResultColumn {
  readonly nullable: boolean
  readonly remarks: string | null
}

/** As arrowSchemaMessage, of a table itself: with what drivers show of it. */
export function tableSchemaMessage(
  columns: readonly TableField[], place: Omit<ColumnPlace, 'remarks'>, enums: EnumForm,
): Uint8Array {
  const { fields } = arrowSchema(columns, enums)
  const schema = new Schema(columns.map(({ name, type, nullable, remarks }, i) => {
    const field = fields[i]
    const metadata = new Map([...field?.metadata ?? [], ...tableMetadata(type, { ...place, remarks })])
    return new Field(name, field?.type ?? new Utf8(), nullable, metadata)
  }))
  return Message.encode(Message.from(schema))
}

/** What a column of this DuckDB type is encoded from: the type itself, or the one it must be cast to. */
export function columnForm(typeText: string, enums: EnumForm = 'text'): DuckType {
  return arrowForm(knownDuckType(typeText) ?? TEXT, enums)
}

/** The same type with every part that Arrow has no form for replaced by VARCHAR; `type` itself if there is none. */
export function arrowForm(type: DuckType, enums: EnumForm): DuckType {
  switch (type.kind) {
    case 'scalar': return scalarArrowType(type.name) === undefined ? TEXT : type
    case 'decimal': return type
    case 'union': return TEXT
    case 'enum': return enums === 'dictionary' && dictionaryBytes(type.values) <= MAX_DICTIONARY_BYTES ? type : TEXT
    case 'list': case 'array': {
      const child = arrowForm(type.child, enums)
      return child === type.child ? type : { ...type, child }
    }
    case 'map': {
      const key = arrowForm(type.key, enums)
      const value = arrowForm(type.value, enums)
      return key === type.key && value === type.value ? type : { ...type, key, value }
    }
    case 'struct': {
      const forms = type.fields.map(field => arrowForm(field.type, enums))
      if (forms.every((form, i) => form === type.fields[i]?.type)) return type
      return { ...type, fields: forms.map((form, i) => ({ name: fieldName(type.fields[i], i), type: form })) }
    }
    default: return unreachable(type)
  }
}

/** The values of each dictionary of the result, by its id. */
export function dictionaries(columns: readonly ResultColumn[], enums: EnumForm): (readonly string[])[] {
  const ids = new DictionaryIds()
  for (const { type } of columns) arrowType(columnForm(type, enums), ids)
  return ids.values
}

/** Numbers dictionaries as a walk over the columns meets them, so that schema and batches agree. */
class DictionaryIds {
  readonly values: (readonly string[])[] = []

  next(values: readonly string[]): number {
    return this.values.push(values) - 1
  }
}

/** Of its values as Utf8: the text and the offsets. */
function dictionaryBytes(values: readonly string[]): number {
  return values.reduce((sum, value) => sum + Buffer.byteLength(value) + 4, 0)
}

/** Bytes of an ENUM's value in DuckDB's memory, which its Arrow index keeps. */
export function enumWidth({ length }: readonly string[]): 1 | 2 | 4 {
  if (length <= 256) return 1
  return length <= 65_536 ? 2 : 4
}

const indexTypes = { 1: () => new Uint8(), 2: () => new Uint16(), 4: () => new Uint32() } as const

/** row(1, 'x') has nameless fields, which neither Arrow's readers nor a cast can name. */
function fieldName(field: DuckField | undefined, i: number): string {
  return field === undefined || field.name === '' ? `v${i + 1}` : field.name
}

/** `form` is a result of `arrowForm`. */
function arrowType(form: DuckType, ids: DictionaryIds): DataType {
  switch (form.kind) {
    case 'scalar': return scalarArrowType(form.name) ?? new Utf8()
    case 'decimal': return new Decimal(form.scale, form.width, 128)
    case 'union': return new Utf8()
    case 'enum':
      return new Dictionary(new Utf8(), indexTypes[enumWidth(form.values)](), ids.next(form.values), false)
    case 'list': return new List(partField('item', form.child, true, ids))
    case 'array': return new FixedSizeList(form.size, partField('item', form.child, true, ids))
    case 'struct': return new Struct(form.fields.map((field, i) => {
      return partField(fieldName(field, i), field.type, true, ids)
    }))
    case 'map': {
      const key = partField('key', form.key, false, ids)
      const entry = new Struct([key, partField('value', form.value, true, ids)])
      return new Map_(new Field('entries', entry, false) as never, false) // declared for one type of key, ours vary
    }
    default: return unreachable(form)
  }
}

/** Of a nested type. */
function partField(name: string, form: DuckType, nullable: boolean, ids: DictionaryIds): Field {
  return new Field(name, arrowType(form, ids), nullable, new Map(extensionMetadata(form)))
}

/** undefined: Arrow has no form for it. */
function scalarArrowType(name: ScalarName): DataType | undefined {
  switch (name) {
    case 'BOOLEAN': return new Bool()
    case 'TINYINT': return new Int8()
    case 'SMALLINT': return new Int16()
    case 'INTEGER': return new Int32()
    case 'BIGINT': return new Int64()
    case 'HUGEINT': return new Decimal(0, HUGEINT_DIGITS, 128)
    case 'UTINYINT': return new Uint8()
    case 'USMALLINT': return new Uint16()
    case 'UINTEGER': return new Uint32()
    case 'UBIGINT': return new Uint64()
    case 'FLOAT': return new Float32()
    case 'DOUBLE': return new Float64()
    case 'VARCHAR': case 'JSON': return new Utf8()
    case 'BLOB': return new Binary()
    case 'UUID': return new FixedSizeBinary(16)
    case 'DATE': return new DateDay()
    case 'TIME': return new TimeMicrosecond()
    case 'TIME_NS': return new TimeNanosecond()
    case 'INTERVAL': return new IntervalMonthDayNano()
    case 'TIMESTAMP_S': return new TimestampSecond()
    case 'TIMESTAMP_MS': return new TimestampMillisecond()
    case 'TIMESTAMP': return new TimestampMicrosecond()
    case 'TIMESTAMP_NS': return new TimestampNanosecond()
    case 'TIMESTAMP WITH TIME ZONE': return new TimestampMicrosecond('UTC')
    case '"NULL"': return new Null()
    case 'UHUGEINT': case 'BIT': case 'BIGNUM': case 'VARIANT': case 'GEOMETRY': case 'TIME WITH TIME ZONE':
      return undefined
    default: return unreachable(name)
  }
}
