/** One element of a footer's schema, from its thrift. */

import type { SchemaElement } from './parquet-schema.ts'
import { Malformed, type ThriftReader } from './thrift-reader.ts'

export function schemaElement(element: ThriftReader): SchemaElement {
  const physical = element.integerOr(1, null)
  const logical = element.has(10) ? element.struct(10, 'logical type') : undefined
  const union = logical === undefined ? null : logical.onlyField()
  return {
    name: element.text(4, 'name'),
    physical,
    typeLength: element.integerOr(2, null),
    repetition: element.integerOr(3, null),
    childCount: physical === null ? element.integerOr(5, 0) : 0,
    converted: element.integerOr(6, null),
    scale: element.integerOr(7, 0),
    precision: element.integerOr(8, 0),
    logical: union,
    timestamp: logical !== undefined && union === 8 ? timestampUnit(logical.struct(8, 'timestamp')) : null,
  }
}

function timestampUnit(timestamp: ThriftReader): SchemaElement['timestamp'] {
  const unit = ([undefined, 'millis', 'micros', 'nanos'] as const)[timestamp.struct(2, 'unit').onlyField() ?? 0]
  if (unit === undefined) throw new Malformed('a timestamp has no unit')
  return { utc: timestamp.boolean(1, 'isAdjustedToUTC'), unit }
}
