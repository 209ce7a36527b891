/** Some value of a type as SQL: to find out by a cast of it whether one type becomes another at all. */

import { quoteName, quoteText } from '../proto/sql-text.ts'
import { type DuckType, type ScalarName, typeText } from '../proto/types.ts'

const texts: Readonly<Partial<Record<ScalarName, string>>> = {
  BOOLEAN: 'true', VARCHAR: 'x', BLOB: 'x', BIT: '1', JSON: '1', UUID: '00000000-0000-4000-8000-000000000000',
  DATE: '2000-01-01', TIME: '00:00:00', TIME_NS: '00:00:00', 'TIME WITH TIME ZONE': '00:00:00+00', INTERVAL: '1 day',
  TIMESTAMP: '2000-01-01', TIMESTAMP_S: '2000-01-01', TIMESTAMP_MS: '2000-01-01', TIMESTAMP_NS: '2000-01-01',
  'TIMESTAMP WITH TIME ZONE': '2000-01-01 00:00:00+00', GEOMETRY: 'POINT (1 1)',
}

export function sampleValue(type: DuckType): string {
  switch (type.kind) {
    case 'list': return `[${sampleValue(type.child)}]`
    case 'struct':
      return `{${type.fields.map(({ name, type }) => `${quoteName(name)}: ${sampleValue(type)}`).join(', ')}}`
    case 'map': return `MAP {${sampleValue(type.key)}: ${sampleValue(type.value)}}`
    case 'scalar': return `CAST(${quoteText(texts[type.name] ?? '1')} AS ${typeText(type)})`
    case 'enum': return `CAST(${quoteText(type.values[0] ?? '')} AS ${typeText(type)})`
    case 'decimal': return `CAST(0 AS ${typeText(type)})`
    case 'array': case 'union': return `CAST(NULL AS ${typeText(type)})`
  }
}
