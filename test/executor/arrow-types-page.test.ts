/** docs/ARROW_TYPES.md says what is: each line of its first table is compared with the schema that is made. */

import { readFileSync } from 'node:fs'
import { DataType, Precision, TimeUnit, type Field } from 'apache-arrow'
import t from 'tap'
import { EXTENSION_NAME } from '../../proto/arrow-extension.ts'
import { arrowSchema } from '../../proto/arrow-schema.ts'
import { parseDuckType, type ScalarName } from '../../proto/types.ts'
import { checkout } from '../checkout.ts'

const page = readFileSync(new URL('docs/ARROW_TYPES.md', checkout), 'utf8').split('\n## ')[0] ?? ''
const lines = [...page.matchAll(/^\| `([^|]+)` \| ([^|]+) \|/gm)].map(([, type = '', arrow = '']) => ({ type, arrow }))
const units = { [TimeUnit.SECOND]: 's', [TimeUnit.MILLISECOND]: 'ms', [TimeUnit.MICROSECOND]: 'us',
  [TimeUnit.NANOSECOND]: 'ns' }

/** As the page writes it. */
function described(type: DataType): string {
  const fields = type.children as readonly Field[] | null ?? []
  const children = fields.map(field => field.type as DataType)
  if (DataType.isInt(type)) return `${type.isSigned ? '' : 'U'}Int${type.bitWidth}`
  if (DataType.isFloat(type)) return type.precision === Precision.DOUBLE ? 'Float64' : 'Float32'
  if (DataType.isDecimal(type)) return `Decimal${type.bitWidth}(${type.precision}, ${type.scale})`
  if (DataType.isDate(type)) return 'Date32'
  if (DataType.isTime(type)) return `Time${type.bitWidth}(${units[type.unit]})`
  if (DataType.isTimestamp(type)) return `Timestamp(${units[type.unit]}${type.timezone ? `, ${type.timezone}` : ''})`
  if (DataType.isInterval(type)) return 'Interval(month, day, ns)'
  if (DataType.isFixedSizeBinary(type)) return `FixedSizeBinary(${type.byteWidth})`
  if (DataType.isList(type)) return `List(${children.map(described).join()})`
  if (DataType.isFixedSizeList(type)) return `FixedSizeList(${type.listSize}, ${children.map(described).join()})`
  if (DataType.isMap(type)) {
    const entry = children[0]?.children.map(field => described(field.type as DataType)) ?? []
    return `Map(${entry.join(', ')})`
  }
  if (DataType.isStruct(type)) {
    return `Struct(${fields.map(({ name, type }) => `${name}: ${described(type as DataType)}`).join(', ')})`
  }
  return type.constructor.name
}

t.test('every type that is listed has the Arrow type beside it', t => {
  const wrong = lines.flatMap(({ type, arrow }) => {
    const [field] = arrowSchema([{ name: 'x', type }]).fields
    const extension = field?.metadata.get(EXTENSION_NAME)
    const actual = `${field === undefined ? 'nothing' : described(field.type as DataType)}${
      extension === undefined ? '' : `, extension \`${extension}\``}`
    return actual === arrow ? [] : [`${type}: ${actual}, not ${arrow}`]
  })
  t.strictSame(wrong, [])
  t.end()
})

/** A name that is added to DuckDB's types does not compile without a line here. */
const scalars: Readonly<Record<ScalarName, true>> = {
  'BOOLEAN': true, 'TINYINT': true, 'SMALLINT': true, 'INTEGER': true, 'BIGINT': true, 'HUGEINT': true,
  'UTINYINT': true, 'USMALLINT': true, 'UINTEGER': true, 'UBIGINT': true, 'UHUGEINT': true, 'FLOAT': true,
  'DOUBLE': true, 'VARCHAR': true, 'BLOB': true, 'BIT': true, 'BIGNUM': true, 'UUID': true, 'JSON': true,
  'VARIANT': true, 'GEOMETRY': true, 'DATE': true, 'TIME': true, 'TIME_NS': true, 'TIME WITH TIME ZONE': true,
  'INTERVAL': true, 'TIMESTAMP': true, 'TIMESTAMP_S': true, 'TIMESTAMP_MS': true, 'TIMESTAMP_NS': true,
  'TIMESTAMP WITH TIME ZONE': true, '"NULL"': true,
}

t.test('every type is listed', t => {
  const types = lines.map(({ type }) => parseDuckType(type))
  const listed = types.map(type => type.kind === 'scalar' ? type.name : type.kind).sort()
  t.strictSame(listed, [...Object.keys(scalars), 'array', 'decimal', 'enum', 'list', 'map', 'struct', 'union'].sort())
  t.end()
})
