/**
 * The encoder of a column by its DuckDB type, and the check that a result really has that type: vectors are read as
 * raw memory, so a column of another type would be read as garbage.
 */

import { enumWidth } from '../proto/arrow-schema.ts'
import { unreachable } from '../proto/errors.ts'
import type { DuckType, ScalarName } from '../proto/types.ts'
import { BoolEncoder, FixedEncoder, NullEncoder, type ColumnEncoder } from './column-encoder.ts'
import { logical, TypeId, type LogicalType } from './instances.ts'
import { IntervalEncoder } from './interval-encoder.ts'
import { ArrayEncoder, ListEncoder, StructEncoder } from './nested-vectors.ts'
import { StringEncoder } from './string-vectors.ts'
import { uuidBytes, widen16, widen32, widen64 } from './value-conversion.ts'

/** `form` is what `columnForm` gives: it has an Arrow form in all its parts. */
export function encoderFor(form: DuckType): ColumnEncoder {
  switch (form.kind) {
    case 'scalar': return scalarEncoder(form.name)
    case 'decimal':
      if (form.width <= 4) return new FixedEncoder(2, 16, widen16)
      if (form.width <= 9) return new FixedEncoder(4, 16, widen32)
      return form.width <= 18 ? new FixedEncoder(8, 16, widen64) : new FixedEncoder(16)
    case 'list': return new ListEncoder(encoderFor(form.child))
    case 'array': return new ArrayEncoder(encoderFor(form.child), form.size)
    case 'struct': return new StructEncoder(form.fields.map(field => encoderFor(field.type)))
    case 'map': return new ListEncoder(new StructEncoder([encoderFor(form.key), encoderFor(form.value)]))
    case 'enum': return new FixedEncoder(enumWidth(form.values)) // a value's bytes are its index in the dictionary
    case 'union': throw new Error('a column of kind union is not cast to text')
    default: return unreachable(form)
  }
}

function scalarEncoder(name: ScalarName): ColumnEncoder {
  switch (name) {
    case 'BOOLEAN': return new BoolEncoder()
    case 'TINYINT': case 'UTINYINT': return new FixedEncoder(1)
    case 'SMALLINT': case 'USMALLINT': return new FixedEncoder(2)
    case 'INTEGER': case 'UINTEGER': case 'FLOAT': case 'DATE': return new FixedEncoder(4)
    case 'BIGINT': case 'UBIGINT': case 'DOUBLE': case 'TIME': case 'TIME_NS': case 'TIMESTAMP': case 'TIMESTAMP_S':
    case 'TIMESTAMP_MS': case 'TIMESTAMP_NS': case 'TIMESTAMP WITH TIME ZONE': return new FixedEncoder(8)
    case 'HUGEINT': return new FixedEncoder(16)
    case 'UUID': return new FixedEncoder(16, 16, uuidBytes)
    case 'INTERVAL': return new IntervalEncoder()
    case 'VARCHAR': case 'JSON': case 'BLOB': return new StringEncoder()
    case '"NULL"': return new NullEncoder()
    case 'UHUGEINT': case 'BIT': case 'BIGNUM': case 'VARIANT': case 'GEOMETRY': case 'TIME WITH TIME ZONE':
      throw new Error(`a column of type ${name} is not cast to text`)
    default: return unreachable(name)
  }
}

const scalarIds: Readonly<Record<ScalarName, number>> = {
  'BOOLEAN': TypeId.BOOLEAN, 'TINYINT': TypeId.TINYINT, 'SMALLINT': TypeId.SMALLINT, 'INTEGER': TypeId.INTEGER,
  'BIGINT': TypeId.BIGINT, 'HUGEINT': TypeId.HUGEINT, 'UTINYINT': TypeId.UTINYINT, 'USMALLINT': TypeId.USMALLINT,
  'UINTEGER': TypeId.UINTEGER, 'UBIGINT': TypeId.UBIGINT, 'UHUGEINT': TypeId.UHUGEINT, 'FLOAT': TypeId.FLOAT,
  'DOUBLE': TypeId.DOUBLE, 'VARCHAR': TypeId.VARCHAR, 'BLOB': TypeId.BLOB, 'BIT': TypeId.BIT, 'BIGNUM': TypeId.BIGNUM,
  'UUID': TypeId.UUID, 'JSON': TypeId.VARCHAR, 'VARIANT': TypeId.VARIANT, 'GEOMETRY': TypeId.GEOMETRY,
  'DATE': TypeId.DATE, 'TIME': TypeId.TIME, 'TIME_NS': TypeId.TIME_NS, 'TIME WITH TIME ZONE': TypeId.TIME_TZ,
  'INTERVAL': TypeId.INTERVAL, 'TIMESTAMP': TypeId.TIMESTAMP, 'TIMESTAMP_S': TypeId.TIMESTAMP_S,
  'TIMESTAMP_MS': TypeId.TIMESTAMP_MS, 'TIMESTAMP_NS': TypeId.TIMESTAMP_NS,
  'TIMESTAMP WITH TIME ZONE': TypeId.TIMESTAMP_TZ, '"NULL"': TypeId.SQLNULL,
}

/** True if vectors of `type` are laid out as the encoder of `form` reads them. */
export function hasForm(type: LogicalType, form: DuckType): boolean {
  const id = logical.id(type)
  switch (form.kind) {
    case 'scalar': return form.name === '"NULL"' || id === scalarIds[form.name] // of a NULL nothing is read
    case 'decimal': return id === TypeId.DECIMAL
      && logical.decimalWidth(type) === form.width && logical.decimalScale(type) === form.scale
    case 'list': return id === TypeId.LIST && hasForm(logical.listChild(type), form.child)
    case 'array': return id === TypeId.ARRAY
      && logical.arraySize(type) === form.size && hasForm(logical.arrayChild(type), form.child)
    case 'map': return id === TypeId.MAP
      && hasForm(logical.mapKey(type), form.key) && hasForm(logical.mapValue(type), form.value)
    case 'struct': {
      if (id !== TypeId.STRUCT) return false
      const fields = logical.structFields(type)
      return fields.length === form.fields.length && form.fields.every((field, i) => {
        const own = fields[i]
        return own !== undefined && own.name === field.name && hasForm(own.type, field.type)
      })
    }
    case 'enum': return id === TypeId.ENUM && sameTexts(logical.enumValues(type), form.values)
    case 'union': return false
    default: return unreachable(form)
  }
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i])
}
